"""What a port speaks that does not speak with us: it is asked once more, in other protocols.

Only what it says itself counts: a port that closes, or says nothing, stays unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from kaspad_taskd.core.observation import Scalar
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.client import NodeError
from kaspad_taskd.kaspa.connect import P2P_PORTS, Address, host_port
from kaspad_taskd.kaspa.race import open_socket

DEADLINE = 1.0
"""Seconds for all of it: whoever answers this way does so at once."""

_HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_UPGRADE = (
    "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: a2FzcGFkLXRhc2tkLWFzaw==\r\n\r\n"
)


def named(said: bytes, address: Address) -> NodeError | None:
    """Return what the first bytes of an answer prove, None where they prove nothing."""
    if said.startswith(b"SSH-"):
        return _wrong("An SSH server")
    if is_http2(said):
        return other(address, "gRPC", "grpc")
    if not said.startswith(b"HTTP/1."):
        return None
    status = int(said[9:12]) if said[9:12].isdigit() else 0
    if status == 101:
        return other(address, "wRPC", "ws")
    return http_answer(status)


def http_answer(status: int) -> NodeError:
    """Return what it means that HTTP comes with this status where a node was asked for.

    A proxy may have no node behind it for a while, or let nobody in: that says nothing of what is
    there.
    """
    if status in (502, 503, 504):
        return NodeError(Reason.NOT_READY, {"status": status})
    if status == 429:
        return NodeError(Reason.BUSY, {"status": status})
    if status in (401, 403, 407) or status >= 500:
        return NodeError(Reason.BAD_ANSWER, {"detail": f"HTTP {status}", "status": status})
    return NodeError(Reason.WRONG_PROGRAM, {"program": "A web server", "status": status})


def is_http2(said: bytes) -> bool:
    """Whether this is how a server of HTTP/2 begins: SETTINGS, of no stream."""
    return len(said) >= 9 and said[3] == 4 and said[4] in (0, 1) and said[5:9] == bytes(4)


def no_service(address: Address) -> NodeError:
    """Return what it means that a gRPC server does not have a kaspad's service."""
    rpc = P2P_PORTS.get(address.port)
    if rpc is None:
        return _wrong("A gRPC server without a kaspad's RPC")
    url = f"grpc://{host_port(address.host, rpc)}"
    params: dict[str, Scalar] = {"protocol": "kaspad's P2P", "port": address.port, "url": url}
    return NodeError(Reason.WRONG_PROGRAM, {"program": "kaspad's P2P", **params})


def other(address: Address, protocol: str, scheme: str) -> NodeError:
    """Return the error for a port that speaks another of a kaspad's protocols."""
    url = f"{scheme}://{host_port(address.host, address.port)}"
    params: dict[str, Scalar] = {"protocol": protocol, "port": address.port, "url": url}
    return NodeError(Reason.WRONG_PROGRAM, {"program": protocol, **params})


def _wrong(program: str) -> NodeError:
    return NodeError(Reason.WRONG_PROGRAM, {"program": program})


async def identified(address: Address, ips: Sequence[str]) -> NodeError | None:
    """Ask a port that ended our connection without an answer what it is; None: it does not say."""
    if address.scheme == "wss":
        return None
    place = host_port(ips[0], address.port)
    question = _HTTP2 if address.scheme == "ws" else _UPGRADE.format(host=place).encode()
    return named(await _first(ips, address.port, question), address)


async def without_tls(address: Address, ips: Sequence[str]) -> NodeError | None:
    """Ask a port with which no TLS came about whether it is a kaspad's own, which has none.

    A web server says nothing by its answer: one with TLS has a page for whoever comes without.
    """
    question = _UPGRADE.format(host=host_port(ips[0], address.port)).encode()
    found = named(await _first(ips, address.port, question), address)
    return found if found is not None and "url" in found.params else None


async def _first(ips: Sequence[str], port: int, question: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(DEADLINE):
            with await open_socket(ips, port) as sock:
                await loop.sock_sendall(sock, question)
                return await loop.sock_recv(sock, 64)
    except OSError:  # TimeoutError too
        return b""
