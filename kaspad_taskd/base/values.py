"""Judges of a single value: each returns it, or raises ValueError that says what it must be.

The sentence goes on after the key: "must be a string, not a number". It shows no value that could
be a secret.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from kaspad_taskd.base.durations import parse_duration

Json: TypeAlias = Any

MAX_TEXT: Final = 4096
"""Characters of a string, unless its key says less: a path, a URL, a query."""
MAX_ITEMS: Final = 256
"""Entries of a list, or of a table whose keys its writer chooses."""
MAX_DEPTH: Final = 16
"""Lists and tables within each other, in what is taken as it is."""
SAFE_INTEGER: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exact."""

# Newline and tab may stand in a query; a surrogate cannot be written as UTF-8.
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class Several(ValueError):
    """Several entries of a value are wrong: what is, in which parts, and the value without them."""

    def __init__(self, problems: Sequence[str], rest: Any, parts: Sequence[str] = ()) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
        self.parts = parts or [""] * len(problems)
        self.rest = rest


def quote(value: object) -> str:
    """Return a value as a message shows it: one line, 40 characters at most."""
    text = str(value)
    shown = text if len(text) <= 40 else text[:37] + "..."
    shown = "".join(char if char.isprintable() else "?" for char in shown)
    return f'"{shown}"' if isinstance(value, str) else shown


def kind_of(value: object) -> str:
    """Say what a value is, without saying the value: it might be a secret."""
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string"}
    names |= {list: "a list", dict: "a table", type(None): "null"}
    return names.get(type(value), "a date or time")


def of_kind(value: Any, kinds: Any, what: str) -> Any:
    """Return a value of these types; a boolean is no number here, as in TOML and JSON."""
    boolean = isinstance(value, bool) and kinds not in (bool, object)
    if boolean or not isinstance(value, kinds):
        raise ValueError(f"must be {what}, not {kind_of(value)}")
    return value


def within(value: float, minimum: float, maximum: float) -> float:
    """Return a finite number that lies within bounds (an open end of them is not named)."""
    if not abs(value) < math.inf:
        raise ValueError("must be a finite number")
    if minimum <= value <= maximum:
        return value
    if value > maximum and minimum in (-math.inf, -SAFE_INTEGER):
        raise ValueError(f"must be {maximum} at most")
    if value < minimum and maximum in (math.inf, SAFE_INTEGER):
        raise ValueError(f"must be {minimum} at least")
    raise ValueError(f"must be {minimum} to {maximum}")


def seconds_of(value: str | float) -> float:
    """Return the seconds of a duration: a string, or a number of milliseconds."""
    if isinstance(value, str):
        seconds = parse_duration(value)
        if seconds is None:
            raise ValueError(f'{quote(value)} is no duration; write "10s" or "5min"')
        return seconds
    return round(min(within(value, 0, math.inf), SAFE_INTEGER)) / 1000


def check_text(value: object, maximum: int, *, empty: bool = False) -> None:
    """Let a string pass that is not empty (unless `empty`), not too long, and can be shown."""
    if not isinstance(value, str):
        raise ValueError(f"must be a string, not {kind_of(value)}")
    if not value and not empty:
        raise ValueError("is empty; leave it out, or write something")
    if len(value) > maximum:
        raise ValueError(f"must be {maximum} characters at most")
    if _UNWRITABLE.search(value):
        raise ValueError("must have no control characters")


def few(value: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Return a table of no more than MAX_ITEMS entries."""
    if len(value) > MAX_ITEMS:
        raise ValueError(f"must be {MAX_ITEMS} entries at most")
    return value


def few_of(value: Sequence[Any]) -> Sequence[Any]:
    """Return a list of no more than MAX_ITEMS entries."""
    if len(value) > MAX_ITEMS:
        raise ValueError(f"must be {MAX_ITEMS} entries at most")
    return value


def texts_of(value: Mapping[Any, Any]) -> dict[str, str]:
    """Return a table of strings."""
    good: dict[str, str] = {}
    problems: dict[str, str] = {}
    for name, text in few(value).items():
        try:
            check_text(name, 100)
            check_text(text, MAX_TEXT, empty=True)
            good[name] = text
        except ValueError as refusal:
            problems[name] = f"{quote(name)} {refusal}"
    if problems:
        raise Several(list(problems.values()), good, list(problems))
    return good


def strings_of(value: Sequence[object], maximum: int) -> tuple[str, ...]:
    """Return a list of strings, `maximum` at most; an empty string may stand in it."""
    if len(value) > maximum:
        raise ValueError(f"must be {maximum} strings at most")
    good, problems = [], []
    for place, item in enumerate(value, 1):
        try:
            check_text(item, MAX_TEXT, empty=True)
            good.append(str(item))
        except ValueError as refusal:
            problems.append(f"entry {place} {refusal}")
    if problems:
        raise Several(problems, tuple(good))
    return tuple(good)


def json_of(value: Any, depth: int = MAX_DEPTH) -> Json:
    """Return a value that JSON can say, none of its parts too large or too deep."""
    if depth == 0:
        raise ValueError("is nested too deeply")
    if isinstance(value, str):
        check_text(value, MAX_TEXT, empty=True)
    elif isinstance(value, int):
        within(value, -SAFE_INTEGER, SAFE_INTEGER)
    elif isinstance(value, float):
        within(value, -math.inf, math.inf)
    elif isinstance(value, list | Mapping):
        if len(value) > MAX_ITEMS:
            raise ValueError(f"must be {MAX_ITEMS} entries at most")
        for part in value if isinstance(value, list) else (*value, *value.values()):
            json_of(part, depth - 1)
    elif value is not None:
        raise ValueError(f"must not be {kind_of(value)}")
    return value
