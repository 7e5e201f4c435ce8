"""Real kaspads in trouble, watched by a real daemon by RPC alone: each is told for what it is."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.nodes import Network
from benchmarks.record import clock_prefix
from tests.fakes.kaspad import Kaspad, Talk, find_kaspad
from tests.fakes.taskd_process import Line, Taskd, until

KASPAD = find_kaspad()
PATIENCE = 240.0
STALL_AFTER_S = 20
SLACK_S = 4.0
"""For a look, its answers and the commit of what it brought, on a busy machine."""
DEFINITION = """\
type = "node-sync"
service = "node"
interval = "1s"
stall_after = "{stall}s"
[checker]
url = "{url}"
"""

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(600),
    pytest.mark.skipif(KASPAD is None, reason="no kaspad on the PATH"),
]


@asynccontextmanager
async def watched(
    place: Path, away_s: float, rate: float, peers: int = 1, clock_s: int = 0
) -> AsyncIterator[tuple[Network, Kaspad, Line]]:
    """Peers that mine, a node that is so far behind and down yet, and a daemon that watches it."""
    assert KASPAD is not None
    prefix = clock_prefix(clock_s)
    (place / "nodes").mkdir()
    network = Network(KASPAD, place / "nodes", None)
    env = dict(each.split("=", 1) for each in prefix[1:])
    taskd = Taskd(place / "taskd", env=env)
    node = None
    try:
        node = await network.build(peers, away_s, rate, fresh=False, prefix=prefix)
        taskd.define("node", DEFINITION.format(url=node.url, stall=STALL_AFTER_S))
        yield network, node, await taskd.start()
    finally:
        with suppress(Exception):
            await taskd.end()
        if node is not None:
            await node.stop(signal.SIGKILL)
        await network.close()


async def task_when(line: Line, holds: Any) -> dict[str, Any]:
    """The task as soon as something holds of it."""

    async def there() -> dict[str, Any] | None:
        task: dict[str, Any] = await line.call("getTask", taskId="node")
        return task if holds(task) else None

    found: dict[str, Any] = await until(there, PATIENCE, 0.2)
    return found


def seconds(task: dict[str, Any], begin: str, end: str) -> float:
    one, other = (datetime.fromisoformat(task[name]) for name in (begin, end))
    return (other - one).total_seconds()


async def sender(node: Kaspad) -> str:
    """The address of the peer that blocks are downloaded from."""
    talk = Talk(node)
    try:
        await talk.wait()
        told = await talk.ask("getConnectedPeerInfo")
        found = next(each for each in told["peerInfo"] if each["is_ibd_peer"])
        return f"{found['address']['ip']}:{found['address']['port']}"
    finally:
        await talk.close()


async def test_a_frozen_peer_among_talking_ones_is_a_standstill(tmp_path: Path) -> None:
    """Three peers; the one that sends is stopped, two gossip on: stalled after its patience."""
    async with watched(tmp_path, 600, 14_000, peers=3) as (network, node, line):
        await node.start()
        await task_when(line, lambda task: task["phase"] == "headers" and task["health"] == "ok")
        network.freeze(network.by_address(await sender(node)))
        task = await task_when(line, lambda task: task["health"] == "stalled")
        assert seconds(task, "lastMoved", "healthSince") >= STALL_AFTER_S
        assert seconds(task, "lastMoved", "healthSince") <= STALL_AFTER_S + 1 + SLACK_S
        assert task["metadata"]["peers"] == 3
        assert task["estimatedTimeRemaining"] is None


async def test_a_crash_loop_is_named_by_its_third_start(tmp_path: Path) -> None:
    """Killed after some seconds, started again, no log followed: how often is told."""
    async with watched(tmp_path, 600, 12_000) as (_, node, line):
        for start in range(3):
            await node.start()
            looked = "ok" if start < 2 else "crash-loop"

            def told(task: dict[str, Any], looked: str = looked) -> bool:
                return looked in (task["health"], task["reason"])

            task = await task_when(line, told)
            await asyncio.sleep(4)
            await node.stop(signal.SIGKILL)
            gone = await task_when(line, lambda task: task["health"] == "unreachable")
        assert "at least 2 times" in task["note"]
        assert "crash-loop" in [hint["code"] for hint in gone["hints"]]


@pytest.mark.parametrize(
    ("off", "way"), [(120, "ahead"), pytest.param(600, "ahead", marks=pytest.mark.long)]
)
async def test_a_clock_that_is_ahead_is_named_and_nothing_is_ready(
    tmp_path: Path, off: int, way: str
) -> None:
    """Node and daemon share a host whose clock is wrong; the node follows the tip."""
    try:
        clock_prefix(off)
    except SystemExit as missing:
        pytest.skip(str(missing))
    async with watched(tmp_path, 60, 16_000, clock_s=off) as (_, node, line):
        await node.start()
        task = await task_when(line, lambda task: task["reason"] == "clock-skew")
        hint = next(each for each in task["hints"] if each["code"] == "clock-skew")
        assert hint["params"]["way"] == way
        assert abs(hint["params"]["skew"] - off) <= 5
        await asyncio.sleep(10)
        task = await line.call("getTask", taskId="node")
        assert (task["status"], task["reason"], task["behind"]) == (
            "in-progress", "clock-skew", None,
        )  # fmt: skip
