"""Real servers on loopback that behave as services do on good and on bad days: HTTP and SMTP."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

PATIENCE = 60.0
"""Seconds that a test waits for what has to come."""


@dataclass(frozen=True)
class Request:
    """What came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What is said to it, and how.

    `way` is "whole", "close" (before a word), "hang", "drip" (the body, a byte after the other, for
    ever) or "half" (of the body).
    """

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    way: str = "whole"


class Server:
    """Takes connections on a free port of loopback, each in a thread, until it is left."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.reached = threading.Event()
        """Set as soon as it hangs or drips."""
        self.left = threading.Event()
        """Set when nobody needs it any longer."""
        self.connections = 0
        self._tls = tls
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.left.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._threads:
            each.join(PATIENCE)

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.left.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(partial(self._attend, connection))

    def _attend(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        with contextlib.suppress(OSError), connection:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                self.talk(connection)

    def talk(self, connection: socket.socket) -> None:
        raise NotImplementedError

    def hang(self) -> None:
        """Say nothing until the test is over."""
        self.reached.set()
        self.left.wait()


class Http(Server):
    """Answers each request by what `answer` makes of it, and keeps it in `requests`."""

    def __init__(
        self,
        answer: Answer | Callable[[Request], Answer] = Answer(),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(tls)
        self.answer = answer
        self.requests: list[Request] = []
        self.cut = threading.Event()
        """Set where an answer was not read to its end."""

    def talk(self, connection: socket.socket) -> None:
        request = _request(connection)
        if request is None:
            return
        self.requests.append(request)
        answer = self.answer if isinstance(self.answer, Answer) else self.answer(request)
        if answer.way == "hang":
            self.hang()
        elif answer.way != "close":
            try:
                self._say(connection, answer)
            except OSError:
                self.cut.set()

    def _say(self, connection: socket.socket, answer: Answer) -> None:
        body = answer.body.encode()
        length = 1_000_000 if answer.way == "drip" else len(body)
        headers = {"Content-Length": str(length), "Connection": "close", **answer.headers}
        if answer.status == 204:
            del headers["Content-Length"]
        lines = [f"HTTP/1.1 {answer.status} So", *(f"{k}: {v}" for k, v in headers.items())]
        connection.sendall("\r\n".join((*lines, "", "")).encode())
        connection.sendall(body[: len(body) // 2] if answer.way == "half" else body)
        if answer.way == "drip":
            self.reached.set()
            while not self.left.wait(0.05):
                connection.sendall(b".")


def _request(connection: socket.socket) -> Request | None:
    with connection.makefile("rb") as file:
        first = file.readline().decode().split()
        if len(first) != 3:
            return None
        headers: dict[str, str] = {}
        while line := file.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = file.read(int(headers.get("content-length", 0)))
        return Request(first[0], first[1], headers, body)


class Smtp(Server):
    """Speaks SMTP: `says` has what it answers otherwise, by command ("banner" and "mail" too).

    A reply of "" closes the connection in its place, "hang" says nothing.
    """

    def __init__(self, **says: str) -> None:
        super().__init__()
        self.says = says
        self.mails: list[str] = []

    def talk(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as file:
            if not self._say(connection, "banner", "220 here"):
                return
            while line := file.readline():
                word = line.split()[0].decode().lower()
                if word == "data" and "data" not in self.says:
                    self._say(connection, "", "354 go on")
                    self._mail(file)
                    word = "mail-itself"
                if not self._say(connection, word, _USUAL.get(word, "250 fine")):
                    return

    def _mail(self, file: Iterator[bytes]) -> None:
        lines: list[str] = []
        for line in file:
            if line == b".\r\n":
                break
            lines.append(line.decode())
        self.mails.append("".join(lines))

    def _say(self, connection: socket.socket, word: str, usual: str) -> bool:
        said = self.says.get(word.replace("-", "_"), usual)
        if said == "hang":
            self.hang()
        elif said:
            connection.sendall(f"{said}\r\n".encode())
        return said not in ("", "hang") and word != "quit"


_USUAL = {"ehlo": "250-here\r\n250 AUTH PLAIN LOGIN", "auth": "235 welcome", "quit": "221 bye"}
