"""How long a task was in which state, as far as somebody looked: looks become milliseconds.

What lies between two looks is known, if they are not further apart than `reach`: it was what was
shown meanwhile. All else is *not known*: the daemon was stopped, the watch paused, the host asleep,
the clock jumped, or the clock was wrong. That is never counted; it is what is left of the time.
"""

from __future__ import annotations

from collections.abc import Iterator

from kaspad_taskd.base.frozen import frozen, replace
from kaspad_taskd.core.model import TROUBLE, Health, Moment, Status, Task, Watch
from kaspad_taskd.core.schedule import LONGEST_BACKOFF, look_every

MINUTE = 60_000
COUNTED = (Health.OK, *TROUBLE)
"""The states that are counted; of all else of the time nothing is known."""


@frozen
class Counts:
    """Milliseconds by state."""

    ok: int = 0
    behind: int = 0
    stalled: int = 0
    unreachable: int = 0

    @classmethod
    def of(cls, state: Health, ms: int) -> Counts:
        """So much of one state."""
        return cls(**{state.value: ms})

    @property
    def known(self) -> int:
        """All that is counted."""
        return self.ok + self.behind + self.stalled + self.unreachable

    def numbers(self) -> tuple[int, int, int, int]:
        """Of each state, in the order of COUNTED; `astuple` would look for fields and copy them."""
        return self.ok, self.behind, self.stalled, self.unreachable

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(*(a + b for a, b in zip(self.numbers(), other.numbers(), strict=True)))

    def minus(self, other: Counts) -> Counts:
        """What of this came to the other."""
        return Counts(*(a - b for a, b in zip(self.numbers(), other.numbers(), strict=True)))

    def within(self, room: int) -> Counts:
        """The same shares of no more time than there is: a clock that went back counts twice."""
        known = self.known
        if known <= room:
            return self
        return Counts(*(each * max(0, room) // known for each in self.numbers()))

    def share(self, part: int, whole: int) -> Counts:
        """What of it falls into a part of the time that it is of."""
        return self if part >= whole else Counts(*(each * part // whole for each in self.numbers()))


NOTHING = Counts()


@frozen
class Slot:
    """What was counted in one minute or one hour.

    Attributes:
        at: when it began, ms since 1970 UTC.
        span: its length, MINUTE or HOUR.
        counts: of it.
    """

    at: Moment
    span: int
    counts: Counts


@frozen
class Piece:
    """A stretch of time in one state, from `start` to `end` (not included)."""

    start: Moment
    end: Moment
    state: Health

    def minutes(self) -> Iterator[tuple[int, Counts]]:
        """Its parts, by the number of their minute since 1970."""
        at = self.start
        while at < self.end:
            end = min(self.end, (at // MINUTE + 1) * MINUTE)
            yield at // MINUTE, Counts.of(self.state, end - at)
            at = end


@frozen
class Course:
    """How far a task's time is counted.

    Attributes:
        state: what is shown since `at`.
        at: up to here it is counted, or known that it cannot be; None: nobody looks.
        looked: the last look.
    """

    state: Health = Health.UNKNOWN
    at: Moment | None = None
    looked: Moment = 0


def state_of(task: Task, *, amiss: bool) -> Health:
    """What a task counts as while it is looked at.

    In sync is what is complete and well, nothing else. An attempt that began by itself, or while
    something was amiss (`amiss`: an incident lasts), is behind, however it goes. One that somebody
    began over what was well tells nothing until it is complete.
    """
    if task.status is Status.COMPLETE and task.watch is Watch.ON and task.watched_since is not None:
        return task.health
    if task.status is Status.IN_PROGRESS and (amiss or task.because is not None):
        return Health.BEHIND
    return Health.UNKNOWN


def reach(task: Task) -> int:
    """How far apart two looks may be, in ms, so that what lies between them is known.

    Three times the pace of watching; a look that takes its time, and the rarer looks at who does
    not answer, are no gap.
    """
    known = task.definition
    pace = look_every(known)
    if task.live.misses > 1:
        pace = max(pace, LONGEST_BACKOFF / 2)
    return round(1000 * max(3 * pace, pace + 2 * known.timeout))


def follow(
    course: Course, task: Task, now: Moment, *, before: Task, amiss: bool
) -> tuple[Course, Piece | None]:
    """Return the course after a task has changed, and what can be counted.

    Args:
        course: until now.
        task: as it is now.
        now: when that became so.
        before: as it was.
        amiss: see `state_of`.
    """
    piece = counted(course, before, now)
    if not task.watched:
        return Course(), piece
    state = state_of(task, amiss=amiss)
    looked = task.live.last_checked
    if looked is not None and looked != before.live.last_checked:
        return Course(state, now, now), piece
    if course.at is None:
        return Course(), None
    return replace(course, state=state, at=max(course.at, now)), piece


def counted(course: Course, task: Task, now: Moment) -> Piece | None:
    """What can be counted up to now, the last look being no further away than that."""
    if course.at is None or course.state not in COUNTED:
        return None
    if now <= course.at or now - course.looked > reach(task):
        return None
    return Piece(course.at, now, course.state)


def settled(course: Course, now: Moment) -> Course:
    """The course with all counted up to now."""
    return course if course.at is None else replace(course, at=max(course.at, now))


def window(slots: list[Slot], start: Moment, end: Moment, kept: tuple[Moment, Moment]) -> Counts:
    """What was counted from `start` to `end`.

    Args:
        slots: no two of them of the same time.
        start: of the window.
        end: of it, not included.
        kept: from when to when there is a record at all: all that a slot counted lies in there.
    """
    found = NOTHING
    for slot in slots:
        begin, over = max(slot.at, kept[0]), min(slot.at + slot.span, kept[1])
        part = min(over, end) - max(begin, start)
        if part > 0:
            found = found.plus(slot.counts.within(over - begin).share(part, over - begin))
    return found.within(end - start)
