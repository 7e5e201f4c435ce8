"""What is old enough to go: by time that has surely passed, not by what the clock says just now.

A clock that is wrong for a while must not destroy anything. So the daemon keeps an account of its
own, `SureTime`, in the state: a moment that has surely come. It grows with process time, and takes
over what the wall clock is ahead of it only where the clock was that far ahead, at the least,
through a whole hour of process time; by more than a day only where it was so for 24 h. Process time
is added up over restarts, and does not pass while the host sleeps.

Two promises follow. A clock that is wrong for less than an hour has been right within that hour,
and the least is what counts: nothing goes by age that is not as old as that. And what does go by
age goes slowly: see `share`.
"""

from __future__ import annotations

from collections.abc import Iterable

from kaspad_taskd.base.frozen import frozen, replace
from kaspad_taskd.core.model import Moment

HOUR = 3_600_000
DAY = 24 * HOUR
CALM = HOUR
"""Process time, in ms, after a jump of the clock in which nothing goes by age."""
LEEWAY = 5_000
"""Ms by which the clock may be behind the sure moment: it is set a little now and then."""
DOUBT = 5 * 60_000
"""Ms between a stamp and the sure moment as it was last put on record that mean nothing."""
NEWEST = 1_000
"""Events that no age removes: the newest."""
PARTS = 240
"""An hour takes one part of so many: a tenth a day."""


@frozen
class SureTime:
    """What is known of time beyond doubt.

    Attributes:
        at: a moment that has come, ms since 1970 UTC.
        ran: process time of all runs, ms.
        calm: process time since the clock jumped last, ms, over restarts.
        hour: process time of the hour under way, ms.
        least: how far the clock was ahead of `at` in that hour, at the least, ms.
        most: the same, at the most.
        far: hours in a row in which it was more than a day ahead, all the time.
        beyond: how far it was ahead in these, at the least, ms.
        gap: how far it is ahead now, ms; negative: behind.
        tasks: `ran` when tasks went by age the last time.
    """

    at: Moment
    ran: int = 0
    calm: int = 0
    hour: int = 0
    least: int = 0
    most: int = 0
    far: int = 0
    beyond: int = 0
    gap: int = 0
    tasks: int = -DAY


def first(newest: Moment, wall: Moment) -> SureTime:
    """Begin an account: the newest event on record has surely happened (0: there is none)."""
    gap = wall - newest
    return SureTime(newest, least=gap, most=gap, gap=gap)


def resume(sure: SureTime, wall: Moment) -> SureTime:
    """Take up the account at a start: how long nobody looked is not known, so it is not passed.

    A clock that has gone back meanwhile has jumped.
    """
    gap = wall - sure.at
    jumped = gap < sure.gap - LEEWAY
    return _look(replace(sure, calm=0 if jumped else sure.calm), gap)


def elapse(sure: SureTime, wall: Moment, span: int, *, jumped: bool) -> SureTime:
    """Let process time pass.

    Args:
        sure: as it was.
        wall: the wall clock now, ms since 1970 UTC.
        span: process time (monotonic) since the last call, ms.
        jumped: whether wall clock and process time came apart in it.
    """
    passed = replace(
        sure,
        at=sure.at + span,
        ran=sure.ran + span,
        calm=0 if jumped else sure.calm + span,
        hour=sure.hour + span,
    )
    seen = _look(passed, wall - passed.at)
    return seen if seen.hour < HOUR else _settle(seen)


def _look(sure: SureTime, gap: int) -> SureTime:
    return replace(sure, gap=gap, least=min(sure.least, gap), most=max(sure.most, gap))


def _settle(sure: SureTime) -> SureTime:
    """End an hour: the clock was ahead, or behind, all through it, or it was neither."""
    if sure.most < 0:  # what was sure was wrong; to go back destroys nothing
        return _moved(sure, sure.most)
    if 0 < sure.least <= DAY:
        return _moved(sure, sure.least)
    if sure.least <= 0:
        return _moved(sure, 0)
    far = sure.far + 1
    beyond = min(sure.beyond, sure.least) if sure.far else sure.least
    if far < DAY // HOUR:
        return replace(sure, hour=0, least=sure.gap, most=sure.gap, far=far, beyond=beyond)
    return _moved(sure, beyond)


def _moved(sure: SureTime, by: int) -> SureTime:
    gap = sure.gap - by
    return replace(sure, at=sure.at + by, hour=0, gap=gap, least=gap, most=gap, far=0, beyond=0)


def old_before(sure: SureTime, age: int) -> Moment | None:
    """The moment before which things are older than `age` ms; None: nothing may go by age now."""
    if sure.calm < CALM or sure.gap < -LEEWAY:
        return None
    return sure.at - age


def is_over(sure: SureTime, end: Moment) -> bool:
    """Whether the moment `end` has surely passed: for what lasts until then, and then goes."""
    before = old_before(sure, 0)
    return before is not None and end < before


def is_doubtful(sure: SureTime, moment: Moment) -> bool:
    """Whether a clock that says `moment` may be wrong: what it stamps must replace nothing."""
    return abs(moment - sure.at) > DOUBT


def share(rows: int) -> int:
    """How many of so many events may go by age in one hour of process time.

    Never more than a tenth a day: 24 such shares. Never one of the NEWEST.
    """
    return max(0, min(rows // PARTS, rows - NEWEST))


def tasks_due(sure: SureTime, ended: int) -> int:
    """How many of so many ended tasks may go by age now: a tenth a day, one at the least."""
    return 0 if sure.ran - sure.tasks < DAY or not ended else max(1, ended // 10)


def expired(
    stamps: Iterable[Moment], known: Moment, before: Moment, now: Moment
) -> tuple[int, Moment]:
    """How many events at the head of a journal are older than `before`.

    An event is no older than those before it, whatever its stamp says: a clock that began at 1970
    makes nothing old. A stamp of the future says nothing.

    Args:
        stamps: of the events, in their order.
        known: the newest sound stamp of those that went before.
        before: what is older may go.
        now: the sure moment.

    Returns:
        How many, and the newest sound stamp of these and of those that went before.
    """
    count = 0
    for stamp in stamps:
        reached = max(known, stamp) if stamp <= now else known
        if reached >= before:
            break
        count, known = count + 1, reached
    return count, known
