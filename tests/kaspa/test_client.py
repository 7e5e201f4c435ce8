"""A node asked over real sockets: every way in which it can answer, and not answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from grpclib.const import Status

from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.client import (
    BlockHeader,
    DeclinedError,
    MissingError,
    NodeClient,
    NodeError,
    clean,
    finite,
    plain_network,
)
from kaspad_taskd.kaspa.opening import open_node
from kaspad_taskd.kaspa.read import read_node
from kaspad_taskd.kaspa.sync.reading import NodeReading, PeerClock
from tests.fakes.bridged import free_port
from tests.fakes.node import P2P_ID, PEERS, PRUNING, SINK, SYSTEM_ID, GrpcNode, Ways, WrpcNode
from tests.fakes.patience import HEADER, PATIENCE, elapse, once

NODES: list[Any] = [GrpcNode, WrpcNode]
both = pytest.mark.parametrize("kind", NODES, ids=["grpc", "wrpc"])

READING = NodeReading(
    at_ms=5_000,
    network="mainnet",
    block_count=5,
    header_count=10,
    virtual_daa_score=500,
    past_median_time=1_000,
    pruning_point=PRUNING,
    sink=SINK,
    difficulty=1.5,
    is_synced=True,
    has_transitional_check=True,
    peers=2,
    ibd_peers=1,
    ibd_peer=PEERS[0]["id"],
    ibd_connected_ms=90_000,
    peer_clocks=(PeerClock(-30, 90_000),),
    peer_versions=("", "/kaspad:2.1.0/?[31m"),
    header_counts=1,
    body_counts=3,
    chain_block_counts=4,
    p2p_rx_bytes=66,
    disk_write_bytes=77,
    server_time_ms=123,
    sink_timestamp=900,
    sink_daa_score=499,
    p2p_id=P2P_ID,
    system_id=SYSTEM_ID,
    server_version="2.1.0",
    has_utxo_index=True,
    protocol="rust",
)
HEADLESS = replace(READING, sink_timestamp=None, sink_daa_score=None)


@asynccontextmanager
async def opened(url: str, timeout: float = PATIENCE) -> AsyncIterator[Any]:
    client = open_node(url, timeout=timeout)
    try:
        yield client
    finally:
        await client.close()


async def look(client: NodeClient) -> NodeReading:
    return await read_node(client, lambda: 5_000)


async def reason_of(client: NodeClient) -> Reason:
    with pytest.raises(NodeError) as caught:
        await look(client)
    return caught.value.reason


async def overdue(ways: Ways, method: str, client: Any, seconds: float) -> NodeReading:
    """A look whose deadline passes while its last question, this one, is with the node."""
    ways.asked.clear()
    looking = asyncio.create_task(look(client))
    await once(lambda: method in ways.asked and len(client._line._waiting) == 1)
    await asyncio.sleep(0.01)  # the other answers are taken
    elapse(seconds)
    return await looking


@both
async def test_look(kind: Any) -> None:
    """One look brings every field, the same over both transports."""
    async with kind() as node, opened(node.url) as client:
        assert await look(client) == READING


@both
async def test_one_connection(kind: Any) -> None:
    """Looks share one connection; the program is asked about once, the rest flies together."""
    async with kind() as node, opened(node.url) as client:
        await look(client)
        node.ways.asked.clear()
        node.ways.holds = {"getSyncStatus", "getMetrics", "getBlock"}
        looking = asyncio.create_task(look(client))
        await once(lambda: node.ways.together >= 3)
        node.ways.holds = set()
        await looking
        assert node.ways.connections == 1
        assert sorted(node.ways.asked) == [
            "getBlock",
            "getBlockDagInfo",
            "getConnectedPeerInfo",
            "getMetrics",
            "getSyncStatus",
        ]


async def test_go_node() -> None:
    """A Go node is asked one thing at a time, and after one look nothing that it lacks."""
    async with GrpcNode(Ways(go=True)) as node, opened(node.url) as client:
        reading = await look(client)
        assert reading == replace(
            READING,
            sink="",
            has_transitional_check=False,
            header_counts=None,
            body_counts=None,
            chain_block_counts=None,
            p2p_rx_bytes=None,
            disk_write_bytes=None,
            server_time_ms=None,
            sink_timestamp=None,
            sink_daa_score=None,
            system_id=None,
            server_version="0.12.17",
            protocol="go",
        )
        assert await look(client) == reading
        node.ways.asked.clear()
        assert await look(client) == reading
        assert node.ways.connections == 4
        assert node.ways.together == 1
        assert node.ways.asked == ["getBlockDagInfo", "getInfo", "getConnectedPeerInfo"]


@both
@pytest.mark.parametrize("method", ["getSyncStatus", "getSystemInfo", "getMetrics"])
async def test_a_question_it_lacks(kind: Any, method: str) -> None:
    """A node that ends the connection on a question is asked it once, and read without it."""
    async with kind(Ways(lacks={method})) as node, opened(node.url) as client:
        for _ in range(3):
            reading = await look(client)
        assert node.ways.asked.count(method) == 1
        assert node.ways.connections == 2
        assert reading.is_synced
        assert reading.has_transitional_check == (method != "getSyncStatus")
        assert (reading.header_counts is None) == (method == "getMetrics")
        assert (reading.system_id is None) == (method == "getSystemInfo")


@both
async def test_who_it_is_is_asked_once_a_connection(kind: Any) -> None:
    """A node that starts anew has a new identity, and the same system."""
    async with kind() as node, opened(node.url) as client:
        for _ in range(3):
            reading = await look(client)
        assert (reading.p2p_id, reading.system_id) == (P2P_ID, SYSTEM_ID)
        assert node.ways.asked.count("getInfo") == node.ways.asked.count("getSystemInfo") == 1
        client._line.hang_up(NodeError(Reason.STREAM_CLOSED))
        await look(client)
        assert node.ways.asked.count("getInfo") == node.ways.asked.count("getSystemInfo") == 2


@both
@pytest.mark.parametrize("way", ["error", "hang"])
async def test_a_system_that_is_not_told(kind: Any, way: str) -> None:
    """It costs neither the look nor the connection, and the next look asks again in vain."""
    ways = Ways(errors={"getSystemInfo": "no"}) if way == "error" else Ways(hangs={"getSystemInfo"})
    async with kind(ways) as node, opened(node.url) as client:
        looking = asyncio.create_task(look(client))
        await once(lambda: "getSystemInfo" in node.ways.asked)
        if way == "hang":  # an error's answer is under way, and not late
            elapse(HEADER)
        assert (await looking).system_id is None
        assert await look(client) == replace(READING, system_id=None)
        assert node.ways.asked.count("getSystemInfo") == 1
        assert node.ways.connections == 1


async def test_missing_is_said() -> None:
    """A question that the node lacks raises MissingError, the second time without asking."""
    async with GrpcNode(Ways(go=True)) as node, opened(node.url) as client:
        for _ in range(2):
            with pytest.raises(MissingError):
                await client.sync_status()
        assert node.ways.asked == ["getSyncStatus"]


@pytest.mark.parametrize("noticed", [True, False])
async def test_another_program_on_the_port(noticed: bool) -> None:
    """A node in the place of one of the other family is seen as such, and asked everything."""
    port = free_port()
    client: Any = open_node(f"grpc://127.0.0.1:{port}", timeout=PATIENCE)
    for go in (True, False, True):
        async with GrpcNode(Ways(go=go), port):
            await look(client)
            reading = await look(client)
            assert reading.protocol == ("go" if go else "rust")
            assert reading.has_transitional_check is not go
        await once(lambda: client._line.ended is not None)
        if noticed:
            assert await reason_of(client) is Reason.REFUSED
    await client.close()


@both
async def test_no_proxy_of_the_environment_is_asked(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node on this host is asked itself, whatever proxy its daemon was started with."""
    for name in ("http_proxy", "https_proxy", "grpc_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with kind() as node, opened(node.url) as client:
        assert await look(client) == READING


@both
async def test_hanging_question(kind: Any) -> None:
    """A cheap question without an answer is a timeout; the next look is on a new connection."""
    async with kind() as node, opened(node.url) as client:
        await look(client)
        node.ways.hangs = {"getConnectedPeerInfo"}
        with pytest.raises(NodeError) as caught:
            await overdue(node.ways, "getConnectedPeerInfo", client, PATIENCE)
        assert caught.value.reason is Reason.TIMEOUT
        node.ways.hangs = set()
        assert await look(client) == READING
        assert node.ways.connections == 2


@both
async def test_slow_header(kind: Any) -> None:
    """A header that pruning holds up is "no data"; the connection stays, no second is asked."""
    async with kind() as node, opened(node.url) as client:
        await look(client)
        node.ways.hangs = {"getBlock"}
        assert await overdue(node.ways, "getBlock", client, HEADER) == HEADLESS
        for _ in range(2):
            assert await look(client) == HEADLESS
        assert node.ways.asked.count("getBlock") == 1
        assert node.ways.connections == 1


@both
async def test_late_header(kind: Any) -> None:
    """A header's answer that comes after its deadline is dropped and shifts no other answer."""
    async with kind() as node, opened(node.url) as client:
        await look(client)
        node.ways.holds = {"getBlock"}
        assert await overdue(node.ways, "getBlock", client, HEADER) == HEADLESS
        node.ways.holds = set()
        async with asyncio.timeout(PATIENCE):
            while (reading := await look(client)) == HEADLESS:  # noqa: ASYNC110 - it is on its way
                await asyncio.sleep(0.01)
        assert reading == READING
        assert node.ways.connections == 1


@both
async def test_cancelled_look(kind: Any) -> None:
    """A look that is cancelled ends at once, and the next one works."""
    async with kind() as node, opened(node.url) as client:
        await look(client)
        node.ways.hangs = {"getMetrics"}
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await look(client)
        node.ways.hangs = set()
        assert await look(client) == READING


async def test_drips() -> None:
    """An answer that comes in drips is a timeout, however long it goes on."""
    ways = Ways(drips={"getBlockDagInfo"})
    async with GrpcNode(ways) as node, opened(node.url, timeout=0.3) as client:
        assert await reason_of(client) is Reason.TIMEOUT


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (Status.RESOURCE_EXHAUSTED, Reason.BUSY),
        (Status.UNAVAILABLE, Reason.STOPPING),
        (Status.UNIMPLEMENTED, Reason.WRONG_PROGRAM),
        (Status.INTERNAL, Reason.BAD_ANSWER),
    ],
)
async def test_status(status: Status, reason: Reason) -> None:
    """What a node says by the status of the stream has its own reason, and may pass."""
    async with GrpcNode(Ways(refuse=(status, "no"))) as node, opened(node.url) as client:
        assert await reason_of(client) is reason
        node.ways.refuse = None
        assert await look(client) == READING


