"""A Website on a Unix socket, or one that takes no more than it is told to."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fakes.website import Script, Website


class UnixSite(Website):
    """The same server on a socket at `path`, which is made anew at each start."""

    def __init__(self, path: Path, replies: dict[str, Script] | None = None) -> None:
        super().__init__(replies)
        self.path = path

    async def start(self) -> None:
        self._gone = False
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self.path)
