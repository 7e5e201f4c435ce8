"""Structured garbage: JSON-RPC lines, Engine.IO packets and HTTP requests, valid and then bent.

Grammar first, so that most of it gets far: real method names, real parameters, real events; then a
few bends at random. The same seed says the same.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

WORDS = ("taskId", "id", "type", "service", "config", "after", "status", "limit", "", "__proto__")
TYPES = ("node-sync", "indexer-sync", "http-json", "report", "command", "database-migration", "x")
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53, -(2**63), 1.5, -0.0, 1e308, "", "a", "\u0000",
    "\ud7ff", "\U0001f600", "a" * 300, [], {}, [[]], {"": {}}, "..", "/etc/passwd", "%s%n", "NaN",
)  # fmt: skip
EVENTS = (
    "task:register", "task:status", "tasks:list", "task:cancel", "task:retry", "sync:pause",
    "sync:resume", "sync:strategy-chosen", "events:since", "rpc", "hello", "connect", "disconnect",
)  # fmt: skip
PATHS = (
    "/", "/task/a", "/static/app.js", "/metrics", "/healthz", "/session", "/asyncapi.json",
    "/openrpc.json", "/embed/kaspad-taskd.js", "/socket.io/?EIO=4&transport=polling", "/nothing",
)  # fmt: skip
HEADERS = (
    "Host: 127.0.0.1", "Host: evil.example", "Accept: */*", "Cookie: session=a; =; b", "Range: x",
    "Content-Type: application/json", "Content-Type: multipart/form-data", "Origin: null",
    "Content-Type: application/x-www-form-urlencoded; charset=x", "Content-Length: 3",
    "Transfer-Encoding: chunked", "Connection: Upgrade", "Upgrade: websocket",
    "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Authorization: Bearer x", "X-Forwarded-For: 1.2.3.4, x", "If-None-Match: \"", "Expect: 100",
)  # fmt: skip
VERBS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW")


LEFT_OUT = ("shutdown", "backup", "reload", "cleanupOldTasks", "newToken", "recordDecision")
"""Methods that would end the test, do what nobody asked them for, or let memory grow as it should.

What garbage decides is on record for good (10,000 of them at most), and read whole by whoever asks.
"""


class Garbage:
    """Makes it.

    Args:
        dice: decides.
        methods: names of the API's methods, but for those that would end the test.
        words: names of their parameters, and some that are none.
    """

    def __init__(
        self, dice: random.Random, methods: Sequence[str], words: Sequence[str] = WORDS
    ) -> None:
        self._dice = dice
        self._methods = [name for name in methods if name not in LEFT_OUT]
        self._words = words

    def value(self, depth: int = 0) -> Any:
        """Any JSON value."""
        dice = self._dice
        kind = dice.random()
        if depth > 3 or kind < 0.6:
            return dice.choice(ODD)
        if kind < 0.8:
            return [self.value(depth + 1) for _ in range(dice.randrange(4))]
        return {dice.choice(self._words): self.value(depth + 1) for _ in range(dice.randrange(4))}

    def params(self) -> Any:
        """Parameters as a method may take them, some of them."""
        dice = self._dice
        words = dice.sample(self._words, dice.randrange(4))
        named = {word: self.value(1) for word in words}
        return dice.choice(
            (named, {**named, "type": dice.choice(TYPES), "service": "s"}, [*named.values()],
             self.value())
        )  # fmt: skip

    def request(self) -> Any:
        """A request, or nearly."""
        dice = self._dice
        made: Any = {"jsonrpc": "2.0", "id": dice.choice(ODD), "method": dice.choice(self._methods)}
        if dice.random() < 0.8:
            made["params"] = self.params()
        if dice.random() < 0.2:
            made[dice.choice(("jsonrpc", "method", "id", "params", "extra"))] = self.value()
        if dice.random() < 0.05:
            made = [made, self.value(), made]
        return made

    def line(self) -> bytes:
        """A line for the socket, with its newline."""
        text = json.dumps(self.request(), ensure_ascii=self._dice.random() < 0.5)
        return self._bent(text.encode("utf-8", "surrogatepass")).replace(b"\n", b" ") + b"\n"

    def packet(self) -> str:
        """An Engine.IO packet for a WebSocket that is open."""
        dice = self._dice
        body = json.dumps([dice.choice(EVENTS), self._argument()])
        number = dice.choice(("", "0", "7", "99999999999999999999", "-1"))
        kind = dice.choice(
            ("42", "42", "42", "43", "40", "41", "44", "45", "46", "47", "4", "2", "6")
        )
        return self._bent(f"{kind}{number}{body}".encode()).decode("utf-8", "replace")

    def _argument(self) -> Any:
        if self._dice.random() < 0.5:
            return {"method": self._dice.choice(self._methods), "params": self.params()}
        return self.params()

    def http(self) -> bytes:
        """A request over HTTP, whole or not."""
        dice = self._dice
        lines = [f"{dice.choice(VERBS)} {dice.choice(PATHS)} HTTP/1.{dice.choice('1109')}"]
        lines += dice.sample(HEADERS, dice.randrange(6))
        body = json.dumps(self.params()) if dice.random() < 0.5 else "token=x&a=%ff"
        if dice.random() < 0.5:
            lines.append(f"Content-Length: {len(body)}")
        return self._bent("\r\n".join([*lines, "", body]).encode())

    def _bent(self, data: bytes) -> bytes:
        """Bend it in one place or two, now and then."""
        if self._dice.random() < 0.6 or not data:
            return data
        made = bytearray(data)
        for _ in range(self._dice.randint(1, 2)):
            self._dice.choice(_BENDS)(self._dice, made)
        return bytes(made)


def _flip(dice: random.Random, made: bytearray) -> None:
    if made:
        made[dice.randrange(len(made))] ^= 1 << dice.randrange(8)


def _drop(dice: random.Random, made: bytearray) -> None:
    begin = dice.randrange(len(made) + 1)
    del made[begin : begin + dice.randint(1, 9)]


def _double(dice: random.Random, made: bytearray) -> None:
    begin = dice.randrange(len(made) + 1)
    made[begin:begin] = made[begin : begin + dice.randint(1, 40)] * dice.randint(1, 3)


def _insert(dice: random.Random, made: bytearray) -> None:
    at = dice.randrange(len(made) + 1)
    made[at:at] = dice.choice(
        (b"\x00", b"\xff", b"{", b"]", b'"', b"\\u", b"\r", b"%", b"-", b"e9")
    )


def _cut(dice: random.Random, made: bytearray) -> None:
    del made[dice.randrange(len(made) + 1) :]


_BENDS: tuple[Callable[[random.Random, bytearray], None], ...] = (
    _flip, _drop, _double, _insert, _cut,
)  # fmt: skip
