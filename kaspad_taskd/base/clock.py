"""The daemon's time: moments that never jump by themselves, and jumps of the wall clock noticed.

`now()` is the wall clock of the start plus monotonic time since, so pace and patience can be
measured with it. When the wall clock and that sum drift apart (somebody set the clock, the host
slept), `check()` says by how much and starts from the wall clock again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

JUMP_S: Final = 5.0
"""Seconds of drift that count as a jump. CLOCK_MONOTONIC is slewed together with the wall clock,
so only steps and sleep add up to it."""


class Clock:
    """Steady moments (ms since 1970 UTC), and the wall clock as it is."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Start at the wall clock. Both callables return seconds; a test brings its own."""
        self._monotonic = monotonic
        self._wall = wall
        self._base = wall() - monotonic()

    def now(self) -> int:
        """Return this moment: between two jumps it only grows."""
        return int((self._base + self._monotonic()) * 1000)

    def wall(self) -> int:
        """Return the wall clock, in ms since 1970 UTC: what a service's own times compare with."""
        return int(self._wall() * 1000)

    def steady(self) -> int:
        """Return process time in ms, from any beginning: it stands still while the host sleeps."""
        return int(self._monotonic() * 1000)

    def check(self) -> float:
        """Return the seconds by which the wall clock jumped since the last look, else 0.

        After a jump `now()` goes on from the wall clock, so moments before it say nothing about
        spans that reach over it.
        """
        drift = self._wall() - self._monotonic() - self._base
        if abs(drift) < JUMP_S:
            return 0.0
        self._base += drift
        return drift


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def iso(moment: int) -> str:
    """Return a moment (ms) as ISO 8601 in UTC: `2026-11-23T14:12:09.000Z`.

    Raises:
        ValueError, OverflowError: before the year 1 or after 9999.
    """
    seconds, ms = divmod(moment, 1000)
    return f"{_second(seconds)}.{ms:03d}Z"


def parse_iso(text: str) -> int:
    """Return the moment (ms, rounded down) that an ISO 8601 text names.

    Raises:
        ValueError: no such text, or one without `Z` or an offset.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError('must end in "Z" or an offset')
    elapsed = at - datetime.fromtimestamp(0, UTC)
    return (elapsed.days * 86_400 + elapsed.seconds) * 1000 + elapsed.microseconds // 1000
