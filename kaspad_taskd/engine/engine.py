"""The table of tasks, and the one way in which it changes: step, commit, swap.

`submit` steps from a task's tip (else the table), makes the result the tip and hands it to the
store, all in one synchronous stretch. When the store has it on disk, `_settle` puts it into the
table, and only then anybody sees it. If it fails, the tips are forgotten, and the table stands.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kaspad_taskd.base.frozen import replace
from kaspad_taskd.core.ageing import SureTime
from kaspad_taskd.core.change import NotAllowed
from kaspad_taskd.core.fact import Event, Fact
from kaspad_taskd.core.inputs import Attach, Input, Look
from kaspad_taskd.core.model import Moment, Status, Task
from kaspad_taskd.core.observation import Scalar
from kaspad_taskd.core.record import Change, Decision, Loaded, Outcome
from kaspad_taskd.core.switch import Switch
from kaspad_taskd.core.transition import step
from kaspad_taskd.core.warning import StandingWarning
from kaspad_taskd.engine.attentions import Attentions
from kaspad_taskd.engine.errors import NotDurable, NotFound
from kaspad_taskd.engine.points import Points
from kaspad_taskd.engine.ports import Store
from kaspad_taskd.engine.records import Records
from kaspad_taskd.engine.switches import Switches
from kaspad_taskd.engine.tips import Tips
from kaspad_taskd.engine.warnings import Warnings

_log = logging.getLogger(__name__)

REMEMBERED = 1024
"""Events kept in memory; older ones are read from the store."""
LIVE_EVERY_MS = 30_000
"""Live fields that changed are written after this time at the latest."""
WATCH_EVERY_MS = 300_000
"""The same of tasks that are complete and kept watch on: for ever, so the disk has its peace."""
FLUSH_CHUNK = 64


@dataclass(slots=True)
class _Waiting:
    """A change under way: who waits for it, and the look it came from, if one."""

    future: asyncio.Future[Outcome]
    look: Task | None = None


class Engine:
    """All tasks. Only here do they change.

    Args:
        store: what survives.
        now: this moment, ms since 1970 UTC, steady.

    Attributes:
        store: the same.
        now: the same.
        seq: of the last event on record.
        journal: the journal's identity: `Loaded.journal`.
        backup: when the last backup was made, ms since 1970 UTC, or None: none is known.
        sure: the account of time, which `Ageing` keeps: what expires asks it, not the clock.
        switches: on record.
        warnings: on record.
        attentions: what of services needs somebody now.
        marks: what holds of services, since when, on record: `Change.marks`.
        records: of what is, or was, kept watch on.
        problem: why the last commit failed, a sentence, or None.
        on_swap: called with the old and the new state whenever the table changes (None: no task).
        on_events: called after events were put on record.
    """

    def __init__(self, store: Store, now: Callable[[], Moment]) -> None:
        self.store = store
        self.now = now
        self.seq = 0
        self.journal = ""
        self.sure = SureTime(0)
        self.backup: Moment | None = None
        self.switches = Switches()
        self.warnings = Warnings(self.commit, now)
        self.attentions = Attentions()
        self.marks: dict[str, Moment] = {}
        self.problem: str | None = None
        self.records = Records(now, self.get)
        self.on_swap: list[Callable[[Task | None, Task | None], None]] = [self.records.swapped]
        self.on_events: list[Callable[[], None]] = []
        self._table: dict[str, Task] = {}
        self._tips = Tips()
        self._under_way: deque[_Waiting] = deque()
        self._recent: deque[Event] = deque(maxlen=REMEMBERED)
        self._written: dict[str, Moment] = {}
        self._dirty: dict[str, None] = {}
        self._points = Points()
        self._number = 0

    # -- reading

    def get(self, task_id: str) -> Task | None:
        """A task as it is on record."""
        return self._table.get(task_id)

    def tasks(self) -> list[Task]:
        """All tasks on record, in order of registration."""
        return list(self._table.values())

    def newest(self, task_id: str) -> Task | None:
        """A task as it will be when all that is under way has settled."""
        tip = self._tips.get(task_id)
        return tip.task if tip is not None else self._table.get(task_id)

    def everyone(self) -> list[Task]:
        """All tasks as they will be when all that is under way has settled."""
        ids = dict.fromkeys((*self._table, *self._tips.ids()))
        return [task for task in map(self.newest, ids) if task is not None]

    def recent(self, after: int) -> list[Event] | None:
        """The events after `after` if memory has them all, else None: ask the store."""
        first = self._recent[0].seq if self._recent else self.seq + 1
        if after < first - 1:
            return None
        skip = after - first + 1
        return [self._recent[index] for index in range(skip, len(self._recent))]

    def next_number(self) -> int:
        """The number of the next task to be registered."""
        self._number += 1
        return self._number

    # -- start and stop

    def begin(self, loaded: Loaded) -> None:
        """Take over what the store has loaded, and begin to commit."""
        self.seq = loaded.seq
        self.journal = loaded.journal
        self.backup = loaded.backup
        self.switches.put(loaded.switches)
        self.warnings.put(loaded.warnings)
        self.marks.update(loaded.marks)
        now = self.now()
        for task in loaded.tasks:
            self._table[task.id], _ = step(task, task.definition, Attach(), now)
            self._written[task.id] = now
        self._number = max((task.number for task in loaded.tasks), default=0)
        self.records.begin(loaded)
        self.store.start(self._settle)

    def attach(self, *, jumped: bool) -> None:
        """Begin patience anew for all tasks: the clock jumped."""
        self.records.jumped()
        for task in self.everyone():
            self.submit(task.id, Attach(jumped))

    def flush(self, *, all_of_it: bool = False) -> list[asyncio.Future[Outcome]]:
        """Write live fields that are unwritten for long, or all of them; returns what to wait for.

        A task with a change under way is left out: that one writes them.
        """
        now = self.now()
        ids = [
            task_id
            for task_id in self._dirty
            if task_id in self._table
            and task_id not in self._tips
            and (all_of_it or self._unwritten_for_long(self._table[task_id], now))
        ]
        chunks = [ids[start : start + FLUSH_CHUNK] for start in range(0, len(ids), FLUSH_CHUNK)]
        if all_of_it:
            self.records.settle()
        if self.records.due() and not chunks:
            chunks = [[]]
        return [self.commit([self._table[task_id] for task_id in chunk]) for chunk in chunks]

    def _unwritten_for_long(self, task: Task, now: Moment) -> bool:
        longest = LIVE_EVERY_MS if task.status.live else WATCH_EVERY_MS
        return not 0 <= now - self._written.get(task.id, 0) < longest

    # -- changing

    def submit(self, task_id: str, given: Input) -> asyncio.Future[Outcome] | None:
        """Make an input happen; returns what to wait for, or None if nothing has to be written.

        Raises:
            NotFound: no task has the id.
            NotAllowed: its newest status has no room for it.
        """
        task = self.newest(task_id)
        if task is None:
            raise NotFound(task_id)
        now = self.now()
        new, facts = step(task, task.definition, given, now)
        look = new if isinstance(given, Look) and new is not task else None
        if look is not None and task.status is Status.IN_PROGRESS:
            self._points.note(new, now)
        told = isinstance(given, Look) and given.pushed  # somebody waits until it is on disk
        if new.revision == task.revision and not facts and not (told and look):
            self._only_live(task_id, task, new)
            return None
        return self.commit([new], facts, look=None if told else look)

    async def act(self, task_id: str, given: Input) -> Task:
        """Make an input happen, wait until it is durable, return the task.

        Raises:
            NotFound, NotAllowed: as `submit`; what was computed on a tip is settled first.
            NotDurable: the store cannot write; nothing changed.
        """
        try:
            future = self.submit(task_id, given)
        except (NotFound, NotAllowed):
            if task_id not in self._tips:
                raise
            await self._tips.wait(task_id)
            future = self.submit(task_id, given)
        if future is not None:
            outcome = await self.durable(future)
            return next(task for task in outcome.change.put if task.id == task_id)
        await self._tips.wait(task_id)
        if (task := self.get(task_id)) is None:
            raise NotFound(task_id)
        return task

    async def settled(self, task_id: str) -> None:
        """Wait until no change of a task is under way."""
        await self._tips.wait(task_id)

    async def durable(self, future: asyncio.Future[Outcome]) -> Outcome:
        """Wait for a change; who is cancelled meanwhile loses the answer, not the change.

        Raises:
            NotDurable: the store cannot write; nothing changed.
        """
        outcome = await asyncio.shield(future)
        if outcome.fault is not None:
            raise NotDurable(outcome.fault)
        return outcome

    def commit(
        self,
        put: Sequence[Task] = (),
        facts: Sequence[Fact] = (),
        *,
        remove: Sequence[str] = (),
        decisions: Sequence[Decision] = (),
        cursors: Mapping[str, int] | None = None,
        switches: Sequence[Switch] = (),
        warnings: Sequence[StandingWarning] = (),
        sure: SureTime | None = None,
        backup: Moment | None = None,
        marks: Mapping[str, Moment | None] | None = None,
        forget: Sequence[str] = (),
        look: Task | None = None,
    ) -> asyncio.Future[Outcome]:
        """Submit a change: all of it or nothing."""
        self.records.redefined(put)
        change = Change(
            tuple(put), tuple(remove), tuple(facts), self._points.take(), tuple(decisions),
            cursors or {}, tuple(switches), tuple(warnings), sure, backup, marks or {},
            *self.records.take({each.task_id for each in facts}), forget=tuple(forget),
        )  # fmt: skip
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        try:
            self.store.submit(change)
        except Exception as error:
            self.problem = str(error)
            self.records.failed(change)
            future.set_result(Outcome(change, fault=str(error)))
            return future
        for task in put:
            self._tips.submitted(task.id, task)
        for task_id in remove:
            self._tips.submitted(task_id, None)
        self._under_way.append(_Waiting(future, look))
        return future

    def hear(self, trouble: str | None, *, healed: bool = False) -> None:
        """Take note of what the store says by itself, before any change fails or lands.

        Args:
            trouble: why it cannot write, a sentence, or None: as far as it knows, it can.
            healed: whether there was such a trouble since this was called last, and is over.
        """
        if trouble is not None and self.problem != trouble:
            _log.error("changes are not durable, so they are not made: %s", trouble)
            self.problem = trouble
        elif trouble is None and healed and self.problem is not None:
            _log.warning("changes are durable again")
            self.problem = None

    def warn(self, code: str, params: Mapping[str, Scalar]) -> asyncio.Future[Outcome] | None:
        """Let a warning stand until somebody acknowledges it, and put it on record.

        Nothing happens, and None is returned, while one stands that says the same.
        """
        return self.warnings.warn(code, params)

    # -- what only this room does

    def _only_live(self, task_id: str, old: Task, new: Task) -> None:
        if new is old:
            return
        self._dirty[task_id] = None
        tip = self._tips.get(task_id)
        if tip is not None:
            tip.task = new
        else:
            self._swap(task_id, new)

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        """A group is on disk, or failed: swap its tasks, tell its events, answer its callers."""
        settled = [(self._under_way.popleft(), outcome) for outcome in outcomes]
        before = self.seq
        for waiting, outcome in settled:
            if outcome.fault is None:
                self._landed(outcome)
            else:
                self._failed(waiting, outcome)
        if self.seq != before:
            self._tell()
        for waiting, outcome in settled:
            if not waiting.future.done():
                waiting.future.set_result(outcome)

    def _tell(self) -> None:
        """Who cannot be told costs nobody else the news, and nobody an answer."""
        for tell in self.on_events:
            try:
                tell()
            except Exception as error:
                said = {"message": "somebody was not told of events", "exception": error}
                asyncio.get_running_loop().call_exception_handler(said)

    def _landed(self, outcome: Outcome) -> None:
        if self.problem is not None:
            _log.warning("changes are durable again")
            self.problem = None
        now = self.now()
        for event in outcome.events:
            self._recent.append(event)
            self.seq = event.seq
        self.switches.put(outcome.change.switches)
        self.warnings.put(outcome.change.warnings)
        self.backup = outcome.change.backup or self.backup
        self._mark(outcome.change.marks)
        self.records.landed(outcome.change)
        for task in outcome.change.put:
            tip = self._tips.settle(task.id)
            newest = tip.task if tip is not None and tip.task is not None else task
            self._written[task.id] = now
            if newest is task:
                self._dirty.pop(task.id, None)
            self._swap(task.id, newest)
        for task_id in outcome.change.remove:
            self._tips.settle(task_id)
            self._swap(task_id, None)

    def _mark(self, marks: Mapping[str, Moment | None]) -> None:
        for name, since in marks.items():
            self.marks.pop(name, None)
            if since is not None:
                self.marks[name] = since

    def _failed(self, waiting: _Waiting, outcome: Outcome) -> None:
        if self.problem != outcome.fault:
            _log.error("changes are not durable, so they are not made: %s", outcome.fault)
            self.problem = outcome.fault
        self._points.failed(outcome.change.points)
        self.records.failed(outcome.change)
        for task in outcome.change.put:
            self._tips.forget(task.id)
        for task_id in outcome.change.remove:
            self._tips.forget(task_id)
        look = waiting.look
        if look is not None and look.id in self._table:
            self._keep_live(look)

    def _keep_live(self, look: Task) -> None:
        """A look that could not be written was taken all the same: when, what to ask next."""
        task = self._table[look.id]
        if task.watched and look.attempt == task.attempt:
            self._dirty[look.id] = None
            self._swap(look.id, replace(task, live=look.live))

    def _swap(self, task_id: str, new: Task | None) -> None:
        old = self._table.get(task_id)
        if new is None:
            self._table.pop(task_id, None)
            self._points.forget(task_id)
            for kept in (self._written, self._dirty):
                kept.pop(task_id, None)
        else:
            self._table[task_id] = new
        for tell in self.on_swap:
            tell(old, new)
