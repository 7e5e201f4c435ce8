"""A connection to the daemon: which socket, one JSON text a line, each wait with a deadline.

Standard library only.
"""

from __future__ import annotations

import json
import os
import socket
import time

TYPE_CHECKING = False  # importing typing would cost the command line a tenth of its start
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

SYSTEM_SOCKET = "/run/kaspad-taskd/rpc.sock"
READERS_SOCKET = "watch.sock"
"""The name of the socket beside it for those who only read."""
PAUSE = 0.05
"""Seconds until connecting is tried again."""

_CHUNK = 65536
_LONGEST = 64 << 20  # an answer: ten thousand tasks are 20 MiB


class Unreachable(Exception):
    """There is no daemon to talk to, or it went away.

    Attributes:
        reason: "missing" (no socket), "refused" (nobody listens on it), "forbidden" (no
            permission), "timeout" (no answer in time), "closed" (it ended the connection),
            "not-taskd" (what answers is no JSON-RPC) or "bad-path" (no path of a socket).
        path: the socket that was tried.
        detail: what the system said, may be "".
    """

    def __init__(self, reason: str, path: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {path}" + (f" ({detail})" if detail else ""))
        self.reason = reason
        self.path = path
        self.detail = detail


def candidates() -> list[str]:
    """Return where a daemon's socket may be: the system's, then this user's own."""
    own = own_socket()
    return [SYSTEM_SOCKET, *([own] if own else [])]


def own_socket() -> str | None:
    """Return where the socket of this user's own daemon is; None where there is no such place."""
    own = own_directory("XDG_RUNTIME_DIR")
    return f"{own}/kaspad-taskd/rpc.sock" if own else None


def own_directory(variable: str, usual: str = "") -> str:
    """Return a directory of this user: what XDG's variable names, else `usual` in the home, or "".

    What is not absolute is ignored, as XDG demands. A service of systemd may have no HOME: it is
    the same user as in a shell.
    """
    named = os.environ.get(variable, "")
    if named.startswith("/"):
        return named
    return f"{os.environ.get('HOME') or _home()}/{usual}" if usual else ""


def _home() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return "/"


def _fault(error: OSError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "missing"
    if isinstance(error, PermissionError):
        return "forbidden"
    if isinstance(error, ConnectionRefusedError | BlockingIOError):
        return "refused"
    return "closed" if isinstance(error, ConnectionError) else "bad-path"


class Wire:
    """One connection: lines out, JSON objects in, each wait with a deadline."""

    def __init__(self, path: str, timeout: float) -> None:
        self.path = path
        self._buffer = bytearray()
        self._searched = 0
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.socket.settimeout(timeout)
            self.socket.connect(path)
        except BaseException:
            self.socket.close()
            raise

    def send(self, message: object) -> None:
        """Send one message. Raises Unreachable: closed, timeout."""
        line = json.dumps(message, separators=(",", ":"), allow_nan=False) + "\n"
        try:
            self.socket.sendall(line.encode())
        except TimeoutError:
            raise Unreachable("timeout", self.path) from None
        except OSError as error:
            raise Unreachable("closed", self.path, str(error)) from None

    def receive(self, timeout: float) -> dict[str, Any]:
        """Return the next message. Raises Unreachable: timeout, closed, not-taskd."""
        deadline = time.monotonic() + timeout
        while True:
            end = self._buffer.find(b"\n", self._searched)
            if end >= 0:
                line = bytes(self._buffer[:end])
                del self._buffer[: end + 1]
                self._searched = 0
                return self._parse(line)
            self._searched = len(self._buffer)
            self._more(deadline - time.monotonic())

    def _more(self, timeout: float) -> None:
        if len(self._buffer) > _LONGEST:
            raise Unreachable("not-taskd", self.path, "an endless line")
        try:
            self.socket.settimeout(max(timeout, 0.001))
            data = self.socket.recv(_CHUNK)
        except TimeoutError:
            raise Unreachable("timeout", self.path) from None
        except OSError as error:
            raise Unreachable("closed", self.path, str(error)) from None
        if not data:
            raise Unreachable("closed", self.path)
        self._buffer += data

    def _parse(self, line: bytes) -> dict[str, Any]:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise Unreachable("not-taskd", self.path)
        return message

    def close(self) -> None:
        """Let the connection go."""
        self.socket.close()


def connect(paths: Sequence[str], timeout: float, patience: float) -> Wire:
    """Return a connection to the first daemon that takes one.

    Whoever may not use a daemon's socket, but may read, gets the one for reading beside it.

    Raises:
        Unreachable: none did for `patience` seconds; the most telling fault of all paths.
    """
    deadline = time.monotonic() + patience
    while True:
        faults = []
        for path in paths:
            try:
                return _wire(path, timeout)
            except OSError as error:
                reason = "timeout" if isinstance(error, TimeoutError) else _fault(error)
                faults.append(Unreachable(reason, path, error.strerror or str(error)))
        worst = min(faults, key=lambda fault: _TELLING.index(fault.reason))
        if worst.reason in ("forbidden", "bad-path") or time.monotonic() >= deadline:
            raise worst
        time.sleep(PAUSE)


def _wire(path: str, timeout: float) -> Wire:
    try:
        return Wire(path, timeout)
    except PermissionError as error:
        place, slash, name = path.rpartition("/")
        if name == READERS_SOCKET:
            raise
        try:
            return Wire(f"{place}{slash}{READERS_SOCKET}", timeout)
        except OSError:
            raise error from None


_TELLING = ("forbidden", "bad-path", "timeout", "refused", "closed", "missing")
