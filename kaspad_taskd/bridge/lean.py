"""python-socketio and python-engineio as a server alone: without clients, brokers, other servers.

They load whatever of those is installed, for others to use: redis-py is 7 MiB and 100 ms, requests
as much. Here each looks as if it were not installed, so that it costs a daemon nothing where it is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

NOT_OURS: Final = (
    "aio_pika", "aioredis", "kafka", "kombu", "redis", "requests", "tornado", "valkey", "websocket",
)  # fmt: skip
"""What they import where they can, and do without."""


@contextmanager
def _without(names: tuple[str, ...]) -> Iterator[None]:
    """Let these look as if they were not installed, but where somebody has loaded them already."""
    held = [name for name in names if name not in sys.modules]
    for name in held:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in held:
            sys.modules.pop(name, None)


with _without(NOT_OURS):
    import engineio
    import socketio
    from engineio.async_drivers import aiohttp as driver
    from engineio.packet import MESSAGE, PING
    from engineio.packet import Packet as Carrier
    from engineio.payload import Payload
    from socketio.exceptions import ConnectionRefusedError as NotLetIn
    from socketio.packet import ACK, CONNECT, EVENT, Packet

__all__ = [
    "ACK", "CONNECT", "EVENT", "MESSAGE", "PING", "Carrier", "NotLetIn", "Packet", "Payload",
    "driver", "engineio", "socketio",
]  # fmt: skip
