"""A moment of the past, as people write it: `1h`, `today`, `14:30`, `2026-11-29 14:30`."""

from __future__ import annotations

import time
from argparse import ArgumentTypeError

_EXAMPLES = 'write "1h", "today", "14:30" or "2026-11-29 14:30"'


def since(text: str) -> float:
    """Return the moment in seconds since 1970 UTC, by this host's clock and time zone.

    A duration is so long ago (`1h`, `1h ago`, `-1h`), `today` and `yesterday` begin at midnight, a
    date too; `14:30` is the last time that it was so. With `Z` or an offset it is of that zone.

    Raises:
        argparse.ArgumentTypeError: it is none of these.
    """
    return moment(text, time.time())


def moment(text: str, now: float) -> float:
    """Return `since(text)` as of `now`, in seconds since 1970 UTC."""
    word = " ".join(text.split())
    for read in (_named, _ago, _clock, _date):
        found = read(word, now)
        if found is not None:
            return found
    raise ArgumentTypeError(f'"{text}" is no moment; {_EXAMPLES}')


def _named(word: str, now: float) -> float | None:
    days = {"today": 0, "yesterday": 1}.get(word.lower())
    if days is None:
        return now if word.lower() == "now" else None
    here = time.localtime(now)
    return _local(here.tm_year, here.tm_mon, here.tm_mday - days)


def _ago(word: str, now: float) -> float | None:
    from kaspad_taskd.cli.durations import duration

    try:
        return now - duration(word.removesuffix(" ago").removeprefix("-"))
    except ArgumentTypeError:
        return None


def _clock(word: str, now: float) -> float | None:
    parts = word.split(":")
    if len(parts) not in (2, 3) or not all(p.isascii() and p.isdigit() for p in parts):
        return None
    hour, minute, second = (int(part) for part in (*parts, "0")[:3])
    if hour > 23 or minute > 59 or second > 59:
        return None
    here = time.localtime(now)
    found = _local(here.tm_year, here.tm_mon, here.tm_mday, hour, minute, second)
    if found <= now:
        return found
    return _local(here.tm_year, here.tm_mon, here.tm_mday - 1, hour, minute, second)


def _local(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0
           ) -> float:  # fmt: skip
    """Local time; a day 0 is the last one of the month before."""
    return time.mktime((year, month, day, hour, minute, second, 0, 0, -1))


def _date(word: str, _now: float) -> float | None:
    from datetime import datetime  # what else needs no date starts without it

    try:
        return datetime.fromisoformat(word).timestamp() if "-" in word else None
    except (ValueError, OverflowError, OSError):
        return None
