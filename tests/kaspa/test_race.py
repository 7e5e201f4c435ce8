"""A name with several addresses: one that hangs costs a quarter of a second, and no look."""

from __future__ import annotations

import asyncio
import itertools
import socket
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.kaspa.client import NodeError
from kaspad_taskd.kaspa.opening import open_node
from kaspad_taskd.kaspa.race import interleaved, open_socket
from kaspad_taskd.kaspa.read import read_node
from kaspad_taskd.kaspa.resolver import Resolver
from tests.fakes.bridged import free_port
from tests.fakes.hanging import HANGS, hanging, resolves
from tests.fakes.node import GrpcNode, WrpcNode
from tests.fakes.patience import PATIENCE

HERE = "127.0.0.1"


@given(st.lists(st.sampled_from(["1.1.1.1", "2.2.2.2", "3.3.3.3", "::1", "::2"]), unique=True))
def test_families_take_turns(ips: list[str]) -> None:
    """The first stays first, every address is kept, and families alternate while there are two."""
    mixed = interleaved(ips)
    assert sorted(mixed) == sorted(ips)
    assert mixed[:1] == ips[:1]
    fewer = min(sum(":" in ip for ip in ips), sum(":" not in ip for ip in ips))
    for one, two in itertools.pairwise(mixed[: 2 * fewer]):
        assert (":" in one) is not (":" in two)


@pytest.mark.parametrize("kind", [GrpcNode, WrpcNode], ids=["grpc", "wrpc"])
async def test_a_node_whose_first_address_hangs(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is asked within the deadline; each that is connected to was allowed."""
    asked: list[str] = []

    def allow(ip: str, _port: int) -> bool:
        asked.append(ip)
        return True

    async with kind() as node:
        port = int(node.url.rpartition(":")[2])
        resolves(monkeypatch, HANGS, HERE)
        with hanging(port):
            client = open_node(f"{node.url.partition(':')[0]}://node.example:{port}", allow, 30.0)
            assert (await read_node(client, lambda: 5_000)).virtual_daa_score == 500
            await client.close()
    assert set(asked) == {HANGS, HERE}


@pytest.mark.parametrize("kind", [GrpcNode, WrpcNode], ids=["grpc", "wrpc"])
async def test_an_address_that_is_not_allowed_takes_no_part(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it alone would answer."""
    async with kind() as node:
        port = int(node.url.rpartition(":")[2])
        resolves(monkeypatch, HANGS, HERE)
        with hanging(port):
            url = f"{node.url.partition(':')[0]}://node.example:{port}"
            client = open_node(url, lambda ip, _: ip == HANGS, 0.7)
            with pytest.raises(NodeError):
                await client.dag_info()
            await client.close()
        assert node.ways.connections == 0


async def test_what_lost_the_race_is_let_go() -> None:
    """The winner's socket alone is left, and no task."""
    port = free_port()
    listener = socket.create_server((HERE, port))
    tasks = asyncio.all_tasks()
    with listener, hanging(port), await open_socket([HANGS, HERE], port) as won:
        assert won.getpeername() == (HERE, port)
    assert asyncio.all_tasks() == tasks


async def test_the_next_is_tried_at_once_where_one_fails() -> None:
    """Refusals cost no stagger: twenty of them less than twenty quarters of a second."""
    port = free_port()
    began = time.monotonic()
    with socket.create_server((HERE, port)):
        others = [f"127.0.0.{n}" for n in range(3, 63)]
        with await open_socket([*others, HERE], port) as won:
            assert won.getpeername() == (HERE, port)
    assert time.monotonic() - began < 0.25 * len(others)


async def test_where_nobody_takes_it_a_refusal_is_said() -> None:
    """It proves most."""
    with pytest.raises(ConnectionRefusedError):
        await open_socket(["255.255.255.255", HERE], free_port())
    with pytest.raises(OSError, match="no address"):
        await open_socket([], 1)


async def test_a_race_that_is_cut_leaves_nothing() -> None:
    """A deadline ends every try."""
    port, tasks = free_port(), asyncio.all_tasks()
    with hanging(port), hanging(port, "127.0.0.3"), pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await open_socket([HANGS, "127.0.0.3"], port)
    assert asyncio.all_tasks() == tasks


async def test_for_an_old_aiohttp_the_resolver_runs_the_race() -> None:
    """Debian 12's tries the addresses in the order that it is given, each until it fails."""
    port = free_port()

    async def find(_host: str, _port: int) -> list[str]:
        return [HANGS, HERE]

    with socket.create_server((HERE, port)), hanging(port):
        async with asyncio.timeout(PATIENCE):
            found = await Resolver(find, races=False).resolve("node.example", port)
    assert [entry["host"] for entry in found] == [HERE, HANGS]


async def test_small_questions_go_out_at_once() -> None:
    """Else each waits for the acknowledgement of the one before it: 40 ms (Nagle's algorithm)."""
    listener = socket.create_server((HERE, 0))
    with listener:
        sock = await open_socket([HERE], listener.getsockname()[1])
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=sock)
        made = transport.get_extra_info("socket")
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        transport.close()
