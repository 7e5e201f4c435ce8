"""Below the requests: who a connection comes from, what is said before there is a request."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Network, ip_address
from typing import Any, Final, TypeVar

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from kaspad_taskd.base.repeats import counted
from kaspad_taskd.base.sparing import Sparing
from kaspad_taskd.bridge.unavailable import unavailable

FULL: Final = unavailable(
    "kaspad-taskd has too many connections, of you or of all: try again in some seconds\n", 10
)
"""The answer to a connection that gets no place, whatever it would have asked."""
BODY_S: Final = 15.0
"""Seconds that a request's body may take: ours are small."""
CONTINUE: Final = "100-continue"
"""What a client may expect: leave to send its body."""
_NOWHERE: Final = "/nowhere"
_NETWORK: Final = 64
"""Bits of an IPv6 address that one host has for itself."""

T = TypeVar("T")


def peer_of(connection: socket.socket) -> str:
    """Return the address that a connection comes from; all of one IPv6 network are one.

    Raises:
        OSError: it has gone.
    """
    host = str(connection.getpeername()[0]).partition("%")[0]
    address = ip_address(host)
    if address.version == 4 or address.is_loopback:
        return host
    return str(IPv6Network((host, _NETWORK), strict=False))


async def understood(reading: Awaitable[T]) -> T:
    """Return what a library makes of what a client sent.

    Nothing of ours runs in there: whatever it raises, the request is at fault. All that is read
    of a request's body is read through this: no library's complaint becomes a fault of ours.

    Raises:
        web.HTTPException: 400, 408 or what the library says by itself (413).
        ConnectionError: the client has gone.
    """
    try:
        async with asyncio.timeout(BODY_S):
            return await reading
    except TimeoutError:
        raise web.HTTPRequestTimeout(text=f"the body did not come within {BODY_S:.0f} s") from None
    except (web.HTTPException, ConnectionError):
        raise
    except Exception as fault:
        text = f"the body cannot be read as what its headers say ({type(fault).__name__})"
        raise web.HTTPBadRequest(text=text) from fault


def lenient(factory: Callable[..., web.Request]) -> Callable[..., web.Request]:
    """Let aiohttp make a request of every message.

    Of one whose target is empty it makes none, dies over it, and answers nothing: such a one
    names a place that there is not.
    """

    def make(message: Any, *more: Any) -> web.Request:
        message = _without_expectations(message)
        try:
            return factory(message, *more)
        except (AttributeError, TypeError, ValueError):
            return factory(message._replace(path=_NOWHERE, url=URL(_NOWHERE)), *more)

    return make


def _without_expectations(message: Any) -> Any:
    """Leave out what a client expects that nobody meets, as RFC 9110 lets a server.

    aiohttp would refuse before our rules are asked, and die where the word is no text.
    """
    if message.headers.get("Expect", CONTINUE).lower() == CONTINUE:
        return message
    kept = CIMultiDict(message.headers)
    del kept["Expect"]
    return message._replace(headers=CIMultiDictProxy(kept))


@contextmanager
def whole_in_time(request: web.Request) -> Iterator[None]:
    """End a connection whose request's body dribbles in, read or not."""

    def look() -> None:
        if not request.content.is_eof() and request.transport is not None:
            request.transport.abort()

    if not request.can_read_body:
        yield
        return
    timer = asyncio.get_running_loop().call_later(2 * BODY_S, look)
    try:
        yield
    finally:
        timer.cancel()


class RequestLog(logging.Logger):
    """What aiohttp says of requests: of one that is no HTTP a line a minute, of a crash all.

    Whoever connects can send what is no HTTP, as often as he likes: it is no fault of ours.
    """

    def __init__(self) -> None:
        super().__init__(f"{__name__}.requests")
        self.parent = logging.getLogger(__name__)
        self._sparing = Sparing()

    def handle(self, record: logging.LogRecord) -> None:
        """Say it, or leave it."""
        kind, fault = _fault(record)
        if isinstance(fault, ConnectionError):  # the client has gone
            return
        malformed = isinstance(fault, HttpProcessingError | web.RequestPayloadError)
        kept = self._sparing.may(kind, str(record.msg))
        if kept is None:
            return
        if malformed:
            who = record.args[0] if isinstance(record.args, tuple) and record.args else "a client"
            record.msg, record.args = "what comes from %s is no HTTP (%s)", (who, kind)
            record.exc_info, record.levelno, record.levelname = None, logging.WARNING, "WARNING"
        if kept:
            record.msg, record.args = counted(record.getMessage(), kept), ()
        super().handle(record)


def _fault(record: logging.LogRecord) -> tuple[str, BaseException | None]:
    """The exception of a record and its name, "" for none."""
    info: Any = record.exc_info
    fault = info[1] if isinstance(info, tuple) else None
    return ("" if fault is None else type(fault).__name__), fault
