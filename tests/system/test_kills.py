"""A real daemon, killed at any moment while four programs change things, keeps every promise."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.taskd_process import Taskd, until
from tests.fakes.writers import Writer, all_events, check_events, check_tasks

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

ROUNDS, MOST_SECONDS = (100, 60.0) if os.environ.get("CI") else (25, 25.0)
WRITERS = 4
FEWEST = 10
"""Rounds that a slow machine has as well."""
LONGEST = 0.25
"""Seconds that a daemon may live after it answered, or longer, until it has made its changes."""
CHANGES = 40
"""Changes that are acknowledged before the kill, at most; in some rounds it is not waited for."""


def changes_of(writers: list[Writer]) -> int:
    return sum(writer.changes for writer in writers)


async def live_and_die(daemon: Taskd, writers: list[Writer], life: float, enough: int) -> None:
    """Let the writers change things for so many seconds, and so many changes; kill it."""
    lines = [await daemon.line() for _ in writers]
    running = [
        asyncio.create_task(writer.run(own)) for writer, own in zip(writers, lines, strict=True)
    ]
    before = changes_of(writers)

    async def has_lived() -> bool:
        return changes_of(writers) - before >= enough or any(each.done() for each in running)

    await asyncio.sleep(life)
    await until(has_lived)
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGKILL)
    await asyncio.gather(*running)
    await daemon.ended()


async def test_whatever_was_acknowledged_is_there_after_any_kill(
    tmp_path: Path, record_property: Any
) -> None:
    """Rounds of four writers and a kill -9: no promise broken, no hole, no fall of progress."""
    dice = random.Random(7)
    writers = [Writer(number, dice) for number in range(WRITERS)]
    rounds, wanted, began = 0, 0, time.monotonic()
    async with Taskd(tmp_path) as daemon:
        while rounds < ROUNDS and (rounds < FEWEST or time.monotonic() - began < MOST_SECONDS):
            rounds += 1
            line = await daemon.start()
            tasks = {task["id"]: task for task in await line.call("getAllTasks")}
            for writer in writers:
                check_tasks(writer, tasks)
            life = dice.uniform(0.0, LONGEST)
            enough = dice.randint(1, CHANGES) if life > LONGEST / 5 else 0
            wanted += enough
            await live_and_die(daemon, writers, life, enough)
        line = await daemon.start()
        tasks = {task["id"]: task for task in await line.call("getAllTasks")}
        for writer in writers:
            check_tasks(writer, tasks)
        check_events(await all_events(line), tasks)
        decided = len(await line.call("getDecisions"))
        assert sum(writer.decisions for writer in writers) <= decided
    changes = changes_of(writers)
    record_property("rounds", rounds)
    record_property("changes", changes)
    print(f"{rounds} kills, {changes} acknowledged changes")
    assert changes >= wanted > rounds
