"""A line to a socket that can be cut: what a host's cable is to its network."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Final

CHUNK: Final = 65_536


class Line:
    """Listens on a socket and passes on to another one, while it is not cut.

    Args:
        path: where it listens.
        target: whom it passes on to.
    """

    def __init__(self, path: Path, target: Path) -> None:
        self.path = path
        self._target = target
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()

    async def mend(self) -> None:
        """Let connections be made.

        Raises:
            OSError: it cannot listen there.
        """
        if self._server is None:
            self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def cut(self) -> None:
        """End all connections, and let nobody in."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._lines:
            task.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, there = await asyncio.open_unix_connection(self._target)
        except OSError:
            writer.transport.abort()
            return
        ways = {asyncio.create_task(_pass(*way)) for way in ((reader, there), (back, writer))}
        self._lines |= ways
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            writer.transport.abort()
            there.transport.abort()
            self._lines -= ways


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
