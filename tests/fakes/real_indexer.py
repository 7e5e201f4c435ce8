"""The real simply-kaspa-indexer, where somebody has built it: found, started, ended."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from pathlib import Path

from tests.fakes.bridged import free_port
from tests.fakes.patience import PATIENCE

NAME = "simply-kaspa-indexer"
MISSING = f"no {NAME}: build it (github.com/supertypo/{NAME}) and name it in SIMPLY_KASPA_INDEXER"


def find_indexer() -> str | None:
    """Return the program, from $SIMPLY_KASPA_INDEXER or the PATH; None where there is none."""
    return os.environ.get("SIMPLY_KASPA_INDEXER") or shutil.which(NAME)


class RealIndexer:
    """One indexer on a simnet, whose log goes on over its starts.

    `borsh` is the port of its node, `database` a URL.
    """

    def __init__(self, program: str, place: Path, borsh: int, database: str) -> None:
        self._program, self._borsh, self._database = program, borsh, database
        self.port = free_port()
        self.log = place / "indexer.log"
        self.log.touch()
        self.process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self, *arguments: str) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(self._program, "-s", f"ws://127.0.0.1:{self._borsh}", "-n", "simnet"),
                *("-d", self._database, "-l", f"127.0.0.1:{self.port}", *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def ends(self) -> int:
        """Wait until it ends of itself; its exit status, as a shell says it."""
        assert self.process is not None
        async with asyncio.timeout(2 * PATIENCE):
            code = await self.process.wait()
        return 128 - code if code < 0 else code

    async def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)
            await self.ends()
