"""Before the bridge has its libraries: who connects waits in the kernel, or is told why not."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Final

TOGETHER: Final = 32
"""Who is turned away at once; others wait their turn in the kernel."""
PATIENCE_S: Final = 1.0
"""Seconds that one of them has to say what he wants."""


async def knocked(listening: Sequence[socket.socket]) -> None:
    """Wait until somebody has connected to one of these sockets; nobody is accepted."""
    loop = asyncio.get_running_loop()
    somebody: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not somebody.done():
            somebody.set_result(None)

    with ExitStack() as undo:
        for each in listening:
            loop.add_reader(each, tell)
            undo.callback(loop.remove_reader, each)
        await somebody


async def turn_away(listening: Sequence[socket.socket], said: bytes, seconds: float) -> None:
    """Answer everybody who connects with `said`, for so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                await knocked(listening)
                taken = [one for each in listening for one in _accepted(each)]
                await asyncio.gather(*(_say(one, said) for one in taken))
                if not taken:  # no file for him, or he has gone
                    await asyncio.sleep(PATIENCE_S)


def _accepted(listening: socket.socket) -> list[socket.socket]:
    taken: list[socket.socket] = []
    with suppress(OSError):
        while len(taken) < TOGETHER:
            taken.append(listening.accept()[0])
    return taken


async def _say(taken: socket.socket, said: bytes) -> None:
    loop = asyncio.get_running_loop()
    with taken, suppress(OSError, TimeoutError):
        taken.setblocking(False)
        async with asyncio.timeout(PATIENCE_S):
            await loop.sock_recv(taken, 1 << 16)  # closed with something unread, he would not hear
            await loop.sock_sendall(taken, said)
            taken.shutdown(socket.SHUT_WR)