@both
async def test_end_of_the_connection(kind: Any) -> None:
    """A node that ends the connection on a question that all know has closed it: no hanging."""
    async with kind(Ways(lacks={"getBlockDagInfo"})) as node, opened(node.url) as client:
        for _ in range(2):
            assert await reason_of(client) is Reason.STREAM_CLOSED
        node.ways.lacks = set()
        assert await look(client) == READING


@both
async def test_a_node_that_ends_amid_its_answers(kind: Any) -> None:
    """Its host is well, and the way to it: the program went, and has closed the connection."""
    async with kind() as node, opened(node.url) as client:
        await look(client)
        node.ways.hangs = {"getBlockDagInfo"}
        asking = asyncio.create_task(reason_of(client))
        await once(lambda: node.ways.in_work)
        await node.__aexit__()
        assert await asking is Reason.STREAM_CLOSED


GARBAGE = {
    GrpcNode: [
        b"\xff" * 30,
        b"\0",
        b"\xa8\x06\x01",  # an id and nothing else
        bytes(5 * 1024 * 1024),
        b"\xa8\x06\x01\xa2D\x03\x0a\x01\xff",  # a name that is no UTF-8
    ],
    WrpcNode: [
        b"no json",
        b"[]",
        b'{"id":1}',
        b'{"id":1,"method":"getNothing","params":{}}',
        b'{"id":1,"method":"getBlockDagInfo","params":{"network":"mainnet"}}',
        b'{"id":1,"method":"getBlockDagInfo","params":7}',
        b'{"id":"1","method":"getSyncStatus","params":{"isSynced":true}}',
        b'{"id":1,"method":"getSyncStatus","params":{"isSynced":1}}',
        b'{"id":1,"method":["x"],"params":{}}',
        b'{"id":1,"method":"getConnectedPeerInfo","params":{"peerInfo":[null]}}',
        b'{"id":1,"method":"getConnectedPeerInfo","params":{"peerInfo":5}}',
        b'"' + b"x" * (5 * 1024 * 1024) + b'"',
    ],
}


