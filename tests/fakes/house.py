"""A house in virtual time: the engine with its looks and reactions, on the store in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from kaspad_taskd.config.switched import SwitchedService
from kaspad_taskd.core.model import Definition, Origin, Task
from kaspad_taskd.core.observation import Observation, Reading
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.engine.follow import Board, News
from kaspad_taskd.engine.monitor import Monitors
from kaspad_taskd.engine.ports import Probe
from kaspad_taskd.engine.reactions import Reactions
from kaspad_taskd.engine.roster import Roster
from kaspad_taskd.store.memory import MemoryStore
from kaspad_taskd.switching.ready import Announcer
from kaspad_taskd.switching.switcher import Switcher
from tests.fakes.hands import ScriptedHands

EPOCH = 1_795_000_000_000
Answer = Callable[[Mapping[str, Any]], Observation]


class ScriptedProbe:
    """Answers with what it is told, after as long as it is told; counts what is asked of it."""

    def __init__(self) -> None:
        self.answers: list[Observation | Exception] = []
        self.default: Observation | Exception = Reading(position=1.0, target=10.0)
        self.takes = 0.0
        self.looks = 0
        self.at_once = 0
        self.most_at_once = 0
        self.closed = 0

    async def observe(self, memory: Mapping[str, Any]) -> Observation:
        self.looks += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.takes)
        finally:
            self.at_once -= 1
        answer = self.answers.pop(0) if self.answers else self.default
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        self.closed += 1


class NoMirror:
    """A mirror that remembers what it was told."""

    def __init__(self) -> None:
        self.kept: dict[str, Definition] = {}

    def put(self, definition: Definition) -> None:
        self.kept[definition.id] = definition

    def drop(self, task_id: str) -> None:
        self.kept.pop(task_id, None)


class House:
    """The rooms, joined as the daemon joins them."""

    def __init__(
        self,
        store: MemoryStore | None = None,
        now: Callable[[], int] | None = None,
        directories: Mapping[Origin, str] | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.now = now or (lambda: EPOCH + int(loop.time() * 1000))
        self.store = store or MemoryStore(self.now)
        self.engine = Engine(self.store, self.now)
        self.board = Board(self.engine)
        self.mirror = NoMirror()
        self.roster = Roster(self.engine, self.mirror, directories)
        self.probes: dict[str, ScriptedProbe] = {}
        self.crowded: Callable[[int], bool] = lambda _more: False
        self.monitors = Monitors(
            self.engine, self._make, jitter=lambda: 0.0, crowded=lambda more: self.crowded(more)
        )
        self.services: dict[str, SwitchedService] = {}
        self.hands = ScriptedHands()
        self.switcher = Switcher(self.engine, self.services, self.hands)
        self._running: list[asyncio.Task[None]] = []

    def _make(self, definition: Definition) -> Probe | None:
        if definition.type == "report":
            return None
        return self.probes.setdefault(definition.id, ScriptedProbe())

    def probe(self, task_id: str) -> ScriptedProbe:
        return self.probes.setdefault(task_id, ScriptedProbe())

    def start(self) -> None:
        loaded = self.store.open()
        self.engine.begin(loaded)
        self.roster.begin()
        self.monitors.begin()
        reactions = Reactions(self.engine, self.board, self.roster, loaded.cursors, dict)
        announcer = Announcer(self.engine, self.board, loaded.cursors, self.switcher)
        self._running = [
            asyncio.create_task(self.monitors.run()),
            asyncio.create_task(reactions.run()),
            asyncio.create_task(self.switcher.run()),
            asyncio.create_task(announcer.run()),
            asyncio.create_task(self._pulse()),
        ]

    async def _pulse(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            self.board.pulse()
            self.board.remind()

    async def stop(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await asyncio.gather(*self.engine.flush(all_of_it=True))
        await self.store.close()

    def task(self, task_id: str) -> Task:
        task = self.engine.get(task_id)
        assert task is not None
        return task

    async def listen(self, told: list[News], after: int | None = None) -> asyncio.Task[None]:
        follower = self.board.follow(after)

        async def send(news: Any) -> None:
            told.extend(news)

        running = asyncio.create_task(follower.run(send))
        self._running.append(running)
        await asyncio.sleep(0)
        return running


@asynccontextmanager
async def house(store: MemoryStore | None = None) -> AsyncIterator[House]:
    """A house that runs, and is stopped in the end."""
    built = House(store)
    built.start()
    try:
        yield built
    finally:
        await built.stop()


def definition(task_id: str = "work", **given: Any) -> Definition:
    """A definition with an interval of 10 s and one confirmation."""
    fields: dict[str, Any] = {"type": "http-json", "service": task_id, "confirmations": 1}
    return Definition(task_id, **{**fields, **given})
