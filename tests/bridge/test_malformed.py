"""Whatever comes over the bridge's port is the sender's fault: a 4xx, and a bounded log."""

# ruff: noqa: E501 - requests as they are sent

from __future__ import annotations

import asyncio
import logging
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bridge.house import bridged
from tests.fakes.bent_http import frames, requests
from tests.fakes.patience import PATIENCE

EXAMPLES = 400
WAIT = 0.2
"""Seconds for what is half a request: nothing comes."""
POLL = b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
UPGRADE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_STATUS = re.compile(rb"HTTP/\d\.\d (\d{3}) ")


class Door:
    """A real bridge on a loop of its own, asked over raw sockets."""

    def __init__(self, place: Path) -> None:
        self.records: list[logging.LogRecord] = []
        self._place = place
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()))
        self.sid = ""

    async def _live(self) -> None:
        async with bridged(self._place) as house:
            await house.add("work")
            self.port = house.opened.address.port
            self.page = house.site.page
            self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
            self._ready.set()
            await self._end.wait()

    def open(self) -> None:
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def say(self, raw: bytes, then: bytes = b"", wait: float = PATIENCE) -> bytes:
        """Connect and send, `then` after the first answer; all that comes until the end."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as line:
            said = b""
            try:
                line.sendall(raw)
                if then:
                    said = line.recv(65_536)
                    line.sendall(then)
                line.settimeout(wait)
                while len(said) < 1 << 22 and (more := line.recv(65_536)):
                    said += more
            except (TimeoutError, ConnectionError):
                pass
            return said

    def session(self) -> bytes:
        """The id of a client that polls; a new one, where the last has ended."""
        found = re.search(rb'"sid":"([^"]+)"', self.say(POLL))
        assert found is not None
        return found[1]

    def is_well(self) -> bool:
        """Whether it still serves, and has logged no fault of ours."""
        answer = self.say(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return answer.startswith(b"HTTP/1.1 200 ") and not self.faults()

    def faults(self) -> list[str]:
        """What was logged as one: with a traceback, or as an error."""
        bad = [each for each in self.records if each.exc_info or each.levelno >= logging.ERROR]
        return [f"{each.getMessage()}: {each.exc_info and each.exc_info[1]!r}" for each in bad]


class _Noting(logging.Handler):
    def __init__(self, into: list[logging.LogRecord]) -> None:
        super().__init__(logging.INFO)
        self._into = into

    def emit(self, record: logging.LogRecord) -> None:
        self._into.append(record)


@pytest.fixture(name="door", scope="module")
def _door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    door = Door(tmp_path_factory.mktemp("door"))
    noting = _Noting(door.records)
    logging.getLogger().addHandler(noting)
    door.open()
    try:
        yield door
    finally:
        door.close()
        logging.getLogger().removeHandler(noting)


def statuses(said: bytes) -> list[int]:
    """Of all answers in what was said; 100 is none yet."""
    return [int(each) for each in _STATUS.findall(said) if each != b"100"]


def post(path: str, kind: str, body: bytes, *more: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close", *more]
    if kind:
        lines.append(f"Content-Type: {kind}")
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
    return head.encode() + body


FORM = "application/x-www-form-urlencoded"
WRONG = {
    "multipart without a boundary": post("/session", "multipart/form-data", b"x"),
    "multipart of another boundary": post("/session", "multipart/form-data; boundary=x", b"--y"),
    "a boundary that is too long": post("/session", f"multipart/form-data; boundary={'x' * 99}", b"x"),
    "an expectation in no text": b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n"
    b"Connection: close\r\nExpect: \xb1\r\n\r\n",
    "a form in no text": post("/session", FORM, b"token=\xff\xfe"),
    "a charset that is none": post("/session", f"{FORM}; charset=no-such", b"token=x"),
    "JSON that is none": post("/session", "application/json", b'{"token": '),
    "JSON in no UTF-8": post("/session", "application/json", b'{"token": "\xff"}'),
    "gzip that is none": post("/session", FORM, b"token=x", "Content-Encoding: gzip"),
    "packets in gzip that is none": post("/socket.io/", "", b"4", "Content-Encoding: gzip"),
    "no packets": post("/socket.io/?EIO=4&transport=polling", "", b"\xff\xff"),
    "no session": post("/socket.io/?EIO=4&transport=polling&sid=x", "", b"40"),
    "half an upgrade": b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
    b"Upgrade: WebSocket\r\nConnection: close\r\n\r\n",
    "a length that is none": b"POST /session HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "two lengths": b"POST /session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
    b"Content-Length: 2\r\n\r\nxx",
    "a chunk that is none": b"POST /session HTTP/1.1\r\nHost: localhost\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "headers without end": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 99_999 + b"\r\n\r\n",
    "a method that is none": b"BREW / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "no target": b"CONNECT  \r\nHost: localhost\r\n\r\n",
    "a host in no UTF-8": b"GET / HTTP/1.1\r\nHost: \xff\r\nConnection: close\r\n\r\n",
    "a browser's host in no UTF-8": b"GET / HTTP/1.1\r\nHost: a\xff\r\nAccept: text/html\r\n"
    b"Connection: close\r\n\r\n",
    "an origin in no UTF-8": b"GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://a\xff\r\n"
    b"Accept: text/html\r\nConnection: close\r\n\r\n",
    "a page around it in no UTF-8": b"GET / HTTP/1.1\r\nHost: localhost\r\nReferer: http://a\xff/\r\n"
    b"Sec-Fetch-Dest: iframe\r\nSec-Fetch-Site: cross-site\r\nConnection: close\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_the_senders_fault(door: Door, what: str) -> None:
    """It is a 4xx, and the door is as it was."""
    (status,) = statuses(door.say(WRONG[what]))
    assert 400 <= status < 500
    assert door.is_well()


@settings(max_examples=EXAMPLES)
@given(requests(), st.booleans())
def test_no_request_is_answered_as_a_fault_of_ours(door: Door, raw: bytes, known: bool) -> None:
    """However its grammar is bent, of a client that polls, too."""
    if known and b"transport=polling" in raw:
        raw = raw.replace(b"transport=polling", b"transport=polling&sid=" + door.session(), 1)
    found = statuses(door.say(raw, wait=WAIT))
    assert all(status < 500 for status in found)
    assert not door.faults()


@settings(max_examples=EXAMPLES)
@given(st.lists(frames(), min_size=1, max_size=4).map(b"".join))
def test_no_frame_is_a_fault_of_ours(door: Door, said: bytes) -> None:
    """Whatever comes over a WebSocket ends it at most."""
    door.say(UPGRADE, then=said, wait=0.02)
    assert not door.faults()


def test_the_door_is_well_and_its_log_small_after_all_that(door: Door) -> None:
    """Hundreds of malformed requests are a line a minute for each cause."""
    for _ in range(20):
        for raw in WRONG.values():
            door.say(raw)
    assert door.is_well()
    said = [each.getMessage() for each in door.records]
    assert len(said) < 60, said


def test_a_crash_of_ours_keeps_its_number(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no fault of the sender's is a 500, its traceback in the log under its incident."""

    def crash(*_: Any) -> Any:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(door.page, "index", crash)
    answer = door.say(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert statuses(answer) == [web.HTTPInternalServerError.status_code]
    number = re.search(rb"incident ([0-9a-f]{8})", answer)
    assert number is not None
    assert vars(door.records[-1])["incident"] == number[1].decode()
    door.records.pop()
