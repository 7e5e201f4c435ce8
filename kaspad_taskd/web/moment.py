"""Moments as the server shows them: UTC, and it says so. A browser shows its own local time."""

from __future__ import annotations

import time

from kaspad_taskd.words.sentences import say


def when(seconds: float, now: float) -> str:
    """Return `15:32 UTC` on the day of `now`, else `22 Nov 15:32 UTC`; both s since 1970 UTC."""
    same_day = time.gmtime(seconds)[:3] == time.gmtime(now)[:3]
    return minute(seconds) if same_day else f"{day(seconds)} {minute(seconds)}"


def minute(seconds: float) -> str:
    """Return `15:32 UTC`."""
    return say("page.utc", when=time.strftime("%H:%M", time.gmtime(seconds)))


def day(seconds: float) -> str:
    """Return `22 Nov`."""
    there = time.gmtime(seconds)
    return f"{there.tm_mday} {say('months').split()[there.tm_mon - 1]}"


def clock(seconds: float) -> str:
    """Return `14:12:09 UTC`."""
    return say("page.utc", when=time.strftime("%H:%M:%S", time.gmtime(seconds)))
