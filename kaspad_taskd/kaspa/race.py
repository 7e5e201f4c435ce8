"""The addresses of a name, raced: one that hangs costs a quarter of a second (RFC 8305)."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Sequence

STAGGER = 0.25
"""Seconds after which the next address is tried as well, while none has answered (RFC 8305, 5)."""


def interleaved(ips: Sequence[str]) -> list[str]:
    """Return the addresses with their families in turn, beginning with the first one's."""
    six = ":" in (ips[0] if ips else "")
    first = [ip for ip in ips if (":" in ip) is six]
    other = [ip for ip in ips if (":" in ip) is not six]
    pairs = itertools.zip_longest(first, other)
    return [ip for pair in pairs for ip in pair if ip is not None]


async def open_socket(ips: Sequence[str], port: int) -> socket.socket:
    """Return a socket that is connected to whichever of the addresses took it first.

    The caller has the deadline. Whatever ends the race, every other try is let go.

    Raises:
        OSError: none took it; a refusal, where one refused, else what the first failed with.
    """
    waiting, errors = interleaved(ips), list[OSError]()
    tries: set[asyncio.Task[socket.socket]] = set()
    try:
        while waiting or tries:
            if waiting:
                tries.add(asyncio.create_task(_connected(waiting.pop(0), port)))
            done, tries = await asyncio.wait(
                tries, timeout=STAGGER if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            won = [task.result() for task in done if task.exception() is None]
            for spare in won[1:]:
                spare.close()
            if won:
                return won[0]
            errors += [error for task in done if isinstance(error := task.exception(), OSError)]
    finally:
        await _let_go(tries)
    refusals = [error for error in errors if isinstance(error, ConnectionRefusedError)]
    raise next(iter(refusals + errors), OSError("no address"))


async def _connected(ip: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    # With its protocol named asyncio sends what is small at once; else it waits for 40 ms (Nagle).
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(sock, (ip, port))
    except BaseException:
        sock.close()
        raise
    return sock


async def _let_go(tries: set[asyncio.Task[socket.socket]]) -> None:
    for task in tries:
        task.cancel()
    for ended in await asyncio.gather(*tries, return_exceptions=True):
        if isinstance(ended, socket.socket):
            ended.close()
