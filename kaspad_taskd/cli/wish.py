"""What of a registration was not taken, because the task was known already. Pure."""

from __future__ import annotations

import argparse
import json

from kaspad_taskd.cli.durations import duration
from kaspad_taskd.words import spans
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

SPANS = (
    "checkInterval", "timeout", "stallAfter", "giveUpAfter", "watchInterval", "behindAfter",
    "relapseAfter",
)  # fmt: skip
"""Keys of a definition that are spans: texts, or ms."""
SETTABLE = (*SPANS, "confirmations", "after", "autoSwitch", "keepWatching")
"""Those that `set` changes."""


def not_taken(wish: Mapping[str, Any], task: Mapping[str, Any]) -> list[str]:
    """Return a line for each thing asked for that stays otherwise, and how it would be taken.

    Args:
        wish: what was sent to register it; what is not in it nobody asked for.
        task: as it is known.
    """
    lines = [
        say("changed.left", key=snake(key), wanted=wanted, kept=kept)
        for key, wanted, kept in differing(wish, task)
    ]
    if not lines:
        return []
    if task.get("origin") != "api":
        return [*lines, say("changed.instead.file", id=task["id"])]
    pairs = " ".join(_typed(wish, task)) or None
    return [*lines, say("changed.instead.api", id=task["id"], pairs=pairs)]


def _typed(wish: Mapping[str, Any], task: Mapping[str, Any]) -> Iterator[str]:
    """What `set` takes for what was not taken, as a shell reads it."""
    from shlex import quote

    for key in SETTABLE:
        if any(differing({key: wish.get(key)}, task)):
            given = wish[key]
            if isinstance(given, list | tuple):
                given = ",".join(map(str, given))
            elif key in SPANS and not isinstance(given, str):
                given = f"{given / 1000:g}s"
            text = given if isinstance(given, str) else json.dumps(given)
            yield quote(f"{snake(key)}={text}")


def differing(wish: Mapping[str, Any], task: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield key, what is wanted and what the task has, as people read them, where these differ."""
    known = {**task, "confirmations": (task.get("confirmations") or {}).get("need")}
    for key in SETTABLE:
        if wish.get(key) is None or key not in task:
            continue
        wanted, kept = _as_said(key, _value(key, wish[key])), _as_said(key, known[key])
        if wanted != kept:
            yield key, wanted, kept
    if wish.get("start") is False and task.get("status") != "pending":
        yield "start", "false", "true"


def _value(key: str, given: Any) -> Any:
    """As the task has it: spans in ms, None for never."""
    if key not in SPANS or not isinstance(given, str):
        return given
    try:
        return None if given == "never" else round(duration(given) * 1000)
    except argparse.ArgumentTypeError:  # the daemon has taken it: not ours to judge
        return given


def _as_said(key: str, value: Any) -> str:
    if key in SPANS:
        return say("changed.never") if value is None else _span(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    return json.dumps(value)


def _span(value: Any) -> str:
    if not isinstance(value, int | float):
        return str(value)
    whole = spans.span(value / 1000)
    short = value >= 60_000 and value % 60_000
    return f"{value / 1000:g} s" if short or value % 1000 else whole


def snake(key: str) -> str:
    """The key as files and options have it."""
    if key == "checkInterval":
        return "interval"
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in key)
