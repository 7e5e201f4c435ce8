"""No bytes from a watched service crash a look, hold up the loop, or come out of it again."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kaspad_taskd import words
from kaspad_taskd.core.observation import Observation, Reading, Refused, Unreachable
from kaspad_taskd.probes import Means
from tests.fakes.patience import PATIENCE
from tests.probes.looks import look, made

half_made = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""asyncpg's __del__ asks a connection that failed early for a field that it has not got yet."""
SECRET = "sEcReT"
KINDS = (
    "http-json", "simply-kaspa", "kasia", "k-indexer", "database-migration", "grpc", "ws",
)  # fmt: skip


def probe_of(kind: str, port: int, place: Path, timeout: float = 1.0) -> Any:
    """A probe of any type that asks something over TCP."""
    here = f"127.0.0.1:{port}"
    if kind == "database-migration":
        dsn = place / "dsn"
        dsn.write_text(f"postgresql://me:word@{here}/db")
        means = Means(databases={"x": dsn})
        return made(kind, {"dsn": "x", "tool": "simply-kaspa"}, means, timeout)
    if kind in ("grpc", "ws"):
        return made("node-sync", {"url": f"{kind}://{here}"}, timeout=timeout)
    if kind == "http-json":
        data = {"url": f"http://{here}/", "progress": "p", "error": "e"}
        return made(kind, data, timeout=timeout)
    return made("indexer-sync", {"url": f"http://{here}", "flavor": kind}, timeout=timeout)


HTTP = (
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 503 X\r\n", b"HTTP/1.1 301 X\r\nLocation: http://[::1]/\r\n",
    b"Content-Length: 12\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"\r\n",
    b"5\r\n", b"0\r\n\r\n", b'{"p": 41}', b'{"p": "sEcReT"}', b'{"e": "sEcReT"}',
    b"HTTP/1.1 101 X\r\n",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n",
)  # fmt: skip
FRAMES = (
    b"\0\0\0\4\0\0\0\0\0", b"\0\0\0\4\1\0\0\0\0", b"\0\0\x08\6\0\0\0\0\0sEcReT!!",
    b"\0\0\x0e\7\0\0\0\0\0\0\0\0\0\0\0\0\2sEcReT",
)  # fmt: skip
MESSAGES = (
    b"N", b"S", b"R\0\0\0\x08\0\0\0\0", b"R\0\0\0\x08\0\0\0\3", b"Z\0\0\0\5I", b"1\0\0\0\4",
    b"S\0\0\0\x19server_version\x0017.1\0\0", b"K\0\0\0\x0c\0\0\0\1\0\0\0\1", b"2\0\0\0\4",
    b"E\0\0\0\x1bSERROR\0C42P01\0MsEcReT\0\0", b"E\0\0\0\x1bSFATAL\0CsEcReT\0Mno\0\0\0",
    b"N\0\0\0\x1bSERROR\0C42P01\0MsEcReT\0\0", b"A\0\0\0\x12\0\0\0\1sEcReT\0x\0\0",
)  # fmt: skip
FIRST = {"database-migration": b"N"}
"""What has to come before the rest makes sense: no TLS here."""
PIECES = {"database-migration": MESSAGES, "grpc": FRAMES}


def sent(kind: str) -> st.SearchStrategy[bytes]:
    """What a service of any kind may send: pieces of its protocol, a secret, and anything else."""
    pieces = st.sampled_from((*PIECES.get(kind, HTTP), SECRET.encode()))
    return st.lists(pieces | st.binary(max_size=20), max_size=8).map(b"".join)


