"""The public node, looked at before a service goes there: over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from kaspad_taskd.core.fallback import PublicLook, PublicState
from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load
from kaspad_taskd.kaspa.sync import settling
from kaspad_taskd.switching import node, public
from tests.fakes.bridged import free_port
from tests.fakes.hands import service
from tests.fakes.no_files import no_files
from tests.fakes.node import GrpcNode, Ways

NETWORK = "simnet"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "APART", 0.05)
    monkeypatch.setattr(settling, "SPAN_S", 0.1)


async def look(*urls: str, network: str = NETWORK) -> PublicLook:
    values = {f"URL{number}": url for number, url in enumerate(urls)}
    return await public.look(service(network=network, public_env=values), "1min")


@asynccontextmanager
async def borsh(*paths: str) -> AsyncIterator[int]:
    """A port that takes WebSockets at these paths, and understands nobody."""

    async def take(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.receive()
        return ws

    app = web.Application()
    app.add_routes([web.get(path, take) for path in paths])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield port
    finally:
        await runner.cleanup()


async def test_a_node_that_can_be_asked_is_asked() -> None:
    """In sync, and seen to go on; on the service's network."""
    async with PlayingNode(load(), 1_000_000) as playing:
        found = await look(playing.url)
        assert found.state is PublicState.GOOD
        assert found.facts["address"] == playing.url.removeprefix("grpc://")
        other = await look(playing.url, network="mainnet")
        assert (other.state, other.facts["found"]) == (PublicState.WRONG_NETWORK, NETWORK)


async def test_a_node_that_still_syncs_is_not_good() -> None:
    """No service goes from one that is behind to another that is."""
    async with GrpcNode(Ways(network="simnet", synced=False)) as syncing:
        assert (await look(syncing.url)).state is PublicState.NOT_SYNCED


async def test_what_takes_borsh_alone_answers_and_tells_no_more() -> None:
    """It takes connections; a node's JSON, where the path says Borsh, is asked besides."""
    async with borsh("/wrpc/borsh", "/") as port:
        assert (await look(f"ws://127.0.0.1:{port}/wrpc/borsh")).state is PublicState.OPEN
        assert (await look(f"ws://127.0.0.1:{port}/elsewhere")).state is PublicState.SILENT


async def test_where_nothing_listens_it_is_silent() -> None:
    """Of several addresses the worst decides; no more than host and port is told."""
    gone = f"ws://127.0.0.1:{free_port()}/secret"
    async with PlayingNode(load(), 1_000_000) as playing:
        found = await look(playing.url, gone)
    assert found.state is PublicState.SILENT
    assert "secret" not in str(found.facts)
    assert (await look(f"grpc://127.0.0.1:{free_port()}")).state is PublicState.SILENT


async def test_an_address_of_its_own_is_not_known() -> None:
    """A service without one finds a node by itself; so does one with other values alone."""
    assert (await look()).state is PublicState.UNKNOWN
    assert (await look("kaspa.example.org", "10")).state is PublicState.UNKNOWN


async def test_our_own_limit_is_no_fault_of_the_node() -> None:
    """It is said as such, and nobody goes."""
    with no_files():
        found = await look("ws://127.0.0.1:17110")
    assert found.state is PublicState.OWN_LIMIT
    assert found.state.bad


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("ws://127.0.0.1:17110", "ws://127.0.0.1:18110"),
        ("ws://[::1]:17210/", "ws://[::1]:18210/"),
        ("wss://node.example.org/kaspa/mainnet/wrpc/borsh", "wss://node.example.org/kaspa/mainnet/wrpc/json"),
        ("wss://node.example.org/kaspa/mainnet/wrpc/json", "wss://node.example.org/kaspa/mainnet/wrpc/json"),
        ("wss://node.example.org", "wss://node.example.org"),
        ("grpc://node.example.org:16110", "grpc://node.example.org:16110"),
        ("wss://me:secret@node.example.org", None),
        ("wss://node.example.org?key=1", None),
        ("ws://node.example.org:99999", None),
    ],
)  # fmt: skip
def test_where_a_node_is_asked(url: str, asked: str | None) -> None:
    """Beside the Borsh port, or at it; never where a URL has what a node takes none of."""
    assert public.askable(url) == asked
