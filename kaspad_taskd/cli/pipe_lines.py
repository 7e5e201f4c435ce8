"""What a line of a pipe says of the work: how far it is, facts, its end. Pure."""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

NOTE = "note"
"""The fact that a line becomes which says nothing else."""
FACTS = 64
"""Facts that a task may have; the daemon takes no more."""
_TEXT = 200  # characters of a fact
_KEY = 100
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
_NUMBER = r"(\d{1,15}(?:[.,]\d{1,15})?)"
_REST = r"(?:[\s:,]+(.*))?"
_PERCENT = re.compile(rf"\[?\s*{_NUMBER}\s*%\s*\]?{_REST}")  # `[ 42%] Building`
_SHARE = re.compile(rf"\[?\s*{_NUMBER}\s*(?:/|of\s)\s*{_NUMBER}\s*\]?{_REST}")  # `[42/100] CXX x`
_BARE = re.compile(_NUMBER)  # `42`: what `pv -n` and `dialog --gauge` speak
_PAIR = re.compile(r"([A-Za-z_][\w.-]{0,99})=(.*)")


class Told:
    """What was said and is not reported yet; later words are laid over earlier ones.

    Attributes:
        progress: 0 to 100, or None: not said.
        completed: the work is done.
        error: why it has failed, or None.
        facts: named numbers, texts and truths, at most FACTS.
    """

    def __init__(
        self,
        progress: float | None = None,
        facts: Mapping[str, Any] | None = None,
        completed: bool = False,
        error: str | None = None,
    ) -> None:
        self.progress = progress
        self.facts: dict[str, Any] = dict(facts or {})
        self.completed = completed
        self.error = error

    def __bool__(self) -> bool:
        return self.progress is not None or bool(self.facts or self.completed or self.error)

    def add(self, later: Told) -> None:
        """Lay later words over these; of too many facts the oldest go."""
        if later.progress is not None:
            self.progress = later.progress
        for key, value in later.facts.items():
            self.facts.pop(key, None)
            self.facts[key] = value
        for key in list(self.facts)[:-FACTS]:
            del self.facts[key]
        self.completed = self.completed or later.completed
        self.error = self.error or later.error

    def params(self) -> dict[str, Any]:
        """Return it as `reportTask` takes it; a failure is no end well."""
        found: dict[str, Any] = {}
        if self.progress is not None:
            found["progress"] = self.progress
        if self.error is not None:
            found["error"] = self.error
        elif self.completed:
            found["completed"] = True
        if self.facts:
            found["metadata"] = self.facts
        return found


def read(line: str) -> Told | None:
    """Return what a line says, or None: it is empty.

    `42 %`, `42/100` and `42` are how far it is, also before other words or in brackets; a JSON
    object has `progress` (or `done` and `total`), `completed`, `error`, `metadata`, its other plain
    values are facts; `KEY=VALUE` is a fact; anything else is the fact NOTE. Never fails.
    """
    text = "".join(char if char.isprintable() else " " for char in _ESCAPES.sub("", line)).strip()
    if not text:
        return None
    found = _object(text) if text.startswith("{") else _counted(text)
    if found is not None:
        return found
    pair = _PAIR.fullmatch(text)
    if pair:
        return Told(facts={pair[1]: _value(pair[2])})
    return Told(facts={NOTE: text[:_TEXT]})


def _counted(text: str) -> Told | None:
    percent, share = _PERCENT.fullmatch(text), _SHARE.fullmatch(text)
    if percent:
        return _so_far(_float(percent[1]), 100.0, percent[2])
    if share:
        return _so_far(_float(share[1]), _float(share[2]), share[3])
    return _so_far(_float(text), 100.0, None) if _BARE.fullmatch(text) else None


def _so_far(done: float, total: float, rest: str | None) -> Told | None:
    """None where it is no share of anything: what is beyond its end, or nothing at all."""
    if not 0 <= done <= total or total <= 0:
        return None
    return Told(100 * done / total, {NOTE: rest.strip()[:_TEXT]} if rest and rest.strip() else None)


def _float(text: str) -> float:
    return float(text.replace(",", "."))


def _object(text: str) -> Told | None:
    """None: it is no object, or one of the names has a value that it cannot have."""
    try:
        given = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict):
        return None
    known = {key: value for key, value in given.items() if value is not None}
    try:
        progress = _progress(known)
        completed, error = known.pop("completed", False), known.pop("error", None)
        inner = known.pop("metadata", {})
        if not isinstance(completed, bool) or not isinstance(error, str | None):
            return None
        return Told(
            progress, _plain({**known, **inner}), completed, (error and error[:2000]) or None
        )
    except (TypeError, ValueError):
        return None


def _no_number(_text: str) -> float:
    raise ValueError("no number of JSON")


def _progress(known: dict[str, Any]) -> float | None:
    """Take it out; raises TypeError, ValueError: it is none."""
    if "progress" in known:
        share = _number(known.pop("progress")) / 100
    elif "done" in known and "total" in known:
        share = _number(known.pop("done")) / (_number(known.pop("total")) or -1)
    else:
        return None
    if not 0 <= share <= 1:
        raise ValueError("beyond its end")
    return 100 * share


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("no number")
    return float(value) if abs(value) < 1e300 else -1.0


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """Those that can be facts, the last FACTS of them."""
    found = {
        str(key)[:_KEY]: value[:_TEXT] if isinstance(value, str) else value
        for key, value in given.items()
        if key and _is_fact(value)
    }
    return dict(list(found.items())[-FACTS:])


def _is_fact(value: object) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return abs(value) < 1e300
    return isinstance(value, str | bool)


def _value(text: str) -> Any:
    """JSON where it reads so, else text: as KEY=VALUE of a command line."""
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        value = text
    return value if _is_fact(value) and not isinstance(value, str) else text[:_TEXT]
