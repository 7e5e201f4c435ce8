"""aiohttp's resolver: the addresses that were found and allowed, and no others."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp.abc import AbstractResolver


class Resolver(AbstractResolver):
    """Gives aiohttp the IP addresses that `find` returns for a host and port."""

    def __init__(self, find: Callable[[str, int], Awaitable[list[str]]]) -> None:
        self._find = find

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
            for ip in await self._find(host, port)
        ]

    async def close(self) -> None:
        """Nothing is held."""
