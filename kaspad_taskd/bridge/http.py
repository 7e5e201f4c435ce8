"""Below the requests: who a connection comes from, what is said before there is a request."""

from __future__ import annotations

import logging
import socket
from ipaddress import IPv6Network, ip_address
from typing import Any, Final

from aiohttp.http_exceptions import HttpProcessingError

from kaspad_taskd.base.sparing import Sparing

_FULL: Final = (
    b"kaspad-taskd has too many connections, of you or of all: try again in some seconds\n"
)
_NETWORK: Final = 64
"""Bits of an IPv6 address that one host has for itself."""


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


def refusal() -> bytes:
    """Return the answer to a connection that gets no place, whatever it would have asked."""
    head = (
        "HTTP/1.1 503 Service Unavailable\r\nServer: kaspad-taskd\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"
        f"Retry-After: 10\r\nContent-Length: {len(_FULL)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + _FULL


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
        malformed = isinstance(fault, HttpProcessingError)
        kept = self._sparing.may((kind, str(record.msg)))
        if kept is None:
            return
        if malformed:
            record.msg = "what comes from %s is no HTTP (%s)"
            who = record.args[:1] if isinstance(record.args, tuple) else ("?",)
            record.args = (*who, kind)
            record.exc_info, record.levelno, record.levelname = None, logging.WARNING, "WARNING"
        if kept:
            record.msg, record.args = f"{record.getMessage()}, and {kept} more like it", ()
        super().handle(record)


def _fault(record: logging.LogRecord) -> tuple[str, BaseException | None]:
    """The exception of a record and its name, "" for none."""
    info: Any = record.exc_info
    fault = info[1] if isinstance(info, tuple) else None
    return ("" if fault is None else type(fault).__name__), fault