@pytest.mark.parametrize(
    ("kind", "raw"),
    [(kind, raw) for kind in NODES for raw in GARBAGE[kind]],
    ids=lambda value: str(value[:40]) if isinstance(value, bytes) else value.__name__,
)
async def test_garbage(kind: Any, raw: bytes) -> None:
    """An answer that is none, of the wrong shape or far too large is a bad answer, once."""
    async with kind(Ways(raw={"getBlockDagInfo": raw})) as node, opened(node.url) as client:
        assert await reason_of(client) is Reason.BAD_ANSWER
        node.ways.raw = {}
        assert await look(client) == READING


@both
async def test_an_answer_to_something_else(kind: Any) -> None:
    """Answers under ids that nobody asked with are dropped; the question times out."""
    async with kind() as node, opened(node.url) as client:
        await look(client)
        node.ways.ids = {"getSyncStatus": 2**64 - 1}
        node.ways.asked.clear()
        looking = asyncio.create_task(reason_of(client))
        await once(lambda: len(node.ways.asked) == 5 and not node.ways.in_work)
        elapse(PATIENCE)
        assert await looking is Reason.TIMEOUT


async def test_flood() -> None:
    """A node that sends answers nobody asked for is no kaspad."""
    async with GrpcNode(Ways(flood=1000)) as node, opened(node.url) as client:
        assert await reason_of(client) is Reason.BAD_ANSWER


