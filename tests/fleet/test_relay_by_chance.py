"""All harms at once, by chance, for a minute: no event is missing, twice, or another one."""

from __future__ import annotations

import asyncio
import signal
import time
from itertools import count
from pathlib import Path
from random import Random

import pytest
from redis.exceptions import RedisError

from tests.fakes.harmful_proxy import HarmfulProxy
from tests.fakes.redis_server import needs_redis
from tests.fakes.taskd_process import Taskd, until
from tests.fakes.writers import all_events
from tests.fleet.trio import Fleet, running, works

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(600), needs_redis]

HARMED_S = 60.0
KEEP = 10_000


async def work(taskd: Taskd) -> None:
    """A task that pauses and goes on for ever, whoever kills its daemon."""
    for turn in count():
        try:
            line = await taskd.line()
            for again in count(turn):
                method = "pauseTask" if again % 2 else "resumeTask"
                await line.call(method, taskId="busy")
                await asyncio.sleep(0.03)
        except Exception:  # killed, or just so: either is tried again
            await asyncio.sleep(0.1)


async def harm(fleet: Fleet, proxy: HarmfulProxy, chance: Random) -> None:
    match chance.choice(["relay", "stop", "redis", "daemon", "cut", "empty"]):
        case "relay":
            await fleet.relay.end(signal.SIGKILL)
            await fleet.relay.start()
        case "stop":
            await fleet.relay.end()
            await fleet.relay.start()
        case "redis":
            fleet.redis.kill()
            await asyncio.sleep(chance.random())
            fleet.redis.start()
        case "daemon":
            await fleet.taskd.kill()
            await fleet.taskd.start()
        case "cut":
            proxy.cut()
        case "empty":
            fleet.kept.client.flushall()


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_events_equal_the_journal_after_all_of_it(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    async with running(tmp_path) as fleet, HarmfulProxy(fleet.redis.socket, chance) as proxy:
        fleet.relay.tell([proxy.server], f"keep = {KEEP}")
        await works(await fleet.taskd.start(), "busy")
        await fleet.relay.start()
        working = asyncio.create_task(work(fleet.taskd))
        proxy.harm = True
        end = time.monotonic() + HARMED_S
        while time.monotonic() < end:
            await asyncio.sleep(chance.random() * 3)
            await harm(fleet, proxy, chance)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        proxy.harm = False
        line = await fleet.taskd.line()
        events = await all_events(line)

        async def same() -> bool:
            try:
                there = fleet.kept.events()
            except (RedisError, OSError):
                return False
            return bool(there) and there == events

        await until(same, 120.0)
        assert "Traceback" not in fleet.relay.said()
        assert "another relay" not in fleet.relay.said()
