"""Looks at a node over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd import words
from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Hint, Reading, Refused, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.opening import open_node
from kaspad_taskd.kaspa.read import read_node
from kaspad_taskd.probes.node.node_sync import NodeSyncProbe, same_network
from kaspad_taskd.probes.probe_type import Means
from tests.fakes.node import GrpcNode
from tests.fakes.patience import PATIENCE, elapse


@pytest.fixture
async def node() -> AsyncIterator[GrpcNode]:
    async with GrpcNode() as node:
        yield node


def probe(url: str, means: Means | None = None, **config: Any) -> NodeSyncProbe:
    checker = {"url": url, **config}
    return NodeSyncProbe(
        Definition("n", "node-sync", "n", timeout=PATIENCE, checker=checker), means or Means()
    )


async def look(made: NodeSyncProbe, memory: Any = None) -> Any:
    try:
        return await made.observe(memory or {})
    finally:
        await made.close()


async def test_a_look_is_a_reading_with_named_facts(node: GrpcNode) -> None:
    """Over the wire, through the rules."""
    reading = await look(probe(node.url, network="mainnet"))
    assert isinstance(reading, Reading)
    assert not reading.complete
    assert reading.metadata["version"] == "2.1.0"
    assert reading.metadata["peers"] == 2
    assert reading.memory


async def test_another_network_is_refused_with_both_names(node: GrpcNode) -> None:
    """It cannot become success."""
    node.ways.network = "testnet-10"
    refused = await look(probe(node.url, network="mainnet"))
    found = {"network": "testnet-10", "expected": "mainnet"}
    assert refused == Refused(Reason.WRONG_NETWORK, found, (Hint("wrong-network", found),))
    assert isinstance(await look(probe(node.url, network="testnet")), Reading)


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        ("testnet-10", "testnet-10", True),
        ("testnet", "testnet-10", True),
        ("testnet", "testnet-12", True),
        ("testnet-10", "testnet-12", False),
        ("testnet-1", "testnet-12", False),
        ("testnet-12", "testnet", False),
        ("mainnet", "testnet-10", False),
    ],
)
def test_networks_are_told_apart(expected: str, found: str, same: bool) -> None:
    """By their whole names; "testnet" alone takes any of them."""
    assert same_network(expected, found) is same


async def test_no_answer_is_unreachable_with_its_reason(node: GrpcNode) -> None:
    """Nothing listens there."""
    url = node.url
    await node.__aexit__()
    missed = await look(probe(url))
    assert isinstance(missed, Unreachable)
    assert missed.reason is Reason.REFUSED


@pytest.mark.parametrize(
    ("scheme", "says", "note"),
    [
        ("grpc", b"", "{address} closed the connection instead of answering: "),
        ("ws", b"", "{address} closed the connection instead of answering: "),
        ("ws", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
         "A web server answers at {address}, not kaspad."),
        ("ws", b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "not ready yet (HTTP 503)."),
        ("ws", b"SSH-2.0-OpenSSH_9.2\r\n", "An SSH server answers at {address}, not kaspad."),
        ("ws", b"*1\r\n", "Its answer cannot be used: "),
    ],
)  # fmt: skip
async def test_the_sentence_for_what_is_no_node_names_what_was_asked(
    scheme: str, says: bytes, note: str
) -> None:
    """Whoever reads it knows which address to look at."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(says)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        missed = await look(probe(f"{scheme}://{address}"))
    assert isinstance(missed, Refused if "server" in note else Unreachable)
    assert note.format(address=address) in words.note(missed.reason, missed.params)


async def test_the_reference_tells_the_tip_and_may_be_silent(node: GrpcNode) -> None:
    """Without it the look is less exact, no more."""
    async with GrpcNode() as other:
        known = await look(probe(node.url, reference=other.url))
        other.ways.network = "simnet"
        foreign = await look(probe(node.url, reference=other.url))
        url = other.url
    silent = await look(probe(node.url, reference=url))
    assert known.metadata["referenceAnswers"] is True
    assert known.metadata["networkTip"] == 505
    assert foreign.metadata["referenceAnswers"] is False
    assert silent.metadata["referenceAnswers"] is False


