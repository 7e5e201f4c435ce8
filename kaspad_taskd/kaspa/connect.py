"""From a URL to addresses that may be asked, and what it means that one cannot be reached."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from kaspad_taskd.base.descriptors import is_exhausted, is_own_limit, limit
from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.client import NodeError

Allow: TypeAlias = Callable[[str, int], bool]
"""Whether this IP address and port may be asked."""

DEFAULT_PORTS = {"grpc": 16110, "ws": 18110, "wss": 443}
P2P_PORTS = {16111: 16110, 16211: 16210, 16511: 16510, 16611: 16610}
"""By kaspad's port for other nodes, which is gRPC too, its port for us."""
BORSH_PORTS = frozenset({17110, 17210, 17510, 17610})
GRPC_PORTS = frozenset(P2P_PORTS.values())
JSON_PORTS = frozenset({18110, 18210, 18510, 18610})

RESOLVE_TIMEOUT = 3.0
"""Seconds that the look-up of a name may take."""

NO_TLS = "there is no TLS at this port, or none that is understood"

_REASONS = {
    errno.ECONNREFUSED: Reason.REFUSED,
    errno.ETIMEDOUT: Reason.TIMEOUT,
    errno.ECONNRESET: Reason.STREAM_CLOSED,
    errno.EPIPE: Reason.STREAM_CLOSED,
}

_LOOPBACK = ("127.0.0.1", "::1")  # kaspad listens on the first


@frozen
class Address:
    """Where a node is: `scheme` grpc, ws or wss; `path` of a WebSocket, else ""."""

    scheme: str
    host: str
    port: int
    path: str = ""

    def __str__(self) -> str:
        return f"{self.scheme}://{host_port(self.host, self.port)}{self.path}"


def host_port(host: str, port: int) -> str:
    """Return host and port as a URL has them: an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_url(url: str) -> Address:
    """Return the address that a URL names.

    Raises:
        ValueError: what is wrong with it and what it must be, as a sentence.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"no URL: {url!r}; it must be like grpc://localhost:16110") from None
    _check_parts(parts)
    port = DEFAULT_PORTS[parts.scheme] if port is None else port
    if port in BORSH_PORTS:
        raise ValueError(f"port {port} speaks wRPC Borsh; use gRPC (16110) or wRPC JSON (18110)")
    if port == 0:
        raise ValueError("port 0 is none; it must be 1 to 65535")
    return Address(parts.scheme, parts.hostname or "", port, parts.path.rstrip("/"))


def crossed(address: Address) -> str | None:
    """Return what a kaspad's own port speaks, and where, if the address names another protocol."""
    port, host = address.port, address.host
    if port in P2P_PORTS:
        return f"port {port} speaks kaspad's P2P: grpc://{host_port(host, P2P_PORTS[port])}"
    if port in GRPC_PORTS and address.scheme != "grpc":
        return f"port {port} speaks gRPC: grpc://{host_port(host, port)}"
    if port in JSON_PORTS and address.scheme == "grpc":
        return f"port {port} speaks wRPC JSON: ws://{host_port(host, port)}"
    return None


def _check_parts(parts: SplitResult) -> None:
    if parts.scheme not in DEFAULT_PORTS:
        raise ValueError(f"scheme {parts.scheme!r} is unknown; use grpc://, ws:// or wss://")
    if not parts.hostname:
        raise ValueError("the host is missing; it must be like grpc://localhost:16110")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a node takes no user or password; leave them out")
    if parts.query or parts.fragment or (parts.scheme == "grpc" and parts.path.strip("/")):
        raise ValueError("nothing may follow the port; a WebSocket may have a path")


async def addresses(host: str, port: int, allow: Allow | None) -> list[str]:
    """Return the IP addresses to try, in order; none that `allow` refuses.

    Raises:
        NodeError: name-unknown, timeout (the look-up), own-limit, or forbidden if none is left.
    """
    found = await _resolve(host, port)
    allowed = [ip for ip in found if allow is None or allow(ip, port)]
    if not allowed:
        raise NodeError(Reason.FORBIDDEN, {"address": host_port(host, port)})
    return allowed


async def _resolve(host: str, port: int) -> list[str]:
    if host == "localhost":
        return list(_LOOPBACK)
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_TIMEOUT):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError:
        raise NodeError(Reason.TIMEOUT, {"seconds": RESOLVE_TIMEOUT}) from None
    except (OSError, UnicodeError) as error:
        if is_own_limit(error) or is_exhausted():  # the resolver does not say that it had no file
            raise own_limit() from None
        raise NodeError(Reason.NAME_UNKNOWN, {"host": host}) from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def own_limit() -> NodeError:
    """Return what it means that we may open no more files: nothing of whom we asked."""
    return NodeError(Reason.OWN_LIMIT, {"limit": limit()})


def connect_error(error: OSError, address: str) -> NodeError:
    """Return what a failed connect or a broken connection means."""
    if is_own_limit(error):
        return own_limit()
    reason = _REASONS.get(error.errno or 0, Reason.NETWORK_DOWN)
    # Where ::1 and 127.0.0.1 fail differently, aiohttp has the number in its text alone.
    if error.errno is None and f"[Errno {errno.ECONNREFUSED}]" in str(error):
        reason = Reason.REFUSED
    if isinstance(error, TimeoutError):
        reason = Reason.TIMEOUT
    elif isinstance(error, ConnectionResetError | BrokenPipeError):
        reason = Reason.STREAM_CLOSED
    return NodeError(reason, {"address": address}, str(error))


def distrust(error: Exception) -> str:
    """Why a certificate is not trusted, in OpenSSL's words."""
    fault = str(getattr(error, "verify_message", "") or "it cannot be verified")
    return f"its certificate is not trusted: {fault[:150].rstrip('.')}"
