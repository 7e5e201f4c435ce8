"""Ended tasks go by time that has surely passed, a tenth a day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kaspad_taskd.core import ageing
from kaspad_taskd.core.inputs import Cancel
from kaspad_taskd.core.model import Origin
from kaspad_taskd.engine.ageing import Ageing
from kaspad_taskd.engine.roster import KEPT_MS
from kaspad_taskd.store.memory import MemoryStore
from tests.fakes.house import EPOCH, House, definition

pytestmark = pytest.mark.looptime

DAY = 86_400.0
BEAT = 600.0
"""Seconds between two looks at the clocks: coarse, so that a month is quick."""


class Clocks:
    """Both clocks; the wall clock can be set."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.ahead = 0.0

    def steady(self) -> int:
        return int(self._loop.time() * 1000)

    def wall(self) -> int:
        return EPOCH + int((self._loop.time() + self.ahead) * 1000)


class Host:
    """A house whose account is kept, by clocks that can be set."""

    def __init__(self, house: House, clocks: Clocks, age: Ageing) -> None:
        self.house = house
        self.clocks = clocks
        self.age = age
        self._ahead = 0.0

    async def run(self, seconds: float) -> None:
        for _ in range(int(seconds / BEAT)):
            await asyncio.sleep(BEAT)
            self.age.beat(jumped=self.clocks.ahead != self._ahead)
            self._ahead = self.clocks.ahead
            await self.age.clean_up()

    async def ended(self, *names: str) -> None:
        """Tasks that end now."""
        for name in names:
            await self.house.roster.register(definition(name, origin=Origin.API))
            await self.house.engine.act(name, Cancel())
            await asyncio.sleep(1)

    @property
    def left(self) -> list[str]:
        return [task.id for task in self.house.engine.tasks()]


@asynccontextmanager
async def _host() -> AsyncIterator[Host]:
    clocks = Clocks()
    store = MemoryStore(clocks.wall)
    built = House(store, clocks.wall)
    age = Ageing(built.engine, built.roster, clocks)
    loaded = store.open()
    built.engine.begin(loaded)  # no looks: a month of them would take a while
    built.roster.begin()
    age.begin(loaded)
    yield Host(built, clocks, age)
    await store.close()


async def test_ended_tasks_go_after_thirty_days_a_tenth_a_day() -> None:
    """The oldest first; of a few one a day."""
    async with _host() as host:
        await host.run(2 * DAY)
        await host.ended("a", "b", "c")
        await host.run(KEPT_MS / 1000 - DAY)
        assert host.left == ["a", "b", "c"]
        await host.run(1.2 * DAY)
        assert host.left == ["b", "c"]
        await host.run(1 * DAY)
        assert host.left == ["c"]
        await host.run(2 * DAY)
        assert host.left == []


@pytest.mark.parametrize("ahead", [40 * DAY, 20_000 * DAY])
async def test_a_clock_that_is_ahead_for_a_while_removes_no_task(ahead: float) -> None:
    """Nor does it when it comes back."""
    async with _host() as host:
        await host.run(2 * DAY)
        await host.ended("a", "b")
        for _ in range(3):
            host.clocks.ahead = ahead
            await host.run(3000)
            host.clocks.ahead = 0
            await host.run(3600 * 2)
        assert host.left == ["a", "b"]


async def test_a_task_that_ended_while_the_clock_was_at_1970_is_not_old() -> None:
    """It is no older than what was on record before."""
    async with _host() as host:
        await host.run(2 * DAY)
        await host.ended("before")
        host.clocks.ahead = -EPOCH / 1000
        await host.ended("a")
        await host.run(600)
        host.clocks.ahead = 0
        await host.run(3 * DAY)
        assert host.left == ["before", "a"]
        await host.run(33 * DAY)
        assert host.left == []


async def test_a_persons_word_counts_at_once() -> None:
    """`cleanupOldTasks` asks no clock but the wall's."""
    async with _host() as host:
        await host.ended("a")
        assert await host.house.roster.cleanup(0) == 1
        assert host.left == []


async def test_the_account_is_kept_every_minute() -> None:
    """So that a crash costs no more than that, and a start goes on from it."""
    async with _host() as host:
        await host.run(601)
        await asyncio.sleep(0)
        kept = host.house.store.open().sure
        assert kept is not None
        assert host.age.sure.ran - kept.ran <= 60_000
        again = Ageing(host.house.engine, host.house.roster, host.clocks)
        again.begin(host.house.store.open())
        assert again.sure.ran == kept.ran
        assert again.sure.calm == kept.calm > 0
        assert kept.ran < ageing.HOUR
