"""Who changed what, as the log has it, whichever door it came through."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from kaspad_taskd.api.registrations import CHANGEABLE
from kaspad_taskd.base.repeats import Repeats, counted

NAMED: Final = ("service", "to", "decision", "id")
"""Parameters that a line names, where it is about no task: what was changed, to which side."""
OF_TASKS: Final[Mapping[str, tuple[str, ...]]] = {"updateTask": CHANGEABLE}
"""Likewise, by the method, where it is about a task."""
LONGEST: Final = 100

_log = logging.getLogger(__name__)


class Changes:
    """The audit of one door: a line for each change, once it is done.

    What a caller repeats is one line a minute, and the next one counts what was held back.
    """

    def __init__(self) -> None:
        self._repeats = Repeats()

    def log(
        self, method: str, bound: Mapping[str, Any], result: object, who: str, caller: str
    ) -> None:
        """Log a change once it is done.

        Args:
            method: its name.
            bound: the call's parameters.
            result: its answer, None where the caller did not wait.
            who: called, as the line names him.
            caller: who that is on his next connection too.
        """
        given = bound.get("body", bound)
        task = _task([result, given])
        what = _what(given, NAMED if task is None else OF_TASKS.get(method, ()))
        # a value may differ each time; which keys are changed may not
        subject = (
            what if task is None else " ".join([task, *_keys(given, OF_TASKS.get(method, ()))])
        )
        held = self._repeats.told(f"{method} {caller}", subject, _now())
        if held is not None:
            line = counted(f"{method}{what} by {who}", held)
            _log.info("%s", line, extra={"task": task})


def _task(places: list[object]) -> str | None:
    found = [place for place in places if isinstance(place, Mapping)]
    named = (place.get(key) for place in found for key in ("taskId", "id"))
    return next((_safe(name) for name in named if isinstance(name, str)), None)


def _what(given: object, named: Iterable[str]) -> str:
    if not isinstance(given, Mapping):
        return ""
    return "".join(f" {key}={_safe(given[key])}" for key in _keys(given, named))


def _keys(given: object, named: Iterable[str]) -> list[str]:
    return [k for k in named if isinstance(given, Mapping) and given.get(k) is not None]


def _safe(value: object) -> str:
    text = str(value)
    return text[:LONGEST] if text.isprintable() else "?"


def _now() -> float:
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:  # called outside a loop
        return time.monotonic()
