"""A real daemon, a real relay and a real redis-server: each event once for ever, none missing."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from kaspad_taskd.fleet import keys
from tests.fakes.patience import once
from tests.fakes.redis_server import Kept, needs_redis
from tests.fakes.taskd_process import AT_ONCE
from tests.fleet.trio import running, works

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), needs_redis]


def statuses(kept: Kept) -> dict[str, str]:
    return {name: each["status"] for name, each in kept.hash(keys.TASKS).items()}


async def test_what_the_daemon_tells_is_there_as_it_told_it(tmp_path: Path) -> None:
    """Events, tasks, services, warnings, the past; and what `now` says of each change."""
    async with running(tmp_path) as fleet:
        line = await fleet.taskd.start()
        await works(line, "a", 3)
        await fleet.relay.start()
        await fleet.equal(line)
        meta = fleet.kept.meta()
        info = await line.call("getInfo")
        assert meta["journal"] == info["journal"]
        assert meta["stream"] == f"ev:{info['journal']}"
        assert (meta["host"], meta["labels"], meta["gap"]) == ("h", '{"site": "Wien"}', "null")
        assert meta["daemon"] == info["version"]
        await works(line, "b", 2)
        await line.call("reportTask", taskId="b", progress=40)
        await fleet.equal(line)
        tasks = {each["id"]: each["status"] for each in await line.call("getAllTasks")}
        await once(lambda: set(fleet.kept.hash(keys.PAST)) == {"a", "b"})
        await once(lambda: statuses(fleet.kept) == tasks)
        await line.call("reportTask", taskId="b", progress=50)
        await once(lambda: fleet.kept.hash(keys.PROGRESS).get("b", {}).get("progress") == 50)
        assert fleet.kept.client.get(fleet.kept.key(keys.SERVICES)) is not None
        entries = fleet.kept.now()
        assert any(each.get("anew") for each in entries)
        for before, after in pairwise(entries):
            assert after["from"] == before["to"] or after.get("anew")
        assert entries[-1]["daemon"]["answers"] is True


async def test_a_stop_takes_no_time(tmp_path: Path) -> None:
    async with running(tmp_path) as fleet:
        line = await fleet.taskd.start()
        await works(line, "a")
        await fleet.relay.start()
        await fleet.equal(line)
        code, took = await fleet.relay.end()
        assert (code, took < AT_ONCE) == (0, True)
