"""A line to a server that somebody pulls at: cut, held up, or taken the half of what is said."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from random import Random
from types import TracebackType

CHUNK = 65_536


class HarmfulProxy:
    """Listens on a free port of the loopback and passes on to a socket.

    Attributes:
        harm: whether it does; else it only passes on.
        connections: how many there were.
    """

    def __init__(self, target: Path, chance: Random) -> None:
        self._target = target
        self._chance = chance
        self._tasks: set[asyncio.Task[None]] = set()
        self.harm = False
        self.connections = 0
        self.port = 0

    @property
    def server(self) -> str:
        """As fleet.toml names it."""
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> HarmfulProxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """End all connections."""
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            back, there = await asyncio.open_unix_connection(str(self._target))
        except OSError:
            writer.transport.abort()
            return
        ways = {asyncio.create_task(self._pass(*way)) for way in ((reader, there), (back, writer))}
        self._tasks |= ways
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            writer.transport.abort()
            there.transport.abort()
            self._tasks -= ways

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                fate = self._chance.randint(0, 29) if self.harm else 9
                if fate == 0:
                    return
                if fate == 1:
                    writer.write(data[: self._chance.randint(0, len(data))])
                    await writer.drain()
                    return
                if fate == 2:
                    await asyncio.sleep(self._chance.random() * 0.5)
                writer.write(data)
                await writer.drain()
