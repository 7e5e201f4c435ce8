"""A real node that is kept watch on: cut off, back, down, emptied, in sync again."""

from __future__ import annotations

import shutil
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from benchmarks.nodes import Network
from tests.fakes.kaspad import find_kaspad
from tests.fakes.taskd_process import Line, Taskd, until

KASPAD = find_kaspad()
PATIENCE = 300.0
AWAY_S = 700
"""Of history that it lacks at first: a position that falls by so much is lost data."""
RATE = 1_000_000
BPS = 10
DEFINITION = """\
type = "node-sync"
service = "node"
interval = "1s"
watch_interval = "2s"
behind_after = "20s"
[checker]
url = "{url}"
max_lag = "30s"
"""
TOLD = ("sync:start", "sync:complete", "sync:health", "sync:error", "sync:epoch")

pytestmark = [
    pytest.mark.system,
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(KASPAD is None, reason="no kaspad on the PATH"),
]


async def task_when(line: Line, holds: Any) -> dict[str, Any]:
    """The task as soon as something holds of it."""

    async def there() -> dict[str, Any] | None:
        task: dict[str, Any] = await line.call("getTask", taskId="node")
        return task if holds(task) else None

    found: dict[str, Any] = await until(there, PATIENCE, 0.2)
    return found


async def test_a_watch_over_a_real_node_tells_what_became_of_it(tmp_path: Path) -> None:
    """Each as it was, in its order, the lag as the other node knows it; one completion a way."""
    assert KASPAD is not None
    (tmp_path / "nodes").mkdir()
    network = Network(KASPAD, tmp_path / "nodes", None)
    taskd, node = Taskd(tmp_path / "taskd"), None
    try:
        node = await network.build(1, AWAY_S, RATE, fresh=False, prefix=())
        taskd.define("node", DEFINITION.format(url=node.url))
        line = await taskd.start()
        await node.start()
        task = await task_when(line, lambda task: task["status"] == "complete")
        assert (task["watch"], task["health"]) == ("on", "ok")

        network.lines[0].freeze()
        task = await task_when(line, lambda task: task["health"] == "behind")
        assert (task["status"], task["progress"]) == ("complete", 100)
        truth = (await network.tip() - task["metadata"]["position"]) / BPS
        assert abs(task["behind"] - truth) <= 10
        network.lines[0].thaw()
        await task_when(line, lambda task: task["health"] == "ok")

        await node.stop(signal.SIGKILL)
        await task_when(line, lambda task: task["health"] == "unreachable")
        shutil.rmtree(node.place / "kaspa-simnet")
        await node.start()
        task = await task_when(line, lambda task: task["attempt"] == 2)
        assert task["progress"] < 100
        await task_when(line, lambda task: task["status"] == "complete")
        events = (await line.call("getEvents", taskId="node"))["events"]
    finally:
        with suppress(Exception):
            await taskd.end()
        if node is not None:
            await node.stop(signal.SIGKILL)
        await network.close()
    told = [each for each in events if each["event"] in TOLD]
    first = next(n for n, each in enumerate(told) if each["event"] == "sync:complete")
    after = [(each["event"], each["data"].get("health", each["data"].get("because")))
             for each in told[first:]]  # fmt: skip
    again = next(n for n, each in enumerate(after) if each[0] == "sync:start")
    assert after[: again + 1] == [
        ("sync:complete", None),
        ("sync:health", "behind"),
        ("sync:health", "ok"),
        ("sync:health", "unreachable"),
        ("sync:start", "db-reset"),
    ]
    assert [each for each in after[again:] if each[0] == "sync:complete"] == [
        ("sync:complete", "db-reset")
    ]
