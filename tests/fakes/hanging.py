"""Addresses of this host at which a connect neither succeeds nor fails, as at one behind a wall."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest

HANGS = "127.0.0.2"


@contextlib.contextmanager
def hanging(port: int, ip: str = HANGS) -> Iterator[None]:
    """Let connects to ip:port hang: its queue is full, and Linux drops what comes beyond it."""
    with contextlib.ExitStack() as kept:
        listener = kept.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((ip, port))
        listener.listen(0)
        while True:
            filling = kept.enter_context(socket.socket())
            filling.settimeout(0.2)
            try:
                filling.connect((ip, port))
            except TimeoutError:
                break
        yield


def resolves(patch: pytest.MonkeyPatch, *ips: str) -> None:
    """Every name is these addresses, in this order, whoever asks the loop."""

    async def getaddrinfo(_host: str, port: int, **_: object) -> list[Any]:
        kinds = [(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip) for ip in ips]
        return [(kind, socket.SOCK_STREAM, 6, "", (ip, port)) for kind, ip in kinds]

    patch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
