"""Times of the wire (ISO 8601 UTC) to seconds, and to the local clock that people read."""

from __future__ import annotations

import time


def seconds_of(text: object) -> float | None:
    """Return seconds since 1970 UTC of `2026-11-23T14:12:09.123Z`, or None for anything else.

    By hand: datetime and strptime would cost the client a tenth of its start.
    """
    if not isinstance(text, str) or len(text) < 20 or not text.endswith("Z"):
        return None
    try:
        year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
        clock = int(text[11:13]) * 3600 + int(text[14:16]) * 60 + float(text[17:-1])
    except ValueError:
        return None
    return _days(year, month, day) * 86400 + clock


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of the Gregorian calendar; years counted from March."""
    year -= month <= 2
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + of_year - 719468


def when(seconds: float, now: float) -> str:
    """Return a local time: `15:32` on the day of `now`, else `22 Nov 15:32`."""
    there, here = time.localtime(seconds), time.localtime(now)
    clock = f"{there.tm_hour:02}:{there.tm_min:02}"
    same_day = (there.tm_year, there.tm_yday) == (here.tm_year, here.tm_yday)
    return clock if same_day else f"{day(seconds)} {clock}"


def date(seconds: float, now: float) -> str:
    """Return what tells a moment shortly: `14:24` on the day of `now`, else `22 Nov`."""
    told = when(seconds, now)
    return told if ":" in told[:3] else day(seconds)


def day(seconds: float) -> str:
    """Return a local day: `22 Nov`."""
    there = time.localtime(seconds)
    return f"{there.tm_mday} {time.strftime('%b', there)}"


def clock(seconds: float) -> str:
    """Return a local time of day: `14:12:09`."""
    return time.strftime("%H:%M:%S", time.localtime(seconds))
