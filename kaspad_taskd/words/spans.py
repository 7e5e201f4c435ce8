"""Numbers, spans of time and percentages as people read them, the same at every door.

What is reached is rounded down, what is to be reached and how late it is up: no number is shown as
reached that is not. static/words.js is the same in JavaScript.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, floor, isfinite

from kaspad_taskd.words.table import text

TYPE_CHECKING = False  # importing typing would cost the client a tenth of its start
if TYPE_CHECKING:
    from typing import TypedDict

    class Duration(TypedDict):
        """How long something took: three totals, each rounded down, and the text."""

        seconds: int
        minutes: int
        hours: int
        formatted: str


_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_WHOLE = 2.0**52
"""From here on a float has no fraction."""


def _tenths(value: float) -> int:
    """How many tenths are in a number, as it is written: 4.1 has 41, 0.99999999 has 9."""
    count = floor(value * 10)
    if (count + 1) / 10 <= value:
        return count + 1
    return count - 1 if count / 10 > value else count


def down(value: float) -> float:
    """Return a number with one decimal at most, never more than it is."""
    return value if abs(value) >= _WHOLE or not isfinite(value) else _tenths(value) / 10


def up(value: float) -> float:
    """Return a number with one decimal at most, never less than it is."""
    return -down(-value) + 0.0  # not -0.0


@lru_cache(maxsize=1024)
def format_time_left(seconds: float | None, complete: bool = False) -> str:
    """Return a time left in words: `1 hour 30 min`, `2 days 3 hr`; `1 second` at least.

    None is `Calculating...`; `Complete` is said only of what is.
    """
    if complete:
        return text("time.complete")
    if seconds is None or not isfinite(seconds):
        return text("time.calculating")
    whole = max(1, int(seconds))
    if whole < _MINUTE:
        return text("time.second", n=whole)
    if whole < _HOUR:
        return text("time.minute", n=whole // _MINUTE)
    if whole < _DAY:
        return _hours(whole)
    days, hours = text("time.day", n=whole // _DAY), whole % _DAY // _HOUR
    return text("time.day-hour", days=days, hours=hours) if hours else days


def _hours(whole: int) -> str:
    hours, minutes = text("time.hour", n=whole // _HOUR), whole % _HOUR // _MINUTE
    return text("time.hour-minute", hours=hours, minutes=minutes) if minutes else hours


def duration(seconds: float) -> Duration:
    """Return a span as the wire shows it: 9045 s is 9045, 150, 2, `2 hours 30 min`.

    Below the hour the text counts seconds too: `1 minute 30s`.
    """
    whole = max(0, int(seconds)) if isfinite(seconds) else 0
    return {
        "seconds": whole,
        "minutes": whole // _MINUTE,
        "hours": whole // _HOUR,
        "formatted": _took(whole),
    }


def _took(whole: int) -> str:
    if whole < _MINUTE:
        return text("time.second", n=whole)
    if whole >= _HOUR:
        return _hours(whole)
    minutes, rest = text("time.minute", n=whole // _MINUTE), whole % _MINUTE
    return text("time.minute-second", minutes=minutes, seconds=rest) if rest else minutes


def span(seconds: float) -> str:
    """Return a short span, one unit: `4 s`, `6 min`, `3 hours`, `2 days`, `250 ms`."""
    if not isfinite(seconds):
        return text("unknown")
    seconds = max(0.0, seconds)
    if 0 < seconds < 1:
        return f"{max(1, int(seconds * 1000))} ms"
    if seconds < _MINUTE:
        return f"{int(seconds)} s"
    if seconds < _HOUR:
        return f"{int(seconds) // _MINUTE} min"
    if seconds < _DAY:
        return text("time.hour", n=int(seconds) // _HOUR)
    return text("time.day", n=int(seconds) // _DAY)


def percent(value: float, basis: str = "exact", mark: str = "about") -> str:
    """Return a percentage rounded down: `45.1 %` where exact, `about 71 %` (or `~71 %`) where not.

    Args:
        value: 0 to 100; what lies outside is brought to the edge.
        basis: "exact", "estimated" or "unknown".
        mark: "about" or "tilde", before what is estimated.
    """
    value = min(100.0, max(0.0, value)) if isfinite(value) else 0.0
    if value == 100:
        return text("percent.exact", p="100")
    if basis == "exact":
        tenths = _tenths(value)
        return text("percent.exact", p=f"{tenths // 10}.{tenths % 10}")
    return text(f"percent.{mark}", p=str(int(value)))


def number(value: float) -> str:
    """Return a number with its thousands marked: `533,400`; below 10 with one decimal: `9.5`."""
    if not isfinite(value):
        return text("unknown")
    if abs(value) < 10 and value != int(value):
        return f"{down(value):.1f}"
    return f"{floor(value):,}"


def above(value: float) -> str:
    """Return a number that is still to be reached, rounded up as `number` rounds down."""
    if not isfinite(value):
        return text("unknown")
    return number(up(value) if abs(value) < 10 else ceil(value))


def late(seconds: float) -> str:
    """Return how late something is, rounded up where a time left is rounded down."""
    if not isfinite(seconds):
        return text("unknown")
    unit = 1 if seconds <= _MINUTE else _MINUTE if seconds <= _DAY else _HOUR
    return format_time_left(ceil(seconds / unit) * unit)


def lag(seconds: float) -> str:
    """Return how late something is in one unit, rounded up: `40 s`, `14 min`, `3 hours`."""
    if not isfinite(seconds):
        return text("unknown")
    seconds = max(0.0, seconds)
    if seconds <= _MINUTE:
        return f"{ceil(seconds)} s"
    if seconds < 100 * _MINUTE:
        return f"{ceil(seconds / _MINUTE)} min"
    if seconds <= 2 * _DAY:
        return text("time.hour", n=ceil(seconds / _HOUR))
    return text("time.day", n=ceil(seconds / _DAY))


def short_number(value: float) -> str:
    """Return a count in at most six characters: `940`, `21.4 k`, `3.3 M`."""
    for name, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if isfinite(value) and abs(value) >= size:
            scaled = value / size
            return f"{int(scaled)} {name}" if scaled >= 100 else f"{down(scaled)} {name}"
    return number(value)


def size(value: float) -> str:
    """Return bytes in people's units: `0.4 GB`, `640 kB`."""
    if not isfinite(value):
        return text("unknown")
    for name, unit in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if value >= unit / 10:
            return f"{down(value / unit)} {name}"
    return f"{int(value / 1e3)} kB"
