"""The log: to the journal with fields, where stderr is the journal; else lines on stderr.

A record's fields come with `extra=`: `task` (an id), `reason` (of the closed list) and `incident`
(a crash's number). Lines begin with them (`task=ID reason=R ...`), in the journal too, where they
are fields besides: `journalctl TASK=ID`.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final, TextIO

SOCKET: Final = "/run/systemd/journal/socket"
"""Where journald takes entries (systemd's JOURNAL_NATIVE_PROTOCOL)."""
IDENTIFIER: Final = "kaspad-taskd"
FIELDS: Final = ("task", "reason", "incident")
"""What a record may carry, in the order in which a line tells them."""
HELD: Final = 4096
"""Entries held while the journal takes none: some MB."""
PATIENCE: Final = 10.0
"""Seconds for which it may take none: a restart of journald."""
PAUSE: Final = 0.05
LAST_WORDS: Final = 0.3
"""Seconds that a stop gives to what is held."""
LONGEST: Final = 65_536
"""Bytes of a message: one datagram fits the kernel's usual 212,992 with all its fields."""
_CUT: Final = b"\n[...]\n"

_PRIORITIES: Final = (
    (logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6),
)  # fmt: skip
_DEBUG: Final = 7


class Lines(logging.Formatter):
    """A record as text, its fields first."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """Return the line without its traceback."""
        told = "".join(f"{name}={value} " for name, value in _fields(record))
        record.message = told + record.message
        return super().formatMessage(record)


class JournalHandler(logging.Handler):
    """Sends each record as one datagram; who logs never waits.

    What the journal does not take at once (a burst, a journald that is being restarted) is held,
    and a thread, which lives as long as something is, sends it in order. What is too much, or held
    for too long, is lost, and an entry says how many were.

    Args:
        path: of the journal's socket.
        patience: seconds for which the journal may take nothing.
        name: of the program.
    """

    def __init__(
        self, path: str = SOCKET, patience: float = PATIENCE, name: str = IDENTIFIER
    ) -> None:
        super().__init__()
        self._path = path
        self._program = name
        self._patience = patience
        self._guard = threading.Lock()  # not the handler's: a stop holds that one while it waits
        self._held: deque[bytes] = deque()
        self._lost = 0
        self._sender: threading.Thread | None = None
        self._closing = False
        self._socket = _socket()
        self._socket.setblocking(False)
        self._waiting = _socket()  # at the time when it is needed there may be no file for it
        self._waiting.settimeout(PAUSE)
        self.setFormatter(Lines())

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record, or hold it."""
        try:
            entry = entry_of(record, self.format(record), self._program)
        except Exception:
            self.handleError(record)
            return
        with self._guard:
            if self._held or self._lost or not _sent(self._socket, entry, self._path):
                self._hold(entry)

    def _hold(self, entry: bytes) -> None:
        if len(self._held) >= HELD:
            self._lost += 1
            return
        self._held.append(entry)
        if self._sender is None:
            self._sender = threading.Thread(target=self._send_held, name="journal", daemon=True)
            self._sender.start()

    def _send_held(self) -> None:
        until = time.monotonic() + self._patience
        while (following := self._next()) is not None:
            entry, losses = following
            if _sent(self._waiting, entry, self._path):
                until = time.monotonic() + self._patience
                self._done(losses)
            elif self._closing or time.monotonic() > until:
                self._give_up()
                return
            else:
                time.sleep(PAUSE)

    def _next(self) -> tuple[bytes, int] | None:
        """Return what is to be sent next and how many losses it tells; None: all is done."""
        with self._guard:
            if self._held:
                return self._held[0], 0
            if self._lost:
                return _loss(self._lost, self._program), self._lost
            self._sender = None
            return None

    def _done(self, losses: int) -> None:
        with self._guard:
            if losses:
                self._lost -= losses
            else:
                self._held.popleft()

    def _give_up(self) -> None:
        with self._guard:
            self._lost += len(self._held)
            self._held.clear()
            self._sender = None

    def close(self) -> None:
        """Let the socket go; what is held still gets a moment."""
        sender = self._sender
        if sender is not None:
            sender.join(LAST_WORDS)
            self._closing = True
        self._socket.close()
        self._waiting.close()
        super().close()


def _socket() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)


def _sent(through: socket.socket, entry: bytes, path: str) -> bool:
    try:
        through.sendto(entry, path)
    except OSError:  # its queue is full, or journald is being restarted
        return False
    return True


def _loss(count: int, name: str) -> bytes:
    text = f"{count} entries were lost: the journal did not take them in time"
    return _entry([("PRIORITY", "4"), ("SYSLOG_IDENTIFIER", name), ("MESSAGE", text)])


def entry_of(record: logging.LogRecord, text: str, name: str = IDENTIFIER) -> bytes:
    """Return a program's record as the journal takes it.

    `text` is its message, with its traceback.
    """
    fields = [
        ("PRIORITY", str(_priority(record.levelno))),
        ("SYSLOG_IDENTIFIER", name),
        ("LOGGER", record.name),
        ("CODE_FILE", record.pathname),
        ("CODE_LINE", str(record.lineno)),
        ("CODE_FUNC", record.funcName or ""),
    ]
    fields += [(name.upper(), value) for name, value in _fields(record)]
    return _entry([*fields, ("MESSAGE", text)])


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, str]]:
    for name in FIELDS:
        value = getattr(record, name, None)
        if value is not None:
            yield name, str(value)


def _priority(level: int) -> int:
    return next((number for least, number in _PRIORITIES if level >= least), _DEBUG)


def _entry(fields: list[tuple[str, str]]) -> bytes:
    return b"".join(_field(name.encode(), _cut(value)) for name, value in fields)


def _cut(value: str) -> bytes:
    """The value's bytes; of a long one its begin, and its end, where a traceback says what."""
    data = value.encode(errors="replace")
    if len(data) <= LONGEST:
        return data
    head, tail = LONGEST // 4, LONGEST - LONGEST // 4 - len(_CUT)
    return data[:head] + _CUT + data[-tail:]


def _field(name: bytes, value: bytes) -> bytes:
    if b"\n" in value:
        return name + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"
    return name + b"=" + value + b"\n"


def is_journal(environ: Mapping[str, str], descriptor: int) -> bool:
    """Whether a descriptor is the stream that systemd made to the journal (JOURNAL_STREAM)."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def complain(fault: object, name: str = IDENTIFIER) -> None:
    """Say on stderr why there will be no daemon, before there is a log or after its end."""
    # systemd reads the level of a line from its first three letters
    prefix = "<3>" if is_journal(os.environ, sys.stderr.fileno()) else f"{name}: "
    print(f"{prefix}{fault}", file=sys.stderr, flush=True)


def begin_log(
    level: str, stream: TextIO | None = None, path: str = SOCKET, name: str = IDENTIFIER
) -> None:
    """Let all that is logged from now on go to the journal, or to stderr."""
    stream = stream or sys.stderr
    journal = is_journal(os.environ, stream.fileno())
    handler: logging.Handler
    if journal and os.path.exists(path):  # noqa: PTH110 - one question
        handler = JournalHandler(path, name=name)
    else:
        stamp = "" if journal else "%(asctime)s "
        handler = logging.StreamHandler(stream)
        handler.setFormatter(Lines(f"{stamp}%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