class SlowNode(GrpcNode):
    """Takes `seconds` over the answer to `slow`."""

    slow, seconds = "getBlockDagInfo", 20.0

    def _build(self, method: str, request: Any) -> Any:
        if method == self.slow:
            elapse(self.seconds)
        return super()._build(method, request)


class AgedNode(SlowNode):
    """Its newest block is always 75 s old."""

    def _build(self, method: str, request: Any) -> Any:
        answer = super()._build(method, request)
        if method == "getBlockDagInfo":
            self.sink = loop_ms() - 75_000
        if method == "getBlock":
            answer.getBlockResponse.block.header.timestamp = self.sink
        if method == "getMetrics":
            answer.getMetricsResponse.serverTime = loop_ms()
        return answer


def loop_ms() -> int:
    """A wall clock that goes with the loop's, and can be elapsed."""
    return int(asyncio.get_running_loop().time() * 1000) + 10**12


@pytest.mark.parametrize("slow", ["getBlockDagInfo", "getInfo", "getConnectedPeerInfo", "getBlock"])
async def test_a_slow_answer_makes_no_block_younger(slow: str) -> None:
    """Its age counts from when the position was told: 75 s, whichever answer takes 20 s."""
    async with AgedNode() as aged:
        aged.slow = slow
        reading = await look(probe(aged.url, Means(wall=loop_ms)))
    assert 75 <= reading.behind < 85
    assert "clock-skew" not in [hint.code for hint in reading.hints]


async def test_a_slow_side_answer_is_no_wrong_clock() -> None:
    """What the node's clock says is of the moment at which it says it."""
    async with AgedNode() as aged:
        aged.slow, aged.seconds = "getMetrics", 45.0
        client = open_node(aged.url, timeout=PATIENCE)
        reading = await read_node(client, loop_ms)
        await client.close()
    assert reading.server_time_ms is not None
    assert abs(reading.server_time_ms - reading.at_ms) < 10_000


@pytest.mark.parametrize(("node_s", "other_s"), [(20.0, 0.0), (0.0, 20.0)])
async def test_node_and_reference_are_compared_at_one_moment(node_s: float, other_s: float) -> None:
    """Both always say the score of the moment of their answer: the node is never behind."""
    async with ScoringNode() as first, ScoringNode() as other:
        first.seconds, other.seconds = node_s, other_s
        other.waits_for = first if other_s else None
        first.waits_for = other if node_s else None
        reading = await look(probe(first.url, Means(wall=loop_ms), reference=other.url))
    assert reading.metadata["referenceAnswers"] is True
    assert abs(reading.metadata["networkTip"] - reading.metadata["virtualDaaScore"]) < 60


class ScoringNode(SlowNode):
    """Its score goes on by 10 a second; it answers after the node that it `waits_for`."""

    waits_for: ScoringNode | None = None
    told = False

    async def _answer(self, stream: Any, method: str, request: Any) -> None:
        while method == self.slow and self.waits_for is not None and not self.waits_for.told:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await super()._answer(stream, method, request)
        if method == self.slow:
            await asyncio.sleep(0.1)
            self.told = True

    def _build(self, method: str, request: Any) -> Any:
        answer = super()._build(method, request)
        if method == "getBlockDagInfo":
            said = answer.getBlockDagInfoResponse
            said.blockCount = said.headerCount = said.virtualDaaScore = loop_ms() // 100
        return answer


async def test_the_log_refines_and_its_place_is_kept(node: GrpcNode, tmp_path: Path) -> None:
    """Its lines come into the story; the next look goes on behind them."""
    log = tmp_path / "kaspad.log"
    log.write_text(f"[x]\nApplication directory: {tmp_path}\nIBD started with peer a:1\n")
    reading = await look(probe(node.url, log=str(log)))
    assert reading.memory["story"]["appdir"] == str(tmp_path)
    assert reading.memory["cursor"][2] == log.stat().st_size
    absent = await look(probe(node.url, log=str(tmp_path / "none")))
    assert "cannot read" in absent.metadata["logProblem"]


def log_hints(seen: Any) -> list[str]:
    return [hint.code for hint in seen.hints if hint.code.startswith("log-")]