class Service:
    """Sends `first` to whoever connects, then the same bytes after the next question, and ends."""

    def __init__(self, first: bytes = b"") -> None:
        self.first = first
        self.bytes = b""
        self._serving: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End, with every connection."""
        self.server.close()
        await asyncio.gather(*self._serving)
        await asyncio.sleep(0)  # sockets are closed in the step after

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            await reader.read(65_536)
            if self.first:
                writer.write(self.first)
                await reader.read(65_536)
            writer.write(self.bytes)
            await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            self._serving.discard(task)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One loop for all examples: a library's own threads outlive a loop."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # what a library logs of broken bytes
    yield loop
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def judged(seen: Observation) -> None:
    """It is an observation whose words are ours."""
    assert isinstance(seen, Reading | Unreachable | Refused)
    assert SECRET not in repr(seen)
    assert not (isinstance(seen, Reading) and seen.complete)
    if seen.reason is not None:
        assert "?" not in words.note(seen.reason, seen.params)
    json.dumps([seen.memory if isinstance(seen, Reading) else None])


@pytest.mark.timeout(300)
@half_made
@pytest.mark.parametrize("kind", KINDS)
def test_no_bytes_crash_a_look(
    kind: str, loop: asyncio.AbstractEventLoop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever is sent, in time, there is an observation, and nothing of the bytes in it."""
    service, place = Service(FIRST.get(kind, b"")), tmp_path_factory.mktemp("bytes")
    loop.run_until_complete(service.start())

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @example(data=b"")
    @example(data=b"".join(PIECES.get(kind, HTTP)))
    @given(data=sent(kind))
    def each(data: bytes) -> None:
        service.bytes = data

        async def once() -> Observation:
            async with asyncio.timeout(PATIENCE):
                found: Observation = await look(probe_of(kind, service.port, place))
                return found

        judged(loop.run_until_complete(once()))

    each()
    loop.run_until_complete(service.stop())
    gc.collect()


def whole(body: bytes, headers: bytes = b"") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n" % (len(body), headers)
    return head + body


LARGE = {
    "brackets": whole(b"[" * 1_000_000),
    "nested": whole(b'{"p":' * 180_000 + b"1" + b"}" * 180_000),
    "numbers": whole(b"[" + b"1," * 520_000 + b"1]"),
    "digits": whole(b'{"p": ' + b"9" * 1_000_000 + b"}"),
    "names": whole(json.dumps({str(n): n for n in range(60_000)}).encode()),
    "endless": whole(b"x" * 8_000_000),
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 300_000,
    "heads": b"HTTP/1.1 200 OK\r\n" + b"A: sEcReT\r\n" * 300_000,
    "early": b"HTTP/1.1 100 Continue\r\n\r\n" * 200_000,
}
LONGEST = 1.0
"""Seconds of the loop's own CPU in one step, thirty times what it takes; neither what others on the
machine take counts, nor the garbage of a large test run."""


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The CPU of each step of the loop."""
    import kaspad_taskd.probes.http  # noqa: F401 - loaded once, before anything is measured

    gc.collect()
    gc.freeze()
    spent: list[float] = []
    run = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        before = time.thread_time()
        run(handle)
        spent.append(time.thread_time() - before)

    monkeypatch.setattr(asyncio.Handle, "_run", timed)
    yield spent
    gc.unfreeze()


@pytest.mark.parametrize("kind", ["http-json", "simply-kaspa"])
@pytest.mark.parametrize("name", LARGE)
async def test_no_large_answer_holds_up_the_loop(
    kind: str, name: str, tmp_path: Path, steps: list[float]
) -> None:
    """What is large is read elsewhere, or not at all."""
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    service = Service()
    service.bytes = LARGE[name]
    await service.start()
    seen = await look(probe_of(kind, service.port, tmp_path))
    await service.stop()
    judged(seen)
    assert isinstance(seen, Unreachable)
    assert max(steps) < LONGEST


@half_made
@pytest.mark.parametrize(
    ("code", "shown"),
    [("42P10", True), ("sEcReT", False), ("42p10", False), ("<b>12", False)],
)
async def test_the_code_of_an_error_is_shown_only_where_it_is_one(
    code: str, shown: bool, tmp_path: Path
) -> None:
    """A server's code is a stranger's text too."""
    message = b"SERROR\0C" + code.encode() + b"\0MsEcReT\0\0"
    service = Service(b"N")
    service.bytes = b"E" + (len(message) + 4).to_bytes(4, "big") + message
    await service.start()
    seen = await look(probe_of("database-migration", service.port, tmp_path, PATIENCE))
    await service.stop()
    judged(seen)
    assert (code in words.note(seen.reason, seen.params)) is shown
    gc.collect()
