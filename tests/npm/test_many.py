"""A wizard with a thousand tasks; all are killed again and again: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.taskd_process import Line, Taskd, until
from tests.npm.here import Wizard, wizard

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(900)]

COUNT = 1000
ROUNDS = 20
STEP = COUNT // ROUNDS


class Notes:
    """What wizards have called and told, of all their processes."""

    def __init__(self, place: Path) -> None:
        self.file = place / "notes.jsonl"

    def read(self) -> list[list[Any]]:
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def of(self, kind: str) -> Counter[tuple[Any, ...]]:
        """How often each thing of a kind is noted, by all processes."""
        return Counter(tuple(rest) for _, what, *rest in self.read() if what == kind)

    def told(self, name: str) -> Counter[tuple[Any, ...]]:
        """How often a task's event was told, by process and manager."""
        rows = [row for row in self.read() if row[1] == "told" and row[3] == name]
        return Counter((pid, manager, task) for pid, _, manager, _, task in rows)


@asynccontextmanager
async def many(taskd: Taskd, notes: Notes, managers: int = 1) -> AsyncIterator[Wizard]:
    given = (str(taskd.socket), str(notes.file), str(COUNT), str(managers))
    async with wizard("many.cjs", *given) as process:
        yield Wizard(process)


async def complete(line: Line, ids: list[str]) -> None:
    """Ask for the end of them, all at once; whatever becomes of it."""
    await asyncio.gather(
        *(line.call("completeTask", taskId=each) for each in ids), return_exceptions=True
    )


async def surely_complete(line: Line) -> None:
    """Complete what is not."""
    for task in await line.call("getAllTasks"):
        if task["status"] != "complete":
            await line.call("completeTask", taskId=task["id"])


async def harmed(taskd: Taskd, line: Line, number: int, dice: random.Random) -> Line:
    """End some tasks, kill the daemon amid that, and start it; returns a line to it."""
    ids = [f"work-{each}" for each in range(number * STEP, (number + 1) * STEP)]
    completing = asyncio.create_task(complete(line, ids))
    await asyncio.sleep(dice.uniform(0.0, 0.1))
    await taskd.kill()
    await completing
    await asyncio.sleep(dice.choice((0.0, 0.3, 1.5)))
    return await taskd.start()


async def all_are_told(line: Line) -> None:
    """Wait until each task's `onComplete` is on record."""

    async def noted() -> bool:
        known = {each["decision"] for each in await line.call("getDecisions")}
        return len(known) == COUNT

    await until(noted, 120.0)


async def test_the_daemon_is_killed_twenty_times(tmp_path: Path) -> None:
    """Each end reaches browsers once, and `onComplete` once; the mirror is true in the end."""
    dice, notes = random.Random(4), Notes(tmp_path)
    async with Taskd(tmp_path) as taskd:
        line = await taskd.start()
        async with many(taskd, notes) as server:
            assert await server.do(what="register") == COUNT
            for number in range(ROUNDS):
                line = await harmed(taskd, line, number, dice)
            await surely_complete(line)
            await all_are_told(line)
            assert await server.do(what="states") == [COUNT]
        await taskd.end()
    assert notes.of("fault") == Counter()
    assert sorted(notes.of("called").values()) == [1] * COUNT
    assert sorted(notes.told("sync:complete").values()) == [1] * COUNT
    assert sorted(notes.told("sync:start").values()) == [1] * COUNT


async def test_the_wizard_is_killed_twenty_times(tmp_path: Path) -> None:
    """The daemon too, every other time. What was called twice had not been noted before."""
    dice, notes = random.Random(5), Notes(tmp_path)
    async with Taskd(tmp_path) as taskd:
        line = await taskd.start()
        for number in range(ROUNDS):
            async with many(taskd, notes) as server:
                assert await server.do(what="register") == COUNT
                ids = [f"work-{each}" for each in range(number * STEP, (number + 1) * STEP)]
                completing = asyncio.create_task(complete(line, ids))
                await asyncio.sleep(dice.uniform(0.0, 0.15))
                if number % 2:
                    await taskd.kill()
                server.process.kill()
                await server.process.wait()
                await completing
            if number % 2:
                line = await taskd.start()
        async with many(taskd, notes) as server:
            assert await server.do(what="register") == COUNT
            await surely_complete(line)
            await all_are_told(line)
            assert await server.do(what="states") == [COUNT]
        await taskd.end()
    assert notes.of("fault") == Counter()
    called, returned = notes.of("called"), notes.of("returned")
    assert len(called) == COUNT
    again = [task for task, times in called.items() if times > 1]
    assert max(notes.told("sync:complete").values()) == 1  # of one process
    print(f"called {sum(called.values())}, again {len(again)}, returned {sum(returned.values())}")
    assert len(again) <= ROUNDS * STEP // 4


@pytest.mark.parametrize("processes", [1, 2])
async def test_two_managers_share_the_tasks(processes: int, tmp_path: Path) -> None:
    """In one process, each with half of them; and in two, each with an `onComplete` for all."""
    dice, notes = random.Random(6), Notes(tmp_path)
    async with Taskd(tmp_path) as taskd:
        line = await taskd.start()
        async with many(taskd, notes, 3 - processes) as one, many(taskd, notes, 1) as other:
            servers = [one, other][:processes]
            for server in servers:
                assert await server.do(what="register") == COUNT
            for number in range(ROUNDS // 4):
                line = await harmed(taskd, line, number, dice)
            await surely_complete(line)
            await all_are_told(line)
            for server in servers:
                for count in await server.do(what="states"):
                    assert count == COUNT
        await taskd.end()
    assert notes.of("fault") == Counter()
    called = notes.of("called")
    print(f"called {sum(called.values())} for {len(called)}")
    assert len(called) == COUNT
    assert sorted(called.values())[-1] <= processes
    assert max(notes.told("sync:complete").values()) == 1


async def test_it_lets_go_amid_a_reconnection(tmp_path: Path) -> None:
    """Twenty times: nothing throws, nothing stays, the tasks go on."""
    dice, notes = random.Random(7), Notes(tmp_path)
    async with Taskd(tmp_path) as taskd:
        line = await taskd.start()
        async with many(taskd, notes) as server:
            assert await server.do(what="register") == COUNT
        for _ in range(ROUNDS):
            async with many(taskd, notes) as server:
                if dice.random() < 0.7:
                    await server.do(what="events")
                await taskd.kill()
                starting = asyncio.create_task(taskd.start())
                await asyncio.sleep(dice.uniform(0.0, 0.8))
                assert (await server.do(what="shutdown"))[0]["success"]
                assert server.process.stdin is not None
                server.process.stdin.close()
                async with asyncio.timeout(60):
                    assert await server.process.wait() == 0
                line = await starting
        states = {each["status"] for each in await line.call("getAllTasks")}
        assert states == {"in-progress"}
        await taskd.end()
    assert notes.of("fault") == Counter()
