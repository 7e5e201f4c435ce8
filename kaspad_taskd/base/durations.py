"""Durations as people write them: "500ms", "1min 30s", "2h", "1.5d"."""

from __future__ import annotations

import re
from math import floor
from typing import Final

UNITS: Final = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1))
"""The units, largest first, in milliseconds."""

_NUMBER: Final = r"(\d{1,12}(?:\.\d{1,6})?)"
_DURATION: Final = re.compile(
    r"\s*".join(rf"(?:{_NUMBER}\s?{unit}(?![a-z]))?" for unit, _ in UNITS), re.ASCII
)


def parse_duration(text: str) -> float | None:
    """Return the seconds of a duration, to the millisecond, or None where it is none.

    Each unit may stand once, the larger first.
    """
    match = _DURATION.fullmatch(text.strip()) if len(text) <= 64 else None
    if match is None or not any(match.groups()):
        return None
    parts = zip(match.groups(), UNITS, strict=True)
    return round(sum(float(count) * ms for count, (_, ms) in parts if count)) / 1000


def format_duration(seconds: float) -> str:
    """Return seconds (0 or more) as a duration is written: 90.5 is "1min 30s 500ms"."""
    left = round(seconds * 1000)
    words = []
    for unit, ms in UNITS:
        count, left = divmod(left, ms)
        if count:
            words.append(f"{count}{unit}")
    return " ".join(words) or "0s"


def tenths(seconds: float) -> float:
    """Return seconds with one decimal, rounded down: 59.97 is not yet the 60 it is held to."""
    return floor(seconds * 10 + 1e-6) / 10