@both
async def test_infinite_difficulty(kind: Any) -> None:
    """Infinity on gRPC and null in JSON are None."""
    async with kind(Ways(difficulty=float("inf"))) as node, opened(node.url) as client:
        assert (await look(client)).difficulty is None


@both
async def test_other_network(kind: Any) -> None:
    """The network's name is without prefix over both transports; judging it is the probe's."""
    async with kind(Ways(network="testnet-10")) as node, opened(node.url) as client:
        assert (await look(client)).network == "testnet-10"


@both
async def test_errors_of_the_node(kind: Any) -> None:
    """An error to a side question is no data, to a needed one the look's end, and no more."""
    async with kind() as node, opened(node.url) as client:
        node.ways.errors = {"getMetrics": "transitional", "getBlock": "transitional"}
        reading = await look(client)
        assert reading.header_counts is None
        assert reading.sink_timestamp is None
        node.ways.errors = {"getBlockDagInfo": "no\nidea"}
        with pytest.raises(DeclinedError) as caught:
            await look(client)
        assert caught.value.detail == "no?idea"
        node.ways.errors = {}
        assert await look(client) == READING
        assert node.ways.connections == 1


@both
async def test_block_header(kind: Any) -> None:
    """A block's header, None for a block that the node does not have, an error otherwise."""
    async with kind() as node, opened(node.url) as client:
        assert await client.block_header(SINK) == BlockHeader(900, 499)
        assert await client.block_header("00" * 32) is None
        node.ways.errors = {"getBlock": "consensus is currently in a transitional ibd state"}
        with pytest.raises(DeclinedError):
            await client.block_header(SINK)


