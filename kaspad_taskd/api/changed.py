"""Who changed what, as the log has it, whichever door it came through."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any, Final

from kaspad_taskd.base.repeats import Repeats, counted

NAMED: Final = ("service", "to", "decision", "id")
"""Parameters that a line names, where it is about no task: what was changed, to which side."""
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
        what = "" if task is not None else _what(given)
        subject = f"{task}" if task is not None else what
        held = self._repeats.told(f"{method} {caller}", subject, _now())
        if held is not None:
            line = counted(f"{method}{what} by {who}", held)
            _log.info("%s", line, extra={"task": task})


def _task(places: list[object]) -> str | None:
    found = [place for place in places if isinstance(place, Mapping)]
    named = (place.get(key) for place in found for key in ("taskId", "id"))
    return next((_safe(name) for name in named if isinstance(name, str)), None)


def _what(given: object) -> str:
    if not isinstance(given, Mapping):
        return ""
    known = [(key, given[key]) for key in NAMED if given.get(key) is not None]
    return "".join(f" {key}={_safe(value)}" for key, value in known)


def _safe(value: object) -> str:
    text = str(value)
    return text[:LONGEST] if text.isprintable() else "?"


def _now() -> float:
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:  # called outside a loop
        return time.monotonic()
