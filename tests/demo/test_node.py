"""The recorded sync, played over real gRPC."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import re
import socket
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.base.jsontext import dumps
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import SHIPPED, Recording, load, shorten
from kaspad_taskd.kaspa.client import NodeClient, NodeError
from kaspad_taskd.kaspa.exchange import Exchange
from kaspad_taskd.kaspa.opening import open_node
from kaspad_taskd.kaspa.read import read_node
from kaspad_taskd.kaspa.sync.reading import NodeReading
from tests.fakes.patience import PATIENCE

WALL = 1_900_000_000_000  # ms, far from the recording's own time


class Clock:
    """Time that stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def wall_ms(self) -> float:
        return WALL + self.now * 1000


@pytest.fixture(scope="module")
def recording() -> Recording:
    return load()


async def look_at(recording: Recording, t: float, speed: float) -> NodeReading:
    clock = Clock()
    node = PlayingNode(recording, speed, monotonic=clock.monotonic, wall_ms=clock.wall_ms)
    async with node:
        clock.now += t / speed
        await node.turn()
        client = open_node(node.url, timeout=PATIENCE)
        try:
            return await read_node(client, lambda: int(clock.wall_ms()))
        finally:
            await client.close()


@pytest.mark.parametrize("speed", [1.0, 40.0])
@pytest.mark.parametrize("t", [40.0, 100.0, 150.0, 200.0, 278.0, 320.0])
async def test_as_recorded(recording: Recording, t: float, speed: float) -> None:
    """At any speed, a look sees the recorded answers, and each block as old as it was."""
    reading = await look_at(recording, t, speed)
    sample = recording.at(t)
    assert reading.network == "simnet"
    assert reading.virtual_daa_score == sample["virtualDaaScore"]
    assert reading.block_count == sample["blockCount"]
    assert reading.header_count == sample["headerCount"]
    assert reading.is_synced == sample["syncStatus"]
    assert reading.ibd_peers == sample["ibdPeers"]
    assert reading.difficulty == sample["difficulty"]
    counters = sample["metrics"]["consensusMetrics"]
    assert reading.header_counts == counters.get("headerCounts", 0)
    assert reading.sink_daa_score == sample["sinkDaaScore"]
    assert reading.sink_timestamp is not None
    lag = reading.at_ms - reading.sink_timestamp
    assert lag == pytest.approx(sample["unix_ms"] - sample["sinkTimestamp"], abs=600)
    assert reading.server_time_ms == reading.at_ms
    assert (reading.past_median_time == 0) == (sample["pastMedianTime"] == 0)


async def test_it_starts_unreachable(recording: Recording) -> None:
    """Until the recorded node answers, nothing listens on the port that is known already."""
    clock = Clock()
    async with PlayingNode(recording, monotonic=clock.monotonic) as node:
        client = open_node(node.url, timeout=PATIENCE)
        with pytest.raises(NodeError) as caught:
            await client.dag_info()
        assert caught.value.reason is Reason.REFUSED
        clock.now += 2
        await node.turn()
        assert (await client.dag_info()).network == "simnet"
        await client.close()


async def test_beyond_the_end(recording: Recording) -> None:
    """After the end the network goes on at ten blocks a second, and the node with it."""
    end = await look_at(recording, recording.duration, 1.0)
    later = await look_at(recording, recording.duration + 60, 1.0)
    assert later.virtual_daa_score == end.virtual_daa_score + 600
    assert later.sink_timestamp is not None
    assert later.at_ms - later.sink_timestamp < 10_000
    assert later.is_synced


def answer(t: float, **more: Any) -> dict[str, Any]:
    return {"t": t, "unix_ms": 1000 + 1000 * t, **more}


