"""From a URL to addresses: what is accepted, what is refused and why."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa import connect
from kaspad_taskd.kaspa.client import NodeError
from kaspad_taskd.kaspa.connect import Address, addresses, connect_error, parse_url
from kaspad_taskd.kaspa.opening import open_node


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("grpc://localhost:16110", Address("grpc", "localhost", 16110)),
        ("grpc://localhost", Address("grpc", "localhost", 16110)),
        ("grpc://[::1]:16210/", Address("grpc", "::1", 16210)),
        ("ws://10.0.0.1:18110", Address("ws", "10.0.0.1", 18110)),
        ("ws://node", Address("ws", "node", 18110)),
        ("wss://node.example/kaspa/json", Address("wss", "node.example", 443, "/kaspa/json")),
    ],
)
def test_parse(url: str, address: Address) -> None:
    """A good URL is understood, with kaspad's default ports, and says itself again."""
    assert parse_url(url) == address
    assert parse_url(str(address)) == address


@pytest.mark.parametrize(
    ("url", "cure"),
    [
        ("", "use grpc://, ws:// or wss://"),
        ("localhost:16110", "use grpc://, ws:// or wss://"),
        ("http://localhost:16110", "use grpc://, ws:// or wss://"),
        ("grpc://", "the host is missing"),
        ("grpc://:16110", "the host is missing"),
        ("grpc://u:p@localhost:16110", "no user or password"),
        ("grpc://localhost:16110/x", "nothing may follow the port"),
        ("ws://localhost:18110?x=1", "nothing may follow the port"),
        ("grpc://localhost:x", "must be like grpc://localhost:16110"),
        ("grpc://localhost:65536", "must be like grpc://localhost:16110"),
        ("grpc://[::1", "must be like grpc://localhost:16110"),
        ("grpc://localhost:0", "must be 1 to 65535"),
        ("ws://localhost:17110", "Borsh"),
        ("grpc://localhost:17210", "Borsh"),
    ],
)
def test_faults(url: str, cure: str) -> None:
    """A bad URL is refused with a sentence that says the cure."""
    with pytest.raises(ValueError, match=cure.replace("?", r"\?")):
        parse_url(url)
    with pytest.raises(ValueError, match=r"\w"):
        open_node(url)


@given(st.text(max_size=40) | st.text(max_size=30).map("grpc://".__add__))
def test_any_text(url: str) -> None:
    """Any text is an address or a ValueError."""
    try:
        address = parse_url(url)
    except ValueError:
        return
    assert 0 < address.port < 65536
    assert address.host


async def test_localhost() -> None:
    """The name localhost is both loopbacks, without a look-up, kaspad's own first."""
    assert await addresses("localhost", 1, None) == ["127.0.0.1", "::1"]
    assert await addresses("::1", 1, None) == ["::1"]


async def test_allow_sees_what_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is judged by the addresses that it resolves to; those refused are left out."""

    async def getaddrinfo(*_: object, **__: object) -> list[Any]:
        return [(0, 0, 0, "", (ip, 1)) for ip in ("10.0.0.1", "127.0.0.1", "10.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    assert await addresses("node", 1, None) == ["10.0.0.1", "127.0.0.1"]
    assert await addresses("node", 1, lambda ip, port: ip == "127.0.0.1") == ["127.0.0.1"]
    with pytest.raises(NodeError) as caught:
        await addresses("node", 1, lambda ip, port: False)
    assert caught.value.reason is Reason.FORBIDDEN


@pytest.mark.parametrize("fault", [socket.gaierror(-2, "unknown"), UnicodeError("label too long")])
async def test_unknown_name(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that does not resolve is said so."""

    async def getaddrinfo(*_: object, **__: object) -> list[Any]:
        raise fault

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    with pytest.raises(NodeError) as caught:
        await addresses("no.such.name", 1, None)
    assert caught.value.reason is Reason.NAME_UNKNOWN
    assert caught.value.params == {"host": "no.such.name"}


async def test_slow_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up that does not end has its deadline."""

    async def getaddrinfo(*_: object, **__: object) -> list[Any]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(connect, "RESOLVE_TIMEOUT", 0.02)
    with pytest.raises(NodeError) as caught:
        await addresses("node", 1, None)
    assert caught.value.reason is Reason.TIMEOUT


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ECONNREFUSED, ""), Reason.REFUSED),
        (OSError(errno.ETIMEDOUT, ""), Reason.TIMEOUT),
        (TimeoutError(), Reason.TIMEOUT),
        (ConnectionResetError(), Reason.STREAM_CLOSED),
        (OSError(errno.EHOSTUNREACH, ""), Reason.NETWORK_DOWN),
        (OSError(), Reason.NETWORK_DOWN),
    ],
)
def test_connect_error(error: OSError, reason: Reason) -> None:
    """What the system says of a connection has its reason."""
    assert connect_error(error, "grpc://x:1").reason is reason
