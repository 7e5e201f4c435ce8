"""Keeps the records of what is kept watch on: counts what looks show, notes incidents.

Nothing of it is written by itself while there is anything else to write: what was counted rides
with the next commit after five minutes, an incident with the next one. So a kill loses five minutes
at most, which are *not known* then; an incident that it loses is found again in the task's own
state (kaspad_taskd/core/incidents.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kaspad_taskd.base.frozen import replace
from kaspad_taskd.core import incidents, seen, watch_record
from kaspad_taskd.core.ageing import SureTime
from kaspad_taskd.core.incidents import Ending, Incident
from kaspad_taskd.core.model import Moment, Task
from kaspad_taskd.core.record import Change, Loaded
from kaspad_taskd.core.seen import NOTHING, Counts, Course, Piece
from kaspad_taskd.core.watch_record import RECORDS_OF_OLD, Tally, WatchRecord

WRITTEN_EVERY_MS = 300_000
"""What was counted is written after this time; a kill loses so much."""
IDLE_EVERY_MS = 3_600_000
"""The same of a record to which nothing comes: that its time goes on, unknown."""
PENDING_MINUTES = 1_440
"""Minutes of a task that wait for a store which cannot write; older ones are not known then."""


UNSEEN = Course()


class Due(NamedTuple):
    """What a change takes along: fields of `Change`."""

    tallies: tuple[Tally, ...] = ()
    records: tuple[WatchRecord, ...] = ()
    incidents: tuple[Incident, ...] = ()


NONE_DUE = Due()


@dataclass(slots=True)
class _Kept:
    """What is known of one record, beside what is on record: not durable yet."""

    record: WatchRecord
    course: Course = UNSEEN
    minutes: dict[int, Counts] = field(default_factory=dict)
    lasting: Incident | None = None


class Records:
    """All records: those of tasks that are there, and of those that are gone.

    Args:
        now: this moment, ms since 1970 UTC, steady.
        newest: a task as it is on record, by its id.

    Attributes:
        durable: the records as they are on disk, by task: what was told from them is never lost.
        changes: grows whenever what a change took along is on disk, or failed: who reads from the
            store and from here tells by it whether both are of one moment.
    """

    def __init__(self, now: Callable[[], Moment], newest: Callable[[str], Task | None]) -> None:
        self._now = now
        self._newest = newest
        self._kept: dict[str, _Kept] = {}
        self._incidents: dict[int, Incident] = {}
        self._number = 0
        self._under_way: list[Due] = []
        self._written = now()
        self.durable: dict[str, WatchRecord] = {}
        self.changes = 0

    def begin(self, loaded: Loaded) -> None:
        """Take over what the store has loaded; what a kill kept from it is seen in the tasks."""
        self._number = loaded.incident
        for record in loaded.records:
            self.durable[record.task_id] = record
            self._kept[record.task_id] = _Kept(record)
        there = {task.id: task for task in loaded.tasks}
        for task in loaded.tasks:
            self._create(task)
        for incident in loaded.incidents:
            self._take_up(incident, self._now())
        for task in there.values():
            self._note(task, self._now())
        for task_id, kept in self._kept.items():
            if task_id not in there and kept.record.until is None:
                self._gone(kept, self._now())

    def _take_up(self, incident: Incident, now: Moment) -> None:
        """An incident that lasts; of two, and of a record that is lost, nobody will see the end."""
        kept = self._kept.get(incident.task_id)
        gone: Incident | None = incident
        if kept is not None:
            gone, kept.lasting = kept.lasting, incident  # the newer one
        if gone is not None:
            self._incidents[gone.id] = gone.over(now, Ending.NOT_WATCHED)

    # -- asked

    def get(self, task_id: str) -> WatchRecord | None:
        """The record of a task, or None: there is none."""
        kept = self._kept.get(task_id)
        return None if kept is None else kept.record

    def pending(self, task_id: str) -> list[Tally]:
        """What was counted and is not on record yet, up to this moment."""
        kept = self._kept.get(task_id)
        if kept is None:
            return []
        minutes = dict(kept.minutes)
        task = self._newest(task_id)
        if task is not None:
            _add(minutes, seen.counted(kept.course, task, self._now()))
        flying = [
            each for due in self._under_way for each in due.tallies if each.task_id == task_id
        ]
        return [*flying, *(Tally(task_id, minute, counts) for minute, counts in minutes.items())]

    def unwritten(self) -> list[Incident]:
        """Incidents that are not on record yet, or have changed since."""
        flying = {each.id: each for due in self._under_way for each in due.incidents}
        return list((flying | self._incidents).values())

    # -- what happens

    def swapped(self, old: Task | None, new: Task | None) -> None:
        """The table changed."""
        task = new or old
        assert task is not None
        if new is None:
            kept = self._kept.get(task.id)
            if kept is not None:
                self._count(kept, task, self._now())
                self._gone(kept, self._now())
        elif new.watched_since is not None or new.id in self._kept:
            looked = old is not None and new.live.last_checked != old.live.last_checked
            now = self._now() if not looked else new.live.last_checked or self._now()
            self._follow(old or new, new, now)

    def redefined(self, put: Sequence[Task]) -> None:
        """These tasks are about to be put on record: what is other work now was not amiss.

        Called before `take`, so that the end of an incident is of one commit with what ended it.
        """
        for task in put:
            kept = self._kept.get(task.id)
            if kept is None or kept.lasting is None:
                continue
            old = self._newest(task.id)
            if old is not None and not old.definition.same_work(task.definition):
                self._incident(kept, kept.lasting.over(self._now(), Ending.NOT_WATCHED))

    def jumped(self) -> None:
        """The clock did: what lies between the last looks and the next ones is not known."""
        for kept in self._kept.values():
            kept.course = UNSEEN

    def settle(self) -> None:
        """Count up to now, all of it to be written: perhaps nobody looks from here on."""
        self._written = self._now() - WRITTEN_EVERY_MS
        for task_id, kept in self._kept.items():
            task = self._newest(task_id)
            if task is not None:
                self._count(kept, task, self._now())
                kept.course = seen.settled(kept.course, self._now())

    def expired(self, sure: SureTime) -> list[str]:
        """The records that have outlived their tasks by so long that they go, and too many."""
        old = [each.record for each in self._kept.values() if each.record.until is not None]
        old.sort(key=lambda each: each.until or 0)
        over = [each.task_id for each in old if watch_record.is_over(each, sure)]
        most = old[: max(0, len(old) - RECORDS_OF_OLD)]
        return list(dict.fromkeys((*over, *(each.task_id for each in most))))

    def _follow(self, old: Task, new: Task, now: Moment) -> None:
        kept = self._note(new, now)
        if kept is None:
            return
        amiss = kept.lasting is not None
        kept.course, piece = seen.follow(kept.course, new, now, before=old, amiss=amiss)
        _add(kept.minutes, piece)

    def _note(self, task: Task, now: Moment) -> _Kept | None:
        """Note that the task is there, and how it is."""
        kept = self._create(task)
        if kept is None:
            return None
        known = task.definition
        record = kept.record
        if (record.service, record.type, record.until) != (known.service, known.type, None):
            kept.record = replace(record, service=known.service, type=known.type, until=None)
        self._incident(kept, incidents.follow(kept.lasting, task, self._number + 1, now))
        return kept

    def _create(self, task: Task) -> _Kept | None:
        """The record of a task, begun where there is none and it is complete and well."""
        kept = self._kept.get(task.id)
        record = watch_record.begun(task) if kept is None else None
        if record is not None:
            kept = self._kept[task.id] = _Kept(record)
        return kept

    def _incident(self, kept: _Kept, found: Incident | None) -> None:
        if found is None or found is kept.lasting:
            return
        self._number = max(self._number, found.id)
        self._incidents[found.id] = found
        kept.lasting = found if found.lasts else None

    def _gone(self, kept: _Kept, now: Moment) -> None:
        """Its task is: the record says so, and stays."""
        until = max(now, kept.record.at)  # a clock that is wrong just now makes it no older
        kept.course, kept.record = UNSEEN, replace(kept.record, until=until)
        if kept.lasting is not None:
            self._incident(kept, kept.lasting.over(now, Ending.NOT_WATCHED))
        self._written = min(self._written, now - WRITTEN_EVERY_MS)

    def _count(self, kept: _Kept, task: Task, now: Moment) -> None:
        _add(kept.minutes, seen.counted(kept.course, task, now))

    # -- to the disk and back

    def due(self) -> bool:
        """Whether something was counted that is unwritten for long."""
        return self._is_time() and any(
            kept.minutes or kept.record != self.durable.get(kept.record.task_id)
            for kept in self._kept.values()
        )

    def _is_time(self) -> bool:
        return bool(self._kept) and not 0 <= self._now() - self._written < WRITTEN_EVERY_MS

    def take(self, told_of: Collection[str] = ()) -> Due:
        """What the change that is made now is to take along; `told_of`: tasks with an event in it.

        Of these all that was counted goes, too: what led to a change of health is not lost with it.
        """
        timely = self._is_time()
        if not timely and not self._incidents and self._kept.keys().isdisjoint(told_of):
            return NONE_DUE
        told, self._incidents = tuple(self._incidents.values()), {}
        whose = {*told_of, *(each.task_id for each in told)}
        now = self._now()
        tallies: list[Tally] = []
        records: list[WatchRecord] = []
        for task_id, kept in self._kept.items():
            if timely or task_id in whose:
                more, tallies[len(tallies) :] = self._take(kept)
                if self._has_news(kept, more, now):
                    kept.record = watch_record.advanced(kept.record, more, _end(kept, now))
                    records.append(kept.record)
        if timely:
            self._written = now
        due = Due(tuple(tallies), tuple(records), told)
        if due != NONE_DUE:
            self._under_way.append(due)
        return due

    def _take(self, kept: _Kept) -> tuple[Counts, list[Tally]]:
        minutes, kept.minutes = kept.minutes, {}
        more = NOTHING
        for counts in minutes.values():
            more = more.plus(counts)
        task_id = kept.record.task_id
        return more, [Tally(task_id, minute, counts) for minute, counts in minutes.items()]

    def _has_news(self, kept: _Kept, more: Counts, now: Moment) -> bool:
        if more.known or kept.record != self.durable.get(kept.record.task_id):
            return True
        return kept.record.until is None and not 0 <= now - kept.record.at < IDLE_EVERY_MS

    def landed(self, change: Change) -> None:
        """What a change took along is on disk."""
        self._settled(change)
        for record in change.records:
            self.durable[record.task_id] = record
        for task_id in change.forget:
            self.durable.pop(task_id, None)
            kept = self._kept.get(task_id)
            if kept is not None and kept.record.until is not None:  # it did not come back meanwhile
                del self._kept[task_id]

    def failed(self, change: Change) -> None:
        """What a change took along is not on disk: the next one takes it."""
        self._settled(change)
        for tally in change.tallies:
            kept = self._kept.get(tally.task_id)
            if kept is not None:
                before = kept.minutes.get(tally.minute, NOTHING)
                kept.minutes[tally.minute] = before.plus(tally.counts)
                while len(kept.minutes) > PENDING_MINUTES:
                    del kept.minutes[min(kept.minutes)]
        for record in change.records:
            self._undo(record.task_id)
        self._incidents = {each.id: each for each in change.incidents} | self._incidents

    def _settled(self, change: Change) -> None:
        if change.tallies or change.records or change.incidents:
            self._under_way.remove(Due(change.tallies, change.records, change.incidents))
            self.changes += 1

    def _undo(self, task_id: str) -> None:
        """The totals are again those on disk, since when all is to be counted once more."""
        kept, durable = self._kept.get(task_id), self.durable.get(task_id)
        if kept is None:
            return
        if durable is None:
            kept.record = replace(kept.record, at=kept.record.since, total=NOTHING, unknown=0)
        else:
            kept.record = replace(
                kept.record, at=durable.at, total=durable.total, unknown=durable.unknown
            )


def _end(kept: _Kept, now: Moment) -> Moment:
    """Up to when all is told: what came after the last look is counted with the next one."""
    until, at = kept.record.until, kept.course.at
    return until if until is not None else now if at is None else at


def _add(minutes: dict[int, Counts], piece: Piece | None) -> None:
    for minute, counts in piece.minutes() if piece is not None else ():
        minutes[minute] = minutes.get(minute, NOTHING).plus(counts)