async def test_killed_and_silent(recording: Recording) -> None:
    """Where the recorded node was killed or silent, so is this one, on the same port."""
    good = {**recording.at(300), "t": 0.0}
    samples = (
        good,
        answer(10, error="unreachable"),
        {**good, "t": 20.0},
        answer(30, error="timeout"),
    )
    clock = Clock()
    async with PlayingNode(Recording(samples, ()), monotonic=clock.monotonic) as node:
        client = open_node(node.url, timeout=PATIENCE)
        assert await client.sync_status() is False
        clock.now += 10
        await node.turn()
        await heard_of_its_end(client)
        with pytest.raises(NodeError) as caught:
            await client.sync_status()
        assert caught.value.reason is Reason.REFUSED
        clock.now += 10
        await node.turn()
        assert await client.sync_status() is False
        await client.close()
        clock.now += 10
        client = open_node(node.url, timeout=0.2)
        with pytest.raises(NodeError) as caught:
            await client.sync_status()
        assert caught.value.reason is Reason.TIMEOUT
        await client.close()


async def heard_of_its_end(client: NodeClient) -> None:
    """A question that is under way when a connection ends is told so, not that none is made."""
    assert isinstance(client, Exchange)
    assert client._line is not None
    async with asyncio.timeout(PATIENCE):
        while client._line.ended is None:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_its_port_is_nobody_elses(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is down, from the very first moment, no other program is given its port."""
    shut = PlayingNode._shut
    tries = 0

    async def shut_and_try(node: PlayingNode) -> None:
        nonlocal tries
        await shut(node)
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", node.port))
        tries += 1

    monkeypatch.setattr(PlayingNode, "_shut", shut_and_try)
    clock = Clock()
    samples = ({**recording.at(300), "t": 0.0}, answer(10, error="unreachable"))
    async with PlayingNode(Recording(samples, ()), monotonic=clock.monotonic) as node:
        clock.now += 11
        await node.turn()
    assert tries > 1


async def test_log(recording: Recording, tmp_path: Path) -> None:
    """The log's lines come when they are due, stamped now, their blocks as old as they were."""
    clock = Clock()
    log = tmp_path / "kaspad.log"
    node = PlayingNode(recording, log=log, monotonic=clock.monotonic, wall_ms=clock.wall_ms)
    async with node:
        clock.now += 82.95
        await node.turn()
    lines = log.read_text().splitlines()
    assert "kaspad v2.1.0" in lines[0]
    found = re.fullmatch(
        r"(\S+ \S+) \[INFO \] IBD: Processed 1025 block headers \(6%\) last block timestamp: (.*)",
        lines[-1],
    )
    assert found
    written = datetime.fromisoformat(found[1]).timestamp() * 1000
    block = datetime.strptime(found[2], "%Y-%m-%d %H:%M:%S.%f:%z").timestamp() * 1000
    assert written == pytest.approx(clock.wall_ms(), abs=2)
    # 04:35:00.877 and 04:08:32.000 in the recording
    assert written - block == pytest.approx(1_588_877, abs=100)


def test_shipped() -> None:
    """The package's recording is small, starts down and ends synced."""
    assert SHIPPED.stat().st_size < 150 * 1024
    recording = load()
    assert recording.samples[0]["error"] == "unreachable"
    assert recording.samples[-1]["syncStatus"]
    assert 300 < recording.duration < 400


def test_shorten() -> None:
    """A shortened recording has what the node showed until then, the same each time."""
    entries = [answer(0, rpcMs=3.0), {"t": 1, "log": "a"}, {"t": 2, "event": "x"}, answer(9)]
    lines = [dumps(entry) for entry in entries]
    packed = shorten(lines, 5)
    assert gzip.decompress(packed) == b'{"t":0,"unix_ms":1000}\n{"t":1,"log":"a"}\n'
    assert shorten(lines, 5) == packed


def test_no_recording(tmp_path: Path) -> None:
    """A file without samples is refused by name."""
    path = tmp_path / "x.jsonl"
    path.write_text('{"t":1,"log":"a"}\n')
    with pytest.raises(ValueError, match=r"x\.jsonl: no sample"):
        load(path)


async def test_a_node_that_ends_answers_nobody(recording: Recording) -> None:
    """Who has connected and asked nothing yet is cut off as well, as by a killed program."""
    clock = Clock()
    async with PlayingNode(recording, monotonic=clock.monotonic) as node:
        clock.now += 100.0
        await node.turn()
        reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    async with asyncio.timeout(PATIENCE):
        with contextlib.suppress(ConnectionResetError):
            while await reader.read(1 << 16):
                pass
    writer.close()
