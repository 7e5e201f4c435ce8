"""A wall clock that somebody sets: it is told as it is then, and nobody's health is touched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kaspad_taskd.base.clock import Clock
from kaspad_taskd.core.model import Health, Status
from kaspad_taskd.core.observation import Reading
from kaspad_taskd.engine.follow import News, Progress
from kaspad_taskd.store.memory import MemoryStore
from tests.fakes.house import EPOCH, House, definition

pytestmark = pytest.mark.looptime

DAY = 86_400.0


class SetClock:
    """A wall clock that can be set."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.ahead = 0.0
        self.clock = Clock(self._loop.time, lambda: EPOCH / 1000 + self._loop.time() + self.ahead)


@asynccontextmanager
async def _house() -> AsyncIterator[tuple[House, SetClock]]:
    """A house by a clock that is checked twice a second, as the daemon does it."""
    wall = SetClock()
    built = House(MemoryStore(wall.clock.now), wall.clock.now)

    async def keep() -> None:
        while True:
            await asyncio.sleep(0.5)
            if wall.clock.check():
                built.engine.attach(jumped=True)
            built.engine.flush()

    built.start()
    keeping = asyncio.create_task(keep())
    try:
        yield built, wall
    finally:
        keeping.cancel()
        await built.stop()


@pytest.mark.parametrize("days", [1, -1])
async def test_a_jump_changes_no_status_and_no_health(days: int) -> None:
    """What moves and what stands stay as they are; only the rate is measured anew."""
    async with _house() as (built, wall):
        moves = built.probe("moves")
        moves.answers = [Reading(position=float(n), target=1e6, phase="p") for n in range(200)]
        await built.roster.register(
            definition("moves", interval=1.0, stall_after=60.0, give_up_after=3600.0)
        )
        built.probe("stands").default = Reading(position=1.0, target=10.0)
        await built.roster.register(definition("stands", interval=1.0, stall_after=600.0))
        await asyncio.sleep(100)
        assert built.task("moves").live.rate == pytest.approx(1.0, rel=0.1)
        before = {task.id: task for task in built.engine.tasks()}
        wall.ahead += days * DAY
        await asyncio.sleep(1.9)
        for task in built.engine.tasks():
            old = before[task.id]
            assert (task.status, task.health) == (Status.IN_PROGRESS, Health.OK)
            assert (task.attempt, task.health_since) == (old.attempt, old.health_since)
            assert task.percent >= old.percent
        assert len(built.task("moves").live.window.samples) <= 2
        assert [event.fact.name for event in await built.store.events(0, 100)] == [
            "task:added", "sync:start", "task:added", "sync:start",
        ]  # fmt: skip


@pytest.mark.parametrize("days", [1, -1])
async def test_after_a_jump_live_fields_are_written_and_progress_told_as_ever(days: int) -> None:
    """The 30 seconds of both count from the jump, not from a time that the clock has left."""
    async with _house() as (built, wall):
        built.probe("work").default = Reading(position=1.0, target=10.0)
        await built.roster.register(definition("work", interval=5.0, stall_after=1e6))
        told: list[News] = []
        await built.listen(told)
        await asyncio.sleep(60)
        wall.ahead += days * DAY
        told.clear()
        await asyncio.sleep(70)
        assert len([news for news in told if isinstance(news, Progress)]) >= 2
        (written,) = built.store.open().tasks
        checked = written.live.last_checked
        assert checked is not None
        assert 0 <= wall.clock.now() - checked <= 40_000


async def test_a_jump_while_a_task_is_being_removed_harms_nobody() -> None:
    """A task whose removal is on its way to the disk has no patience to begin anew."""
    async with _house() as (built, _wall):
        await built.roster.register(definition("goes"))
        await built.roster.register(definition("stays"))
        removal = asyncio.create_task(built.roster.remove("goes"))
        await asyncio.sleep(0)
        built.engine.attach(jumped=True)
        await removal
        assert [task.id for task in built.engine.tasks()] == ["stays"]
