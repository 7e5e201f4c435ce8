"""A daemon, its relay and a redis-server, as two readers show them: as the daemon says it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.fleet.host import Gone, Verdict
from tests.fakes.fleet_reader import Followed
from tests.fakes.patience import once
from tests.fakes.redis_server import needs_redis
from tests.fakes.taskd_process import Line, until
from tests.fleet.trio import running, works

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), needs_redis]

SAME = ("id", "service", "type", "status", "health", "progress", "attempt", "origin", "createdAt")


async def shown(reader: Followed, line: Line) -> None:
    """Wait until a reader shows what the daemon answers: tasks, events, services, warnings."""

    async def same() -> bool:
        tasks: Any = await line.call("getAllTasks")
        events: Any = (await line.call("getEvents"))["events"]
        host = reader.mirror.hosts.get("h")
        if host is None or host.tasks.keys() != {each["id"] for each in tasks}:
            return False
        for each in tasks:
            known = host.task(each["id"]) or {}
            if [known.get(key) for key in SAME] != [each[key] for key in SAME]:
                return False
        kept = [{"seq": each.seq, "event": each.name, "data": each.data} for each in host.events()]
        return bool(kept == events and host.services == await line.call("getServices"))

    await until(same)


async def test_what_the_daemon_says_is_what_readers_show(tmp_path: Path) -> None:
    async with running(tmp_path) as fleet:
        line = await fleet.taskd.start()
        await works(line, "a", 2)
        await fleet.relay.start()
        place = fleet.redis.server
        async with Followed(place) as one, Followed(place, wished=["h"]) as other:
            await works(line, "b", 3)
            await line.call("reportTask", taskId="b", progress=40)
            for reader in (one, other):
                await shown(reader, line)
                await reader.says("h", Verdict.OK)
                assert reader.mirror.hosts["h"].labels == {"site": "Wien"}
                assert reader.mirror.hosts["h"].fault is None

            await fleet.taskd.end()
            await one.says("h", Verdict.AWAY)
            assert one.mirror.hosts["h"].gone is Gone.DAEMON
            assert one.mirror.hosts["h"].tasks.keys() == {"a", "b"}
            line = await fleet.taskd.start()
            await line.call("errorTask", taskId="a", error="<b>it broke</b>")
            await one.says("h", Verdict.TROUBLE)
            await shown(other, line)

            fleet.redis.kill()
            await once(lambda: other.mirror.hosts["h"].gone is Gone.ENGINE)
            await line.call("removeTask", taskId="a")
            fleet.redis.start()
            await works(line, "c", 2)
            for reader in (one, other):
                await shown(reader, line)
                await reader.says("h", Verdict.OK)

            await fleet.relay.end()
            await works(line, "d")
            await fleet.relay.start()
            for reader in (one, other):
                await shown(reader, line)
                numbers = reader.events["h"]
                assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
