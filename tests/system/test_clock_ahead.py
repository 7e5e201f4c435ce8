"""A real daemon whose clock is set: forty days ahead for a while erase nothing of its journal."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from kaspad_taskd.core.fact import EventName, Fact
from kaspad_taskd.core.record import Change
from kaspad_taskd.store.sqlite import SqliteStore
from tests.fakes.held_clock import HeldClock
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd_process import Line, Taskd, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

DAY = 86_400.0
EVENTS = 2_400


async def fill(state: Path, now: float, ages: list[float]) -> None:
    """A journal of an earlier version, each event so many days old."""
    store = SqliteStore(state / "state.db", lambda: int(now * 1000))
    store.open()
    settled = asyncio.Event()
    store.start(lambda _outcomes: settled.set())
    facts = [
        Fact(EventName.HEALTH, "old", "old", "report", int((now - age * DAY) * 1000), {})
        for age in ages
    ]
    store.submit(Change(facts=tuple(facts)))
    async with asyncio.timeout(PATIENCE):
        await settled.wait()
    await store.close()


async def beats(clock: HeldClock, line: Line, seconds: float, steps: int) -> None:
    """Let time pass, a step each time the daemon has looked at its clock."""
    for _ in range(steps):
        clock.pass_time(seconds / steps)
        await looked(line)


async def looked(line: Line) -> None:
    """Wait until the daemon has surely looked at its clocks: it does so twice a second."""
    uptime = (await line.call("getInfo"))["uptime"]
    await until(lambda: later(line, uptime + 1.2), every=0.1)


async def later(line: Line, uptime: float) -> bool:
    return bool((await line.call("getInfo"))["uptime"] >= uptime)


async def oldest(line: Line) -> int:
    """The first event that is kept, after the writer had something to do."""
    await line.call("recordDecision", decision="wait")
    await line.call("recordDecision", decision="wait")
    return int((await line.call("getEvents", limit=1))["oldest"])


async def test_a_clock_that_is_ahead_for_a_while_erases_nothing(tmp_path: Path) -> None:
    """Forth and back, over a restart too; what is surely old goes slowly, and goes."""
    clock = HeldClock.make(tmp_path / "clock", time.time())
    ages = [40.0] * (EVENTS // 2) + [0.01] * (EVENTS // 2)
    async with Taskd(tmp_path) as taskd:
        taskd.state.mkdir()
        await fill(taskd.state, clock.wall(), ages)
        taskd.program = ("tests.fakes.held_clock", str(tmp_path / "clock"))
        line = await taskd.start()
        for _ in range(2):
            clock.set_wall(40 * DAY)
            await looked(line)
            await beats(clock, line, 1800, 2)
            assert await oldest(line) == 1
            clock.set_wall(-40 * DAY)
            await looked(line)
            assert await oldest(line) == 1
            await taskd.end()
            line = await taskd.start()
        assert await oldest(line) == 1
        await beats(clock, line, 2 * 3600, 4)
        gone = await oldest(line) - 1
        assert 0 < gone <= EVENTS // 240 * 3
        await beats(clock, line, 6 * 3600, 6)
        assert gone < await oldest(line) - 1 <= EVENTS // 240 * 9
