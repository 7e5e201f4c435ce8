"""Another program on the port: refused if it says what it is, the same at every look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from grpclib.server import Server

from kaspad_taskd import words
from kaspad_taskd.core.observation import Refused, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.connect import Address
from kaspad_taskd.kaspa.stranger import is_http2, no_service
from tests.fakes import certificates
from tests.fakes.certificates import Authority
from tests.fakes.node import GrpcNode, Ways, WrpcNode
from tests.probes.looks import made

LOOKS = 4


async def looks(url: str) -> Any:
    """What looks at it bring, which is the same each time."""
    probe = made("node-sync", {"url": url})
    try:
        seen = [await probe.observe({}) for _ in range(LOOKS)]
    finally:
        await probe.close()
    assert all(each == seen[0] for each in seen), {each.reason for each in seen}
    return seen[0]


def refused(seen: Any) -> tuple[str, str, str | None]:
    """The note, and what its hint says to do."""
    assert isinstance(seen, Refused)
    assert seen.reason is Reason.WRONG_PROGRAM
    says, cure = words.hint(seen.hints[0].code, seen.hints[0].params)
    return words.note(seen.reason, seen.params), says, cure


@asynccontextmanager
async def serving(answer: bytes, reads: int = 10) -> AsyncIterator[str]:
    """HOST:PORT of a program that answers so to anything, and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if reads:
            await reader.read(reads)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def http(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()


async def test_a_grpc_server_without_a_kaspads_service() -> None:
    """It ends each stream as UNIMPLEMENTED."""
    server = Server([])
    await server.start("127.0.0.1", 0)
    listener: Any = server._server
    address = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    note, _, _ = refused(await looks(f"grpc://{address}"))
    assert note == f"A gRPC server without a kaspad's RPC answers at {address}, not kaspad."
    server.close()


def test_kaspads_port_for_other_nodes_is_named() -> None:
    """It is such a server, and known by its number."""
    error = no_service(Address("grpc", "localhost", 16111))
    assert words.hint("other-protocol", error.params) == (
        "Port 16111 speaks kaspad's P2P; grpc://localhost:16110 is the address to try.",
        "Write grpc://localhost:16110 in the definition.",
    )


@pytest.mark.parametrize(
    ("kind", "asked", "protocol", "right"),
    [
        (GrpcNode, "ws", "gRPC", "grpc"),
        (WrpcNode, "grpc", "wRPC", "ws"),
        (GrpcNode, "wss", "gRPC", "grpc"),
        (WrpcNode, "wss", "wRPC", "ws"),
    ],
)
async def test_crossed_ports(
    kind: Callable[[], Any], asked: str, protocol: str, right: str
) -> None:
    """Each is known by how it answers, and the right URL is said."""
    async with kind() as node:
        place = node.url.rpartition("://")[2]
        note, says, cure = refused(await looks(f"{asked}://{place}"))
    assert note == f"{place} answers in another protocol than the definition names: {protocol}."
    port = place.rpartition(":")[2]
    assert says == f"Port {port} speaks {protocol}; {right}://{place} is the address to try."
    assert cure == f"Write {right}://{place} in the definition."


@pytest.mark.parametrize("scheme", ["grpc", "ws"])
@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "404 Not Found"])
async def test_a_web_server(scheme: str, status: str) -> None:
    """It says so by its HTTP."""
    async with serving(http(status)) as address:
        note, _, _ = refused(await looks(f"{scheme}://{address}"))
    assert note == f"A web server answers at {address}, not kaspad."


@pytest.mark.parametrize(
    "said", [http("200 OK"), http("400 Bad Request"), b"-ERR what\r\n", bytes(30)]
)
async def test_a_port_without_tls(said: bytes) -> None:
    """It is up, and so is its network; what it is stays open."""
    async with serving(said) as address:
        seen = await looks(f"wss://{address}")
    assert isinstance(seen, Unreachable)
    note = words.note(seen.reason, seen.params)
    assert note.endswith("there is no TLS at this port, or none that is understood.")


async def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    """Why is said in OpenSSL's words."""
    context = certificates.serving(*Authority(tmp_path / "ca").certify("node", "IP:127.0.0.1"))
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
    async with server:
        seen = await looks(f"wss://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert isinstance(seen, Unreachable)
    assert "its certificate is not trusted: " in words.note(seen.reason, seen.params)


@pytest.mark.parametrize("scheme", ["grpc", "ws"])
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("502 Bad Gateway", Reason.NOT_READY),
        ("503 Busy", Reason.NOT_READY),
        ("504 Late", Reason.NOT_READY),
        ("429 Slowly", Reason.BUSY),
        ("403 Forbidden", Reason.BAD_ANSWER),
        ("500 Oops", Reason.BAD_ANSWER),
    ],
)
async def test_a_proxy_says_nothing_of_what_is_behind_it(
    scheme: str, status: str, reason: Reason
) -> None:
    """It may pass."""
    async with serving(http(status)) as address:
        seen = await looks(f"{scheme}://{address}")
    assert isinstance(seen, Unreachable)
    assert seen.reason is reason


@pytest.mark.parametrize("scheme", ["grpc", "ws"])
@pytest.mark.parametrize("reads", [0, 10])
async def test_a_port_that_only_closes_is_unreachable(scheme: str, reads: int) -> None:
    """What is likeliest comes first: docker's proxy takes connections before the node does."""
    async with serving(b"", reads) as address:
        seen = await looks(f"{scheme}://{address}")
    assert isinstance(seen, Unreachable)
    assert seen.reason is Reason.STREAM_CLOSED
    note = words.note(seen.reason, seen.params)
    assert note.startswith(
        f"{address} closed the connection instead of answering: it is still starting"
    )
    assert "docker ps" in str(words.hint("stream-closed", seen.params)[1])


async def test_a_websocket_that_closes_at_the_first_question() -> None:
    """A kaspad's wRPC Borsh does, and says nothing: it is likely, and unreachable."""
    async with WrpcNode(Ways(lacks={"getBlockDagInfo"})) as node:
        seen = await looks(node.url)
    assert isinstance(seen, Unreachable)
    assert seen.reason is Reason.STREAM_CLOSED
    assert "it is going down, or it speaks wRPC Borsh." in words.note(seen.reason, seen.params)
    (hint,) = seen.hints  # all that the cure is made from
    assert "--rpclisten-json" in str(words.hint(hint.code, hint.params)[1])


async def test_another_protocol_that_nobody_knows() -> None:
    """It is not said to be a program."""
    async with serving(bytes(99)) as address:
        seen = await looks(f"grpc://{address}")
    assert isinstance(seen, Unreachable)
    assert "it speaks another protocol" in words.note(seen.reason, seen.params)
    assert not is_http2(bytes(99))
