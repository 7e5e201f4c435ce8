"""Which tasks there are: registered over an API, defined by files, removed, cleaned away.

Each of these is a series of inputs to the engine; nothing here writes by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from kaspad_taskd.base.frozen import replace
from kaspad_taskd.core.ageing import SureTime, old_before, tasks_due
from kaspad_taskd.core.change import fact
from kaspad_taskd.core.fact import EventName, Fact
from kaspad_taskd.core.inputs import Await, Cancel, Redefine, Retry, Start
from kaspad_taskd.core.model import Definition, Origin, Status, Task
from kaspad_taskd.core.record import Outcome
from kaspad_taskd.core.transition import step
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.engine.errors import Conflict, Full, NotFound

TASKS = 10_000
"""Tasks at most (contract section 3)."""
KEPT_MS = 30 * 86_400_000
"""How long ended API tasks stay by themselves."""


class Mirror(Protocol):
    """Keeps a readable copy of what was registered."""

    def put(self, definition: Definition) -> None:
        """Write it, soon."""

    def drop(self, task_id: str) -> None:
        """Remove it, soon."""


class Roster:
    """Registers and removes tasks."""

    def __init__(
        self, engine: Engine, mirror: Mirror, directories: Mapping[Origin, str] | None = None
    ) -> None:
        """`directories`: where the files of definitions are; an event of theirs names it."""
        self._engine = engine
        self._mirror = mirror
        self._directories = directories or {}
        self._pending: dict[str, None] = {}
        self._adding: set[str] = set()
        engine.on_swap.append(self._swapped)

    def begin(self) -> None:
        """Take up those that waited when the store was loaded."""
        waiting = (task for task in self._engine.tasks() if task.status is Status.PENDING)
        self._pending = {task.id: None for task in waiting}

    async def register(self, definition: Definition) -> tuple[Task, bool]:
        """Return the task of a definition, and whether it was made now.

        Raises:
            Conflict: the id is taken by another definition.
            Full: there are 10,000 tasks.
            NotDurable: the store cannot write.
        """
        known = self._engine.newest(definition.id)
        if known is None:
            return await self._register_new(definition), True
        await self._engine.settled(definition.id)
        task = self._engine.get(definition.id)
        if task is None:  # what was under way failed, or it was removed
            return await self.register(definition)
        if task.definition.same_work(definition):
            return task, False
        raise Conflict(definition.id)

    async def _register_new(self, definition: Definition) -> Task:
        coming = sum(self._engine.get(each) is None for each in self._adding)
        if len(self._engine.tasks()) + coming >= TASKS:
            raise Full(TASKS)
        self._adding.add(definition.id)
        try:
            outcome = await self._engine.durable(self._add(definition))
        finally:
            self._adding.discard(definition.id)
        self._mirror.put(definition)
        return outcome.change.put[0]

    async def again(self, definition: Definition) -> tuple[Task, bool]:
        """Register without a given id: where that task has ended and is no file's, begin anew.

        Raises:
            Conflict, Full, NotDurable: as `register`.
        """
        known = self._engine.newest(definition.id)
        if known is None or known.status.live or known.definition.origin is not Origin.API:
            return await self.register(definition)
        now = self._engine.now()
        new, facts = step(known, known.definition, Redefine(definition), now)
        new, more = step(new, definition, Retry(), now)
        new = replace(new, revision=known.revision + 1)  # one change, though two steps
        outcome = await self._engine.durable(self._engine.commit([new], [*facts, *more]))
        self._mirror.put(definition)
        return outcome.change.put[0], True

    async def update(
        self, task_id: str, change: Callable[[Definition], Definition], *, watch: bool = False
    ) -> Task:
        """Give a registered task another pace or patience; returns it as it is then.

        Args:
            task_id: of one that no file defines.
            change: makes the new definition of the newest one; what it raises is passed on.
            watch: somebody asks for a watch, which the definition may say already.

        Raises:
            NotFound: no task has the id.
            NotDurable: the store cannot write; nothing changed.
        """
        task = self._engine.newest(task_id)
        if task is None:
            raise NotFound(task_id)
        task = await self._engine.act(task_id, Redefine(change(task.definition), watch))
        self._mirror.put(task.definition)
        return task

    async def remove(self, task_id: str) -> Task:
        """Remove a task that came over an API; a live one is cancelled first.

        Raises:
            NotFound: no task has the id.
            NotDurable: the store cannot write.
        """
        task = self._engine.newest(task_id)
        if task is None:
            raise NotFound(task_id)
        await self._engine.durable(self._remove(task))
        self._mirror.drop(task_id)
        return task

    async def cleanup(self, max_age_ms: float, *, watched: bool = False) -> int:
        """Remove API tasks that ended longer ago, as somebody asked for; returns how many.

        `watched`: those too that are kept watch on.

        Raises:
            NotDurable: the store cannot write.
        """
        before = self._engine.now() - max_age_ms
        ended = self._ended(watched=watched)
        return await self._clear([task for task in ended if (task.ended_at or 0) < before])

    async def expire(self, sure: SureTime) -> SureTime:
        """Remove API tasks that surely ended 30 days ago, the oldest first, a tenth a day.

        A task is no older than what was on record before it ended, whatever its clock said then.

        Returns:
            The account of time, in which it stands that they went.

        Raises:
            NotDurable: the store cannot write; what was not removed stays for the next day.
        """
        before, ended = old_before(sure, KEPT_MS), self._ended()
        most = tasks_due(sure, len(ended))
        if before is None or not most:
            return sure
        ended.sort(key=lambda task: task.ended_at or 0)
        old = []
        for task in (each for each in ended if (each.ended_at or 0) < before):
            if await self._engine.store.last_heard(task.id, sure.at) < before:
                old.append(task)
            if len(old) == most:
                break
        if old:
            sure = replace(sure, tasks=sure.ran)
            await self._engine.durable(self._engine.commit(sure=sure))
            await self._clear(old)
        return sure

    def _ended(self, *, watched: bool = False) -> list[Task]:
        """API tasks that have ended; `watched`: also those over which there is a watch."""
        return [
            task
            for task in self._engine.everyone()
            if task.definition.origin is Origin.API
            and not (task.status.live if watched else task.open)
        ]

    async def _clear(self, old: Sequence[Task]) -> int:
        futures = [self._remove(task) for task in old]
        for task, future in zip(old, futures, strict=True):
            await self._engine.durable(future)
            self._mirror.drop(task.id)
        return len(old)

    async def reload(
        self,
        added: Sequence[Definition] = (),
        changed: Sequence[Definition] = (),
        removed: Sequence[str] = (),
    ) -> None:
        """Make the tasks of files what the files say now.

        Raises:
            NotDurable: the store cannot write; what was not written comes with the next reload.
        """
        futures: list[asyncio.Future[Outcome] | None] = []
        futures += [self._remove(task) for task in map(self._engine.newest, removed) if task]
        futures += [self._add(each) for each in added]
        futures += [self._engine.submit(each.id, Redefine(each)) for each in changed]
        for future in futures:
            if future is not None:
                await self._engine.durable(future)
        for each in (*added, *changed):
            if each.origin is not Origin.API:
                self._mirror.drop(each.id)

    def waits(self) -> list[asyncio.Future[Outcome]]:
        """Let pending tasks wait for what is not complete yet, and start those that need not.

        Returns what to wait for.
        """
        futures = []
        for task_id in list(self._pending):
            task = self._engine.newest(task_id)
            if task is None or task.status is not Status.PENDING or not task.definition.start:
                continue
            missing = self._missing(task.definition)
            if not missing:
                futures.append(self._engine.submit(task_id, Start()))
            elif missing != task.waiting_for:
                futures.append(self._engine.submit(task_id, Await(missing)))
        return [future for future in futures if future is not None]

    def _missing(self, definition: Definition) -> tuple[str, ...]:
        """The awaited ids that are not complete (or not there)."""
        awaited = {each: self._engine.newest(each) for each in definition.after}
        return tuple(
            each
            for each, task in awaited.items()
            if task is None or task.status is not Status.COMPLETE
        )

    def _swapped(self, old: Task | None, new: Task | None) -> None:
        if new is not None and new.status is Status.PENDING:
            self._pending[new.id] = None
        elif old is not None and old.status is Status.PENDING:
            self._pending.pop(old.id, None)

    def _add(self, definition: Definition) -> asyncio.Future[Outcome]:
        now = self._engine.now()
        task = Task(definition, now, self._engine.next_number(), health_since=now)
        whence: dict[str, str] = {"origin": definition.origin}
        if definition.origin in self._directories:
            whence["directory"] = self._directories[definition.origin]
        facts: list[Fact] = [fact(task, EventName.TASK_ADDED, now, **whence)]
        missing = self._missing(definition)
        if missing:
            task, _ = step(task, definition, Await(missing), now)
        elif definition.start:
            task, begun = step(task, definition, Start(), now)
            facts += begun
        return self._engine.commit([task], facts)

    def _remove(self, task: Task) -> asyncio.Future[Outcome]:
        now = self._engine.now()
        facts: list[Fact] = []
        if task.status.live:
            task, facts = step(task, task.definition, Cancel(), now)
        facts.append(fact(task, EventName.TASK_REMOVED, now))
        return self._engine.commit(facts=facts, remove=[task.id])
