"""The daemon's side of keeper.py: one program for all looks at commands, while there are any."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from kaspad_taskd.probes.general.keeper import SIZE

PROGRAM: Final = str(Path(__file__).with_name("keeper.py"))


class Keepers:
    """The program that keeps commands; it runs from the first request to the last user's leave."""

    def __init__(self) -> None:
        self._users = 0
        self._requests: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def enter(self) -> None:
        """There is one more who may ask."""
        self._users += 1

    async def leave(self) -> None:
        """There is one less; with the last one the program ends."""
        self._users -= 1
        if self._users == 0 and (process := self._end()) is not None:
            await asyncio.to_thread(process.wait)

    def ask(self, output: int) -> socket.socket:
        """Return the line to a new keeper, whose command will write to `output`.

        Raises:
            OSError: there can be none.
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            try:
                self._send([theirs.fileno(), output])
            except OSError:
                ours.close()
                raise
        return ours

    def _send(self, descriptors: list[int]) -> None:
        if self._requests is None:
            self._begin()
        elif self._process is not None and self._process.poll() is not None:  # somebody ended it
            self._end()
            self._begin()
        assert self._requests is not None
        socket.send_fds(self._requests, [b"k"], descriptors)

    def _begin(self) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", PROGRAM],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                    cwd="/",
                )
            except OSError:
                ours.close()
                raise
        self._requests = ours

    def _end(self) -> subprocess.Popen[bytes] | None:
        """Tell the program to end; it has to be waited for."""
        requests, process = self._requests, self._process
        self._requests = self._process = None
        if requests is not None:
            requests.close()
        return process


KEEPERS: Final = Keepers()
"""Those of this process."""


def request(command: Sequence[str], env: Mapping[str, str]) -> bytes:
    """Return what a keeper is told on its line."""
    told = json.dumps([list(command), dict(env)]).encode()
    return len(told).to_bytes(SIZE, sys.byteorder) + told
