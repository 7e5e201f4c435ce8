"""The local node, asked about the blocks that an indexer goes on from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from kaspad_taskd.core.observation import Json, Observation, Reading
from kaspad_taskd.core.switch import SwitchReason
from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load
from kaspad_taskd.switching import node, verify
from kaspad_taskd.switching.hands import Bad, Good
from kaspad_taskd.switching.units import Systemd
from tests.fakes.bridged import free_port
from tests.fakes.hands import service
from tests.fakes.no_files import no_files
from tests.fakes.node import SINK, GrpcNode, Ways
from tests.fakes.patience import HEADER, PATIENCE, elapse, once

THERE = load().samples[-1]["sink"]
BLOCK = "block_checkpoint"


@pytest.fixture
async def ready() -> AsyncIterator[str]:
    """The URL of a node in sync."""
    async with PlayingNode(load(), 1_000_000) as playing:
        yield playing.url


async def ask(
    monkeypatch: pytest.MonkeyPatch, url: str, *found: tuple[str, str]
) -> tuple[SwitchReason, object] | None:
    """Why the node at `url` is not to be used, with what the database has on record."""

    async def asked(_name: str, _files: Mapping[str, Path]) -> list[tuple[str, str]]:
        return list(found)

    monkeypatch.setattr(node, "_checkpoints", asked)
    result = await node.checkpoints_there(service(node=url, dsn="ski"), {})
    return (result.reason, dict(result.facts)) if isinstance(result, Bad) else None


class Looks:
    """A probe that brings these, the last one again and again; it keeps what it was given."""

    def __init__(self, *seen: Reading) -> None:
        self.seen, self.memories = list(seen), list[Mapping[str, Json]]()

    async def observe(self, memory: Mapping[str, Json]) -> Observation:
        self.memories.append(memory)
        return self.seen.pop(0) if len(self.seen) > 1 else self.seen[0]

    async def close(self) -> None:
        pass


PAUSE = Reading(complete=True, settled=False, memory={"ready": 1})


@pytest.mark.looptime
async def test_a_node_that_only_looks_ready_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two passes, or cut off: one look is not believed, nor twenty that prove nothing."""
    looks = Looks(PAUSE)
    monkeypatch.setattr(node, "open_probe", lambda _definition: looks)
    result = await node.ready(service(), "1min")
    assert isinstance(result, Bad)
    assert result.reason is SwitchReason.NODE_NOT_SYNCED
    assert len(looks.memories) == node.PROVING
    assert isinstance(await node.ready(service(), "1min", looks=1), Good)  # for a hint


@pytest.mark.looptime
async def test_looks_that_prove_it_together_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one look remembers the next one gets, as it is for the node's own task."""
    looks = Looks(Reading(), PAUSE, PAUSE, Reading(complete=True))
    monkeypatch.setattr(node, "open_probe", lambda _definition: looks)
    assert isinstance(await node.ready(service(), "1min"), Good)
    assert looks.memories == [{}, {}, {"ready": 1}, {"ready": 1}]


async def test_checkpoints_have_to_be_on_the_node(
    ready: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both blocks; a new database has none."""
    assert await ask(monkeypatch, ready) is None
    assert await ask(monkeypatch, ready, (BLOCK, THERE), ("vcp_checkpoint", THERE)) is None
    missing = SwitchReason.CHECKPOINT_MISSING, {"name": "vcp_checkpoint"}
    found = (BLOCK, THERE), ("vcp_checkpoint", "00" * 32)
    assert await ask(monkeypatch, ready, *found) == missing


async def test_a_node_that_is_slow_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has just synced, and prunes: a look would go without that header, a switch cannot."""
    async with GrpcNode(Ways(holds={"getBlock"})) as slow:
        asking = asyncio.create_task(ask(monkeypatch, slow.url, (BLOCK, SINK)))
        await once(lambda: slow.ways.in_work)
        elapse(HEADER + 1)
        await asyncio.sleep(0.01)
        slow.ways.holds = set()
        assert await asking is None


async def test_a_node_that_does_not_answer_is_not_said_to_lack_a_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody would rebuild the indexer."""
    url = f"grpc://127.0.0.1:{free_port()}"
    gone = SwitchReason.NODE_UNREACHABLE, {"address": url}
    assert await ask(monkeypatch, url, (BLOCK, "00" * 32)) == gone


@pytest.mark.parametrize("value", ["", "v2:00", "00", "None"])
async def test_a_checkpoint_that_is_no_hash_is_not_passed_over(
    ready: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later version may write it in another way: then nobody knows."""
    unknown = SwitchReason.CHECKPOINT_UNKNOWN, {"database": "ski"}
    assert await ask(monkeypatch, ready, (BLOCK, value)) == unknown


async def test_an_address_that_is_slow_is_opened_once_more() -> None:
    """A busy node is not a closed one."""
    begun: list[web.Request] = []

    async def take(request: web.Request) -> web.WebSocketResponse:
        begun.append(request)
        if len(begun) == 1:
            await asyncio.Event().wait()
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        return ws

    app = web.Application()
    app.add_routes([web.get("/", take)])
    async with TestServer(app) as server:
        values = {"URL": f"ws://127.0.0.1:{server.port}"}
        asking = asyncio.create_task(node.endpoints_open(values))
        await once(lambda: begun)
        elapse(PATIENCE)
        assert isinstance(await asking, Good)


async def test_an_address_that_sends_elsewhere_is_no_node() -> None:
    """Whoever listens there would choose what this daemon connects to."""
    asked: list[str] = []

    async def elsewhere(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/node")

    async def take(request: web.Request) -> web.WebSocketResponse:
        asked.append(request.path)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        return ws

    app = web.Application()
    app.add_routes([web.get("/", elsewhere), web.get("/node", take)])
    async with TestServer(app) as server:
        url = f"ws://127.0.0.1:{server.port}"
        assert isinstance(await node.endpoints_open({"URL": url}), Bad)
        assert asked == []
        assert isinstance(await node.endpoints_open({"URL": f"{url}/node"}), Good)


@pytest.mark.parametrize("url", ["grpc://127.0.0.1:1", "ws://127.0.0.1:1", "grpc://node.invalid:1"])
async def test_a_daemon_without_files_blames_no_node(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody was asked: neither the node, nor its port for services, nor who has the blocks."""
    monkeypatch.setattr(node, "APART", 0.0)
    await asyncio.to_thread(int)  # its thread is there
    with no_files():
        result = await node.ready(service(node=url), "60s")
        opened = await node.endpoints_open({"URL": "ws://127.0.0.1:17110"})
        found = await ask(monkeypatch, url, (BLOCK, "0" * 64))
    assert isinstance(result, Bad)
    assert result.reason is SwitchReason.OWN_LIMIT, result
    assert isinstance(opened, Bad)
    assert opened.reason is SwitchReason.OWN_LIMIT, opened
    assert found is not None
    assert found[0] is SwitchReason.OWN_LIMIT


async def test_a_switch_without_files_does_not_say_that_the_service_is_silent() -> None:
    """Whether it answers is not known."""

    async def no_answer() -> bool:
        return False

    watch = verify.Watch(Systemd(user=False), None, {})
    with no_files():
        result = await verify._prove(watch, no_answer, 0.0, 0.0, {})
    assert isinstance(result, Bad)
    assert result.reason is SwitchReason.OWN_LIMIT