@both
async def test_a_block_that_somebody_needs(kind: Any) -> None:
    """Who opened the client so waits for a header as long as for any other answer."""
    async with kind(Ways(holds={"getBlock"})) as node:
        client = open_node(node.url, timeout=PATIENCE, header=PATIENCE)
        asking = asyncio.create_task(client.block_header(SINK))
        await once(lambda: node.ways.in_work)
        elapse(HEADER + 1)
        await asyncio.sleep(0.01)
        node.ways.holds = set()
        assert await asking == BlockHeader(900, 499)
        await client.close()


@pytest.mark.parametrize("scheme", ["grpc", "ws"])
async def test_nothing_listens(scheme: str) -> None:
    """A port that nobody listens on refuses; the node that comes up there is found at once."""
    async with opened(f"{scheme}://localhost:{free_port()}") as client:
        assert await reason_of(client) is Reason.REFUSED


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@asynccontextmanager
async def stranger(talk: Talk) -> AsyncIterator[int]:
    """Serve TCP in another protocol; yield the port."""
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await talk(reader, writer)
        await ended.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        ended.set()
        await asyncio.sleep(0.01)
        server.close()


async def web_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as an HTTP/1.1 server does to what it does not understand."""
    await reader.read(10)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    writer.close()


async def no_frames(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send what is no HTTP/2."""
    await reader.read(10)
    writer.write(bytes(99))


async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send the client elsewhere."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n")


async def starting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as a proxy whose node is down."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n")


async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept and say nothing."""


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close at once."""
    writer.close()


@pytest.mark.parametrize(
    ("scheme", "talk", "reason"),
    [
        ("grpc", web_server, Reason.WRONG_PROGRAM),
        ("grpc", no_frames, Reason.BAD_ANSWER),
        ("grpc", mute, Reason.TIMEOUT),
        ("grpc", hang_up, Reason.STREAM_CLOSED),
        ("ws", web_server, Reason.WRONG_PROGRAM),
        ("ws", redirect, Reason.BAD_ANSWER),
        ("ws", starting, Reason.NOT_READY),
        ("ws", mute, Reason.TIMEOUT),
        ("ws", hang_up, Reason.STREAM_CLOSED),
    ],
)
async def test_strangers(scheme: str, talk: Talk, reason: Reason) -> None:
    """Whatever listens there, the look ends in time with a reason."""
    patience = 0.3 if reason is Reason.TIMEOUT else PATIENCE
    async with (
        stranger(talk) as port,
        opened(f"{scheme}://127.0.0.1:{port}", patience) as client,
    ):
        for _ in range(2):
            assert await reason_of(client) is reason


@both
async def test_forbidden(kind: Any) -> None:
    """An address that may not be asked is never connected to."""
    asked: list[tuple[str, int]] = []

    def allow(ip: str, port: int) -> bool:
        asked.append((ip, port))
        return False

    async with kind() as node:
        client = open_node(node.url.replace("127.0.0.1", "localhost"), allow, PATIENCE)
        assert await reason_of(client) is Reason.FORBIDDEN
        assert node.ways.connections == 0
        assert {ip for ip, _ in asked} == {"127.0.0.1", "::1"}
        await client.close()


@both
async def test_close_lets_all_go(kind: Any) -> None:
    """After close no task and no connection is left, whatever was in flight."""
    before = asyncio.all_tasks()
    async with kind(Ways(hangs={"getBlock"})) as node:
        tasks = asyncio.all_tasks()
        client = open_node(node.url, timeout=PATIENCE)
        assert await overdue(node.ways, "getBlock", client, HEADER) == HEADLESS
        await client.close()
        await once(lambda: asyncio.all_tasks() <= tasks)
    await once(lambda: asyncio.all_tasks() == before)


def test_words() -> None:
    """Names lose their prefix, strangers' text becomes one printable line, numbers stay finite."""
    assert plain_network("kaspa-testnet-10") == "testnet-10"
    assert plain_network("mainnet") == "mainnet"
    assert clean("a\x1b[0m\nb", 5) == "a?[0m"
    assert [finite(x) for x in (1.5, float("inf"), -float("inf"), float("nan"), None)] == [
        1.5,
        None,
        None,
        None,
        None,
    ]
