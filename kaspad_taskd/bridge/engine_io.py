"""python-engineio, the layer below the events: what of it is ours.

Hand-shake, upgrade and polling are theirs; so is the heartbeat, but for the timer of its pings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from time import time
from typing import Any, Final
from weakref import ref

from aiohttp import web

from kaspad_taskd.bridge.http import understood
from kaspad_taskd.bridge.lean import PING, Carrier, driver, engineio
from kaspad_taskd.bridge.outbox import Outbox

MESSAGE_BYTES: Final = 1 << 16
"""Bytes of one message from a client."""
PACKETS: Final = 512
"""Messages in one polling request: a client sends all that it has gathered, up to MESSAGE_BYTES."""
CLOSE_WAIT: Final = 0.3
"""Seconds that a WebSocket's other side has to say goodbye."""


class Line:
    """A WebSocket in the form that python-engineio wants: without compression, text alone."""

    def __init__(self, handler: Callable[[Line], Awaitable[None]], server: Any) -> None:
        self._handler = handler
        # compression takes four times the memory; the wait for the other side's goodbye is 10 s
        self._line = web.WebSocketResponse(
            compress=False, max_msg_size=server.max_http_buffer_size, timeout=CLOSE_WAIT
        )

    async def __call__(self, environ: Mapping[str, Any]) -> web.WebSocketResponse:
        """Serve the connection until it ends."""
        request: web.Request = environ["aiohttp.request"]
        await self._line.prepare(request)
        end: Any = self._handler.__self__  # type: ignore[attr-defined]
        end.queue.transport = request.transport
        try:
            await self._handler(self)
        finally:
            # a probe that failed would leave the polling of this client answered with nothing
            end.upgrading = False
            if not end.upgraded:
                end.queue.transport = None
        return self._line

    async def close(self) -> None:
        """Say goodbye."""
        await self._line.close()

    async def send(self, message: str) -> None:
        """Send a text."""
        await self._line.send_str(message)

    async def wait(self) -> str:
        """Return what comes; raises OSError at the end, and for what no client of ours says."""
        said = (await self._line.receive()).data
        if not isinstance(said, str) or not is_carrier(said):
            raise OSError
        return said


def is_carrier(text: str) -> bool:
    """Whether a text is an Engine.IO packet without binary."""
    return text[:1] in tuple("0123456")


class _Body:
    """A request's body that was read already."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def read(self, _length: int) -> bytes:
        """Return all of it."""
        return self._data


async def translate(request: web.Request) -> dict[str, Any]:
    """Return the request as python-engineio wants it, its body read and looked at.

    Raises:
        web.HTTPException: too long, or no packets at all: the library would log a traceback, say
            "OK" and keep the connection.
    """
    environ: dict[str, Any] = driver.translate_request(request)
    if request.method == "POST":
        data = await understood(_read(request))
        _look_at(data)
        environ |= {"wsgi.input": _Body(data), "CONTENT_LENGTH": str(len(data))}
    return environ


async def _read(request: web.Request) -> bytes:
    data = bytearray()
    async for chunk in request.content.iter_any():
        data += chunk
        if len(data) > MESSAGE_BYTES:
            raise web.HTTPRequestEntityTooLarge(MESSAGE_BYTES, len(data))
    return bytes(data)


def _look_at(data: bytes) -> None:
    try:
        packets = data.decode().split("\x1e")
    except UnicodeDecodeError:
        packets = []
    if not 0 < len(packets) <= PACKETS or not all(map(is_carrier, packets)):
        raise web.HTTPBadRequest(text="no Engine.IO packets")


class Engine(engineio.AsyncServer):  # type: ignore[misc]
    """The layer below: with queues that are bounded, and sockets that go when they have ended."""

    def create_queue(self, *_args: object, **_more: object) -> Outbox:
        """Return a socket's queue."""
        return Outbox()

    def start_background_task(
        self, target: Any, *args: Any, **more: Any
    ) -> asyncio.Task[Any] | None:
        """Run it beside; a ping is a timer that goes with its socket: their task sleeps on."""
        loop = asyncio.get_running_loop()
        if getattr(target, "__name__", "") != "_send_ping":
            return loop.create_task(target(*args, **more))
        known = ref(target.__self__, lambda _: timer.cancel())
        timer = loop.call_later(self.ping_interval, _ping, known)
        return None


def _ping(known: ref[Any]) -> None:
    if (end := known()) is not None:
        end.session["ping"] = asyncio.ensure_future(_say_ping(end))


async def _say_ping(end: Any) -> None:
    if not end.closing and not end.closed:
        end.last_ping = time()
        await end.send(Carrier(PING))