async def test_a_named_log_that_tells_nothing_is_said(node: GrpcNode, tmp_path: Path) -> None:
    """Not readable, another program's, or silent; while the node answers and while it does not."""
    log = tmp_path / "node.log"
    absent = await look(probe(node.url, log=str(log)))
    assert log_hints(absent) == ["log-unread"]
    log.write_text("level=info msg=hello\n" * 30)
    foreign = await look(probe(node.url, log=str(log)))
    assert log_hints(foreign) == ["log-not-understood"]
    log.write_text("")
    made = probe(node.url, log=str(log))
    made._wall = lambda: 1_000
    first: Any = await made.observe({})
    made._wall = lambda: 3_700_000
    quiet = await look(made, first.memory)
    assert log_hints(quiet) == ["log-silent"]
    url = node.url
    await node.__aexit__()
    missed = await look(probe(url, log=str(log)), foreign.memory)
    assert log_hints(missed) == ["log-not-understood"]
    missed = await look(probe(url, log=str(tmp_path / "none")))
    assert log_hints(missed) == ["log-unread"]


async def test_a_container_s_log_tells_what_the_bare_one_would(
    node: GrpcNode, tmp_path: Path
) -> None:
    """Docker's JSON, through the probe."""
    log = tmp_path / "id-json.log"
    rows = [f"Application directory: {tmp_path}", "IBD started with peer a:1"]
    at = "2026-11-29T14:00:00.1Z"
    log.write_text(
        "".join(
            json.dumps({"log": f"2026-11-29 14:00:00.000+00:00 [INFO ] {row}\n", "time": at}) + "\n"
            for row in rows
        )
    )
    reading = await look(probe(node.url, log=str(log)))
    assert reading.memory["story"]["appdir"] == str(tmp_path)
    assert reading.memory["story"]["heard"] == 2


async def test_a_question_at_its_start_is_named(node: GrpcNode, tmp_path: Path) -> None:
    """The node exits again and again; its log tells why."""
    log = tmp_path / "kaspad.log"
    log.write_text("Do you confirm? (y/n)\nOperation was rejected (), exiting..\n")
    url = node.url
    await node.__aexit__()
    missed = await look(probe(url, log=str(log)))
    assert missed.reason is Reason.DB_PROMPT
    assert [hint.code for hint in missed.hints] == ["db-prompt"]
    assert missed.memory["story"]["death"] == "prompt"


async def test_what_it_died_of_is_said_while_it_is_down(node: GrpcNode, tmp_path: Path) -> None:
    """The disk that ran full, with what is free; and nothing of it once it answers again."""
    log = tmp_path / "kaspad.log"
    log.write_text(f"Application directory: {tmp_path}\nkaspad v2.1.0\n")
    before = await look(probe(node.url, log=str(log)))
    with log.open("a") as file:
        file.write(
            "thread 'main' panicked at a.rs:1:1: IO error: No space left on device: secret\n"
        )
    dying = await look(probe(node.url, log=str(log)), before.memory)
    assert dying.memory["story"]["death"] == "no-space"
    later = await look(probe(node.url, log=str(log)), dying.memory)
    assert "death" not in later.memory["story"]
    url = node.url
    await node.__aexit__()
    missed = await look(probe(url, log=str(log)), dying.memory)
    assert missed.reason is Reason.DISK_FULL
    (hint,) = missed.hints
    assert hint.code == "disk-full"
    assert {"left", "again"} & set(hint.params)
    assert "free" in words.note(missed.reason, missed.params)
    assert "secret" not in str(missed)


async def test_the_room_is_that_of_the_data_dir_where_one_is_named(
    node: GrpcNode, tmp_path: Path
) -> None:
    """What its log calls its directory may be another one, as in a container: not asked then."""
    log = tmp_path / "kaspad.log"
    log.write_text(f"Application directory: {tmp_path}\nkaspad v2.1.0\n")
    before = await look(probe(node.url, log=str(log)))
    url = node.url
    await node.__aexit__()
    with log.open("a") as file:
        file.write("thread 'main' panicked at a.rs:1:1: IO error: No space left on device\n")
    for place, known in ((tmp_path, True), (tmp_path / "none", False)):
        seen = await look(probe(url, log=str(log), dataDir=str(place)), before.memory)
        hints = {each.code: set(each.params) for each in seen.hints}
        assert bool({"left", "again"} & hints["disk-full"]) is known
