"""The record of a task that is, or was, kept watch on: from when it is, and all that was counted.

It begins with the first time that the task was complete and seen to be well, and outlives the task
by 90 days.
"""

from __future__ import annotations

from kaspad_taskd.base.frozen import frozen, replace
from kaspad_taskd.core.ageing import DAY, HOUR, SureTime, old_before
from kaspad_taskd.core.model import Moment, Task
from kaspad_taskd.core.seen import MINUTE, NOTHING, Counts, Slot

KEPT_MS = 90 * DAY
"""For so long a record tells, and so long it outlives its task."""
RECORDS_OF_OLD = 256
"""Records of tasks that are gone, at most; the oldest go first."""
MINUTES_KEPT = 25 * 60
"""Minutes kept of each task: the newest. A day, and the hour that its first minute is in."""
HOURS_KEPT = 90 * 24 + 1
"""Hours kept of each task: the newest. A clock that was wrong for a while takes no more places than
it counted hours."""


@frozen
class WatchRecord:
    """The record of one task, but for its minutes and hours.

    Attributes:
        task_id: whose.
        service: what is watched.
        type: of the task.
        since: when it was first complete and well, ms since 1970 UTC.
        until: when the task went, None: it is there.
        at: up to when `total` and `unknown` tell.
        total: all that was ever counted.
        unknown: ms of which nothing is known, all in all.
    """

    task_id: str
    service: str
    type: str
    since: Moment
    at: Moment
    until: Moment | None = None
    total: Counts = NOTHING
    unknown: int = 0


@frozen
class Tally:
    """What was counted of a task in one minute, to be added to what is on record of it.

    Attributes:
        task_id: whose.
        minute: its number since 1970.
        counts: to add.
    """

    task_id: str
    minute: int
    counts: Counts


def begun(task: Task) -> WatchRecord | None:
    """The record of a task at its begin, or None: it was never complete and well."""
    since = task.watched_since
    if since is None:
        return None
    known = task.definition
    return WatchRecord(task.id, known.service, known.type, since, since)


def advanced(record: WatchRecord, more: Counts, now: Moment) -> WatchRecord:
    """The record with what was counted since: what of the time was not, is not known.

    A clock that went back takes nothing from what was told.
    """
    rest = max(0, now - record.at - more.known)
    return replace(
        record, at=now, total=record.total.plus(more), unknown=record.unknown + rest,
        since=min(record.since, now),
    )  # fmt: skip


def is_over(record: WatchRecord, sure: SureTime) -> bool:
    """Whether it has outlived its task by so long that it goes."""
    before = old_before(sure, KEPT_MS)
    return record.until is not None and before is not None and record.until < before


def horizon(now: Moment) -> Moment:
    """Since when minutes are told; before it, hours."""
    return (now - DAY) // HOUR * HOUR


def joined(slots: list[Slot], pending: list[Tally], now: Moment) -> list[Slot]:
    """What is on record, and what is not yet, in slots of which no two are of the same time."""
    found = {(slot.span, slot.at): slot.counts for slot in slots}
    for tally in pending:
        at = tally.minute * MINUTE
        span = MINUTE if at >= horizon(now) else HOUR
        place = span, at // span * span
        found[place] = added(found.get(place, NOTHING), tally.counts, span)
    return [Slot(at, span, counts) for (span, at), counts in sorted(found.items())]


def added(before: Counts, more: Counts, span: int) -> Counts:
    """Both together, as far as there is room in a slot: what came first stays."""
    return before.plus(more.within(span - before.known))
