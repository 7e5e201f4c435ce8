"""aiohttp's resolver: the addresses that were found and allowed, and no others.

aiohttp races them from 3.10 on. Older ones (Debian 12: 3.8) try one after the other, each until it
fails: for these the race is run here, and who won it comes first.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from inspect import signature
from typing import Any, Final

from aiohttp import TCPConnector
from aiohttp.abc import AbstractResolver

from kaspad_taskd.kaspa.race import open_socket

RACES: Final = "happy_eyeballs_delay" in signature(TCPConnector.__init__).parameters
"""Whether this aiohttp tries the second address while the first one hangs."""


class Resolver(AbstractResolver):
    """Gives aiohttp the IP addresses that `find` returns for a host and port."""

    def __init__(
        self, find: Callable[[str, int], Awaitable[list[str]]], races: bool = RACES
    ) -> None:
        self._find = find
        self._races = races

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 (aiohttp names it)
    ) -> list[Any]:
        """Return the entries that aiohttp's connector wants."""
        return [
            {
                "hostname": host,
                "host": ip,
                "port": port,
                "family": socket.AF_INET6 if ":" in ip else socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
            for ip in await self._ordered(host, port)
        ]

    async def _ordered(self, host: str, port: int) -> list[str]:
        found = await self._find(host, port)
        if self._races or len(found) < 2:
            return found
        try:
            sock = await open_socket(found, port)
        except OSError:  # who asks meets the same, and says so
            return found
        with sock:
            first = str(sock.getpeername()[0])
        return sorted(found, key=lambda ip: ip != first)

    async def close(self) -> None:
        """Nothing is held."""
