"""Those who mean harm, and those who are merely broken, at both doors."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import aiohttp

from tests.soak.garbage import Garbage

STRANGER = "127.0.0.33"
"""Where they come from: on loopback every address is one's own."""
CROWD = 400
"""Connections that one of them opens at once and says nothing on."""
FEW = 4
"""Of one user, who has 25 places where there are 256 files: his friends need some of them."""
PATIENCE = 3.0


class Hostile:
    """Everybody who is not a friend, as long as the daemon lives."""

    def __init__(self, path: Path, port: int, garbage: Garbage, dice: random.Random) -> None:
        self._path = path
        self._port = port
        self._garbage = garbage
        self._dice = dice
        self.said = 0

    async def run(self) -> None:
        """One after the other, in any order, until cancelled."""
        ways: list[Callable[[], Awaitable[None]]] = [
            self._lines, self._packets, self._requests, self._crowd, self._mute_on_the_socket,
        ]  # fmt: skip
        while True:
            with suppress(OSError, TimeoutError, aiohttp.ClientError, ConnectionError):
                async with asyncio.timeout(PATIENCE):
                    await self._dice.choice(ways)()
            await asyncio.sleep(self._dice.uniform(0.1, 1.0))

    async def _lines(self) -> None:
        """Many lines of garbage, and nobody takes the answers."""
        _, writer = await asyncio.open_unix_connection(str(self._path))
        try:
            for _ in range(500):
                writer.write(self._garbage.line())
                self.said += 1
            await writer.drain()
        finally:
            writer.close()

    async def _packets(self) -> None:
        """A browser that has lost its mind."""
        url = f"http://127.0.0.1:{self._port}/socket.io/?EIO=4&transport=websocket"
        connector = aiohttp.TCPConnector(local_addr=(STRANGER, 0))
        async with (
            aiohttp.ClientSession(connector=connector) as http,
            http.ws_connect(url, headers={"Host": "127.0.0.1"}) as line,
        ):
            await line.send_str("40")
            for _ in range(200):
                await line.send_str(self._garbage.packet())
                self.said += 1

    async def _requests(self) -> None:
        """HTTP, or what is left of it."""
        for _ in range(20):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", self._port, local_addr=(STRANGER, 0)
            )
            try:
                writer.write(self._garbage.http())
                self.said += 1
                writer.write_eof()
                async with asyncio.timeout(0.5):
                    await reader.read(1 << 16)
            finally:
                writer.close()

    async def _crowd(self) -> None:
        """Connections to the page, as many as there are, without a word."""
        crowd: list[socket.socket] = []
        try:
            for _ in range(CROWD):
                one = socket.socket()
                crowd.append(one)
                one.setblocking(False)
                one.bind((STRANGER, 0))
                with suppress(BlockingIOError):
                    one.connect(("127.0.0.1", self._port))
            await asyncio.sleep(1.0)
        finally:
            for one in crowd:
                one.close()

    async def _mute_on_the_socket(self) -> None:
        """The same on the socket, but of a friend's own user: a few, else he shuts himself out."""
        crowd = []
        try:
            for _ in range(FEW):
                one = socket.socket(socket.AF_UNIX)
                crowd.append(one)
                one.setblocking(False)
                one.connect(str(self._path))
            await asyncio.sleep(1.0)
        finally:
            for one in crowd:
                one.close()
