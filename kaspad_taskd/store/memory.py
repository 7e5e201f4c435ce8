"""The store's twin without a disk and without threads, for virtual time.

It keeps the promises of `SqliteStore`: groups, order, rings of history, numbers. What is submitted
in one turn of the loop is one group, settled in the next.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from kaspad_taskd.core import seen
from kaspad_taskd.core.ageing import HOUR, SureTime
from kaspad_taskd.core.fact import Event, Fact
from kaspad_taskd.core.incidents import Incident
from kaspad_taskd.core.model import Moment, Task
from kaspad_taskd.core.record import (
    SWITCHES_KEPT,
    Change,
    Decision,
    HistoryPoint,
    Loaded,
    Outcome,
)
from kaspad_taskd.core.seen import Counts
from kaspad_taskd.core.switch import Switch
from kaspad_taskd.core.warning import WARNINGS_KEPT, StandingWarning
from kaspad_taskd.core.watch_record import WatchRecord, added, horizon
from kaspad_taskd.store import ring
from kaspad_taskd.store.fault import StoreError
from kaspad_taskd.store.group import Settled


class MemoryStore:
    """What survives a close, as long as this object does: open it again to play a restart.

    Args:
        now: ms since 1970 UTC.
    """

    def __init__(self, now: Callable[[], Moment]) -> None:
        self._now = now
        self._tasks: dict[str, Task] = {}
        self._journal: list[Event] = []  # number n stands at n - 1
        self._history: dict[str, dict[tuple[int, int], HistoryPoint]] = {}
        self._decisions: list[Decision] = []
        self._cursors: dict[str, int] = {}
        self._switches: dict[int, Switch] = {}
        self._warnings: dict[int, StandingWarning] = {}
        self._sure: SureTime | None = None
        self._backup: Moment | None = None
        self._marks: dict[str, Moment] = {}
        self._seen: dict[str, dict[tuple[int, int], Counts]] = {}
        self._records: dict[str, WatchRecord] = {}
        self._incidents: dict[int, Incident] = {}
        self._incident = 0
        self._journal_name = secrets.token_hex(8)
        self._queue: list[Change] = []
        self._settled: Settled | None = None
        self._fault: str | None = None

    def open(self) -> Loaded:
        """What was put in so far."""
        tasks = sorted(self._tasks.values(), key=lambda task: (task.number, task.id))
        switches = tuple(self._switches[number] for number in sorted(self._switches))
        warnings = tuple(self._warnings[number] for number in sorted(self._warnings))
        return Loaded(
            tuple(tasks), len(self._journal), self.oldest, dict(self._cursors),
            switches=switches, warnings=warnings, journal=self._journal_name,
            sure=self._sure, newest=self._journal[-1].fact.at if self._journal else 0,
            backup=self._backup, marks=dict(self._marks),
            records=tuple(self._records.values()), incident=self._incident,
            incidents=tuple(each for each in self._incidents.values() if each.lasts),
        )  # fmt: skip

    @property
    def oldest(self) -> int:
        """`seq` of the oldest event kept, or of the next one: nothing is pruned."""
        return 1

    def start(self, settled: Settled) -> None:
        """Begin to commit."""
        self._settled = settled

    def submit(self, change: Change) -> None:
        """Queue a change: all of it or nothing, in the order of the calls.

        Raises:
            StoreError: the store is not open.
        """
        if self._settled is None:
            raise StoreError("the store is not open")
        if not self._queue:
            asyncio.get_running_loop().call_soon(self._settle)
        self._queue.append(change)

    def fail_next(self, sentence: str) -> None:
        """Let the next group fail, as a full disk would."""
        self._fault = sentence

    def _settle(self) -> None:
        group, self._queue = self._queue, []
        fault, self._fault = self._fault, None
        if group and self._settled is not None:
            self._settled([self._outcome(change, fault) for change in group])

    def _outcome(self, change: Change, fault: str | None) -> Outcome:
        return self._apply(change) if fault is None else Outcome(change, fault=fault)

    def _apply(self, change: Change) -> Outcome:
        for task_id in change.remove:
            self._tasks.pop(task_id, None)
            self._history.pop(task_id, None)
        for task in change.put:
            self._tasks[task.id] = task
        for point in change.points:
            kept = self._history.setdefault(point.task_id, {})
            kept.update((place, point) for place in ring.places(point.at))
        self._cursors.update(change.cursors)
        for switch in change.switches:
            self._switches[switch.id] = switch
            self._switches.pop(switch.id - SWITCHES_KEPT, None)
        for warning in change.warnings:
            self._warnings[warning.id] = warning
            self._warnings.pop(warning.id - WARNINGS_KEPT, None)
        self._sure = change.sure or self._sure
        self._backup = change.backup or self._backup
        for name, since in change.marks.items():
            self._marks.pop(name, None)
            if since is not None:
                self._marks[name] = since
        self._put_records(change)
        return Outcome(
            change,
            tuple(self._put_fact(fact) for fact in change.facts),
            tuple(self._put_decision(decision) for decision in change.decisions),
        )

    def _put_records(self, change: Change) -> None:
        for task_id in change.forget:
            self._seen.pop(task_id, None)
            self._records.pop(task_id, None)
            for number in [n for n, each in self._incidents.items() if each.task_id == task_id]:
                del self._incidents[number]
        for tally in change.tallies:
            kept = self._seen.setdefault(tally.task_id, {})
            more = tally.counts
            for span in (seen.MINUTE, HOUR):
                place = span, tally.minute * seen.MINUTE // span
                before = kept.get(place, seen.NOTHING)
                kept[place] = added(before, more, span)
                more = kept[place].minus(before)
        for record in change.records:
            self._records[record.task_id] = record
        for incident in change.incidents:
            self._incidents[incident.id] = incident
            self._incident = max(self._incident, incident.id)

    def _put_fact(self, fact: Fact) -> Event:
        self._journal.append(Event(len(self._journal) + 1, fact))
        return self._journal[-1]

    def _put_decision(self, given: Decision) -> Decision:
        number = len(self._decisions) + 1
        self._decisions.append(Decision(number, given.at, given.decision, given.context))
        return self._decisions[-1]

    async def events(
        self, after: int, limit: int, before: int | None = None, task_id: str | None = None
    ) -> list[Event]:
        """Events with after < seq < before, ascending.

        Without `before` the first `limit` of them, with it the last `limit`.
        """
        found = [
            event
            for event in self._journal[max(after, 0) :]
            if (before is None or event.seq < before)
            and (task_id is None or event.fact.task_id == task_id)
        ]
        return found[:limit] if before is None else found[max(len(found) - limit, 0) :]

    async def history(self, task_id: str, start: Moment, end: Moment) -> list[HistoryPoint]:
        """Points with start <= at < end, ascending; minutes where kept, else half hours."""
        minutes_from, half_hours_from = ring.horizons(self._now())
        shown = [
            point
            for (span, _), point in self._history.get(task_id, {}).items()
            if start <= point.at < end
            and (
                point.at >= minutes_from
                if span == ring.MINUTE
                else half_hours_from <= point.at < minutes_from
            )
        ]
        return sorted(shown, key=lambda point: point.at)

    async def last_heard(self, task_id: str, now: Moment) -> Moment:
        """When the last event of a task was at the earliest; stamps after `now` say nothing."""
        seqs = [event.seq for event in self._journal if event.fact.task_id == task_id]
        told = self._journal[: seqs[-1] if seqs else 0]
        return max((event.fact.at for event in told if event.fact.at <= now), default=0)

    async def seen(self, task_id: str, start: Moment, end: Moment) -> list[seen.Slot]:
        """What was counted of a task, in slots that reach into start <= at < end, ascending."""
        since = horizon(self._now())
        found = [
            seen.Slot(slot * span, span, counts)
            for (span, slot), counts in self._seen.get(task_id, {}).items()
            if start < (slot + 1) * span
            and slot * span < end
            and (slot * span >= since) == (span == seen.MINUTE)
        ]
        return sorted(found, key=lambda slot: slot.at)

    async def incidents(
        self, task_id: str | None, start: Moment, end: Moment, limit: int
    ) -> list[Incident]:
        """Incidents that reach into start <= at < end, the newest `limit`, newest first."""
        found = [
            each
            for number, each in sorted(self._incidents.items(), reverse=True)
            if (task_id is None or each.task_id == task_id)
            and each.began < end
            and (each.ended is None or each.ended >= start)
        ]
        return found[:limit]

    async def decisions(self) -> list[Decision]:
        """All decisions, oldest first."""
        return list(self._decisions)

    async def backup(self, path: str) -> None:
        """Refuse: there is no file.

        Raises:
            StoreError: always.
        """
        raise StoreError(f"a store in memory cannot be copied to {path}")

    def answered(self) -> float:
        """Now, by the loop's clock: there is no disk that could hang."""
        return asyncio.get_running_loop().time()

    async def close(self) -> None:
        """Commit what is queued, let everything go. A second time does nothing."""
        self._settle()
        self._settled = None
