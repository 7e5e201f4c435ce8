"""A door that counts connections itself, over real sockets."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kaspad_taskd.base.accepting import PAUSE, READ, Acceptor
from kaspad_taskd.base.descriptors import Spare, open_now
from kaspad_taskd.base.places import Places
from tests.fakes.no_files import no_files
from tests.fakes.patience import PATIENCE


class Echo(asyncio.Protocol):
    """Says back what it is told."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.sizes.append(len(data))
        self.transport.write(data)


@asynccontextmanager
async def door(
    places: Places, spare: Spare | None = None, factory: Callable[[], Echo] = Echo
) -> AsyncIterator[int]:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    acceptor = Acceptor(
        listening, places, lambda one: one.getpeername()[0], factory, lambda _: b"full",
        name="a door", spare=spare,
    )  # fmt: skip
    try:
        yield port
    finally:
        acceptor.close()


async def ask(port: int, local: str = "127.0.0.1") -> tuple[bytes, asyncio.StreamWriter]:
    """Connect and say something; what comes back, and the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(local, 0))
    writer.write(b"hello")
    async with asyncio.timeout(PATIENCE):
        return await reader.read(5), writer


async def gone(places: Places, count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while places.used != count:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_one_too_many_is_told_so_and_has_room_when_another_leaves() -> None:
    """The word arrives although he had said something already; another address gets in."""
    places = Places(2)
    async with door(places) as port:
        open_ = [await ask(port) for _ in range(2)]
        assert [said for said, _ in open_] == [b"hello"] * 2
        said, refused = await ask(port)
        assert said == b"full"
        said, other = await ask(port, "127.0.0.2")
        assert said == b"hello"
        open_[0][1].close()
        await gone(places, 2)
        said, late = await ask(port)
        assert said == b"hello"
        for writer in (refused, other, late, open_[1][1]):
            writer.close()
        await gone(places, 0)


async def test_much_is_read_in_parts() -> None:
    """Each as large as it may be, none larger: room for more is never taken."""
    places, echo, much = Places(1), Echo(), b"x" * (10 * READ)
    async with door(places, factory=lambda: echo) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(much)
        async with asyncio.timeout(PATIENCE):
            assert await reader.readexactly(len(much)) == much
        writer.close()
        await gone(places, 0)
    assert sum(echo.sizes) == len(much)
    assert max(echo.sizes) == READ


async def test_a_crowd_that_is_refused_leaves_nothing_behind() -> None:
    """Neither places nor files."""
    places = Places(1)
    async with door(places) as port:
        _, first = await ask(port)
        before = open_now()
        for _ in range(100):
            said, writer = await ask(port)
            assert said == b"full"
            writer.transport.abort()
        first.close()
        await gone(places, 0)
        async with asyncio.timeout(PATIENCE):
            while open_now() > before:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_a_file_that_was_kept_back_is_for_the_door() -> None:
    """Where others have taken all, it is accepted all the same, and the file is kept back again."""
    spare = Spare(1)
    async with door(Places(9), spare) as port:
        client = socket.socket()
        client.setblocking(False)
        with no_files():
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, ("127.0.0.1", port))
            await loop.sock_sendall(client, b"hello")
            async with asyncio.timeout(PATIENCE):
                assert await loop.sock_recv(client, 9) == b"hello"
        client.close()
    spare.close()


async def test_no_file_at_all_is_one_line_and_no_end(caplog: pytest.LogCaptureFixture) -> None:
    """Who waits is taken as soon as there is one."""
    async with door(Places(9)) as port:
        client = socket.socket()
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        with caplog.at_level(logging.DEBUG), no_files():
            await loop.sock_connect(client, ("127.0.0.1", port))
            async with asyncio.timeout(PATIENCE):
                while not caplog.records:  # noqa: ASYNC110
                    await asyncio.sleep(PAUSE)
            await asyncio.sleep(3 * PAUSE)
        await loop.sock_sendall(client, b"hello")
        async with asyncio.timeout(PATIENCE):
            assert await loop.sock_recv(client, 9) == b"hello"
        client.close()
    lines = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert len(lines) == 1
    assert "LimitNOFILE" in lines[0].getMessage()
    assert lines[0].exc_info is None


def test_spare_files_are_bounded_by_what_there_is() -> None:
    """Without one more file it holds none, and says so."""
    with no_files():
        spare = Spare(4)
        assert not spare.let_go()
    spare.fill()
    assert [spare.let_go() for _ in range(5)] == [True] * 4 + [False]
    spare.close()
