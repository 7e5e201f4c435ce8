"""Which events of a stream are too old: by the newest of them, and a few at a time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kaspad_taskd.fleet.relay.past import moment
from kaspad_taskd.fleet.relay.plan import Entry, told_of

EVERY_S: Final = 3600.0
"""Seconds between two looks, of this process: the clock of a host may be anything."""
SHARE: Final = 10
"""One in so many goes at a look, at most."""
DAY_MS: Final = 86_400_000


def portion(length: int) -> int:
    """Return how many of a stream's entries may go at once."""
    return max(1, length // SHARE)


def is_old(entry: Entry, newest: Entry, days: int) -> bool:
    """Whether an event is from more than so many days before the newest one."""
    try:
        at, last = (moment(told_of(each).timestamp) for each in (entry, newest))
    except ValueError:  # whoever wrote it: it goes by count
        return False
    return at < last - days * DAY_MS


def first_kept(oldest: Sequence[Entry], newest: Entry, length: int, days: int) -> int | None:
    """Return the number of the first event that stays, None: all do.

    Args:
        oldest: entries of the stream, the oldest first.
        newest: its last one.
        length: how many it has.
        days: before the newest in which one is kept.
    """
    first = None
    for gone, entry in enumerate(oldest[: portion(length) + 1]):
        if not is_old(entry, newest, days) or gone == portion(length):
            return told_of(entry).number if gone else None
        first = told_of(entry).number + 1
    return first
