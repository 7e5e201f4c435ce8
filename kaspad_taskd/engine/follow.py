"""Followers: a cursor over the journal, and a set of tasks whose progress is news.

A follower reads what lies beyond its cursor, sends it, and sleeps until it is woken. Replay and
live are one loop, so there is no hand-over between them and no inbox; who is slow reads later, or
gets a gap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeAlias
from weakref import ref

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.fact import TERMINAL_EVENTS, Event
from kaspad_taskd.core.model import Moment, Status, Task
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.engine.errors import Gap

BATCH = 256
"""Events sent at once."""
SHOW_EVERY_MS = 1_000
SHOW_AT_LEAST_MS = 30_000


@frozen
class Progress:
    """A task's state is news: the task, and the `seq` up to which all was told before it.

    It may be newer than that. Who goes on after `seq` misses no event.
    """

    task: Task
    seq: int


News: TypeAlias = Event | Progress
Send: TypeAlias = Callable[[Sequence[News]], Awaitable[None]]


class Follower:
    """One reader of the journal. `run` sends what it is told until it is cancelled."""

    def __init__(self, board: Board, cursor: int, only: Collection[str] | None) -> None:
        self._board = board
        self._engine = board.engine
        self._cursor = cursor
        self._only = frozenset(only) if only is not None else None
        self._fresh: dict[str, None] = {}
        self._wake = asyncio.Event()
        board.join(self)

    def wake(self) -> None:
        """There is something beyond the cursor."""
        self._wake.set()

    def touch(self, task_id: str) -> None:
        """A task's progress is news."""
        if self._only is None or task_id in self._only:
            self._fresh[task_id] = None
            self._wake.set()

    async def run(self, send: Send) -> None:
        """Send what lies beyond the cursor, then each event and progress as it comes.

        Raises:
            Gap: it fell behind what is kept.
        """
        try:
            while True:
                self._wake.clear()
                news = await self._next()
                if news:
                    await send(news)
                else:
                    await self._wake.wait()
        finally:
            self._board.leave(self)

    async def _next(self) -> list[News]:
        if self._cursor < self._engine.seq:
            return self._told(await self._board.read(self._cursor, BATCH))
        fresh, self._fresh = self._fresh, {}
        return [
            Progress(task, self._cursor)
            for task in map(self._engine.get, fresh)
            if task is not None
        ]

    def _told(self, events: Sequence[Event]) -> list[News]:
        news: list[News] = []
        for event in events:
            before, self._cursor = self._cursor, event.seq
            task_id = event.fact.task_id
            if self._only is not None and task_id not in self._only:
                continue
            if event.fact.name in TERMINAL_EVENTS:
                self._fresh.pop(task_id, None)
                task = self._engine.get(task_id)
                if task is not None:
                    news.append(Progress(task, before))
            news.append(event)
        return news


class Board:
    """All followers, and what is news to them.

    Progress is news after the first answer, when something shown changed, and every 30 s; at most
    once a second for each task.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._followers: set[ref[Follower]] = set()  # one that never runs is forgotten
        self._shown: dict[str, tuple[Moment, object]] = {}
        self._held: dict[str, None] = {}
        engine.on_swap.append(self._swapped)
        engine.on_events.append(self._told)

    def join(self, follower: Follower) -> None:
        """Tell a follower from now on, until it leaves or is gone."""
        self._followers.add(ref(follower, self._followers.discard))

    def leave(self, follower: Follower) -> None:
        """Tell it nothing more."""
        self._followers.discard(ref(follower))

    def follow(self, after: int | None = None, only: Collection[str] | None = None) -> Follower:
        """Open a follower that tells what comes after `after` (None: after this moment).

        Raises:
            Gap: that is not kept, or was never told.
        """
        cursor = self.engine.seq if after is None else after
        self.check(cursor)
        return Follower(self, cursor, only)

    def check(self, after: int, journal: str | None = None) -> None:
        """Raise Gap unless all that follows `after` is kept, in that journal if one is named."""
        oldest, engine = self.engine.store.oldest, self.engine
        other = journal is not None and journal != engine.journal
        if other or not oldest - 1 <= after <= engine.seq:
            raise Gap(after, oldest, engine.seq, engine.journal, other=other)

    async def read(self, after: int, limit: int) -> Sequence[Event]:
        """The first events after `after`.

        Raises:
            Gap: they are not kept any more.
        """
        recent = self.engine.recent(after)
        if recent is not None:
            return recent[:limit]
        self.check(after)
        events = await self.engine.store.events(after, limit)
        if not events or events[0].seq != after + 1:
            raise Gap(after, self.engine.store.oldest, self.engine.seq, self.engine.journal)
        return [event for event in events if event.seq <= self.engine.seq]

    def pulse(self) -> None:
        """Tell progress that was held back; called twice a second."""
        now = self.engine.now()
        held, self._held = self._held, {}
        for task_id in held:
            at, _ = self._shown.get(task_id, (0, None))
            if 0 <= now - at < SHOW_EVERY_MS:
                self._held[task_id] = None
            else:
                self._show(task_id, now)

    def remind(self) -> None:
        """Tell progress that was not told for long; called every few seconds."""
        now = self.engine.now()
        for task_id, (at, _) in list(self._shown.items()):
            if not 0 <= now - at < SHOW_AT_LEAST_MS:
                self._show(task_id, now)

    def _listening(self) -> list[Follower]:
        """Who is there; a WeakSet takes ten times as long, and every look asks."""
        return [each for known in tuple(self._followers) if (each := known()) is not None]

    def _told(self) -> None:
        for follower in self._listening():
            follower.wake()

    def _swapped(self, old: Task | None, new: Task | None) -> None:
        ends = old is not None and old.status.live
        if new is None or not (new.status.live or (new.open and not ends)):
            ended = old or new  # the end is told with its event
            if ended is not None:
                self._shown.pop(ended.id, None)
                self._held.pop(ended.id, None)
            return
        if new.live.last_checked is None:
            return
        before = self._shown.get(new.id)
        now = self.engine.now()
        if before is not None:
            if before[1] == _seen(new):
                return
            if 0 <= now - before[0] < SHOW_EVERY_MS:
                self._held[new.id] = None
                return
        self._show(new.id, now)

    def _show(self, task_id: str, now: Moment) -> None:
        task = self.engine.get(task_id)
        if task is None or not task.open:
            return
        if task.watched:
            self._shown[task_id] = (now, _seen(task))
        else:
            self._shown.pop(task_id, None)
        for follower in self._listening():
            follower.touch(task_id)


def _seen(task: Task) -> object:
    """What people see of a task's progress; of a complete one, how it is."""
    live = task.live
    if task.status is Status.COMPLETE:
        return task.revision
    return (
        task.revision,
        live.position,
        live.target,
        live.rate,
        live.eta if live.eta is None else int(live.eta),
    )
