"""Where history is kept: two rings a task, so that nothing has to be pruned.

A point goes into the slot of its minute and the slot of its half hour; the last one of a slot wins,
and a slot is written over when its turn comes round again. What is older than a ring is not shown.

A clock that may be wrong must not write over what a right one has: its points have rings of their
own, so that a day ahead for a minute costs nobody a point.
"""

from __future__ import annotations

from kaspad_taskd.core.model import Moment

MINUTE = 60_000
HALF_HOUR = 1_800_000
MINUTES = 6 * 60
"""Slots of the ring of minutes: 6 hours (contract, getHistory)."""
HALF_HOURS = 14 * 48
"""Slots of the ring of half hours: 14 days (contract, getHistory)."""


def places(at: Moment, *, doubtful: bool = False) -> tuple[tuple[int, int], tuple[int, int]]:
    """The (span in ms, slot) of a moment in each ring; a doubtful one's spans are 1 ms longer."""
    more = int(doubtful)
    return (
        (MINUTE + more, at // MINUTE % MINUTES),
        (HALF_HOUR + more, at // HALF_HOUR % HALF_HOURS),
    )


def horizons(now: Moment) -> tuple[Moment, Moment]:
    """Since when minutes, and since when half hours, are shown.

    Half hours are shown only before the first moment, so no time is shown twice.
    """
    return (
        (now // MINUTE - MINUTES + 1) * MINUTE,
        (now // HALF_HOUR - HALF_HOURS + 1) * HALF_HOUR,
    )
