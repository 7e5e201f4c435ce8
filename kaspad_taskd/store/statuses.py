"""The second record: what every task is, and what was decided, beside the state and small.

It is read when the state is damaged, or has lost what was told (a log that broke off): then what
was complete, cancelled or paused comes back so, and no reaction is repeated. A line each thing, the
newest one counts; it is written, and on the disk, before a change is acknowledged.

    4f9c12d0 told 0000000000000001042 whole
    91b3c7aa task/node-sync-kaspa-node {"seq": 17, "is": {"task": {...}, "definition": {...}}}
    0d44e1f7 cursor/reactions {"seq": 1042, "is": 1042}

Each line begins with the CRC-32 of the rest of it. `told` is the last `seq` told, written in place.
"""

from __future__ import annotations

import logging
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import Any, TypeAlias

from kaspad_taskd.base import files, jsontext
from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.model import Definition, Task
from kaspad_taskd.core.record import Loaded, Outcome
from kaspad_taskd.store import codec
from kaspad_taskd.store.schema import MARKS, MODE, Connection, SqliteError

_log = logging.getLogger(__name__)

Key: TypeAlias = str
"""What a line is of: `task/ID`, `cursor/NAME`, `switch/N`, `warning/N`, `decision/N`,
`mark/NAME`."""

Signature: TypeAlias = tuple[str, str, int, Definition]
"""What a task is: its status, its watch, its attempt, its definition."""

SLACK = 256 * 1024
"""Bytes that old lines may take before all is written anew (as much again as what counts, too)."""
DECISIONS = 1_000
"""The newest decisions are in it."""
_HEAD = re.compile(rb"[0-9a-f]{8} told (\d{19}) (whole|behind)\n")
_HEAD_SIZE = 8 + 1 + 4 + 1 + 19 + 1 + 6 + 1
_LARGEST = 2**62


@frozen
class Known:
    """What a second record says.

    Attributes:
        told: the last `seq` that was told, as far as it knows.
        whole: whether it knows all: no line is damaged, and none is missing.
        things: what each key is; None: it was removed.
        written: whether there is such a record at all.
    """

    told: int = 0
    whole: bool = False
    things: dict[Key, Any] = field(default_factory=dict)
    written: bool = False

    def of(self, kind: str) -> Iterator[tuple[str, Any]]:
        """The names and contents of all things of a kind."""
        for key, thing in self.things.items():
            if key.startswith(kind + "/"):
                yield key.partition("/")[2], thing


def read(path: Path) -> Known:
    """What the record at `path` says; nothing where there is none, or where it cannot be read."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return Known()
    head = _HEAD.fullmatch(lines[0].rstrip() + b"\n") if _is_sound(lines[0]) else None
    whole = head is not None and head[2] == b"whole" and lines[-1] == b""
    told = int(head[1]) if head is not None else 0
    things: dict[Key, Any] = {}
    for line in lines[1:]:
        found = _thing(line)
        if found is None:
            whole = whole and not line
            continue
        key, seq, thing = found
        things[key] = thing
        told = max(told, seq)
    return Known(told if told < _LARGEST else 0, whole, things, written=True)


def _is_sound(line: bytes) -> bool:
    return line[:8] == b"%08x" % zlib.crc32(line[9:])


def _thing(line: bytes) -> tuple[Key, int, Any] | None:
    if not line or not _is_sound(line):
        return None
    try:
        key, _, text = line[9:].decode().partition(" ")
        document = jsontext.loads(text)
        return key, int(document["seq"]), document["is"]
    except (ValueError, KeyError, TypeError):
        return None


def _line(key: Key, seq: int, thing: Any) -> bytes:
    body = b"%s %s" % (key.encode(), jsontext.dumps({"seq": seq, "is": thing}))
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _head(seq: int, *, whole: bool) -> bytes:
    body = b"told %019d %s" % (seq, b"whole " if whole else b"behind")
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _task(task: Task) -> Any:
    shown = jsontext.loads(codec.task_text(task))
    del shown["live"]
    return {"task": shown, "definition": jsontext.loads(codec.definition_text(task.definition))}


def task_in(said: Any) -> Task:
    """The task of a line, without what a look brings.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is of a version that knows it otherwise.
    """
    definition = codec.definition_of(_text(said["definition"]))
    return codec.task_of(_text(said["task"]), definition)


def same(task: Task, said: Task) -> bool:
    """Whether a task is what another one is: its status, of this attempt, by this definition."""
    return _signature(task) == _signature(said)


def agrees(task: Task, said: Any) -> bool:
    """Whether a task is what its line says. Of 10,000 no others are made to see it.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: as `task_in`.
    """
    known = said["task"]
    if "watch" not in known:  # of a version before, which `task_in` knows how to take
        return same(task, task_in(said))
    told = known["status"], known["watch"], known["attempt"]
    return _signature(task) == (*told, codec.definition_from(said["definition"]))


def _text(thing: Any) -> str:
    return jsontext.dumps(thing).decode()


class Statuses:
    """Writes the second record; called by the writer's thread alone, once it runs.

    A disk that does not take it fails no change: the record says of itself that it is behind, as
    far as even that can be written, and is written anew as soon as it can be.
    """

    def __init__(self, state: Path) -> None:
        self.path = state.with_name(f"{state.name}.statuses")
        self._seen: dict[str, Signature] = {}
        self._handle: int | None = None
        self._end = 0
        self._limit = 0
        self._seq = 0
        self._told = False  # that it cannot be written
        self.behind = True

    def begin(self, loaded: Loaded, known: Known, db: Connection) -> None:
        """Go on with the record, if it says what was loaded; else write it anew."""
        self._seen = {each.id: _signature(each) for each in loaded.tasks}
        self._seq = loaded.seq
        self.behind = not (known.whole and known.told == loaded.seq)
        if not self.behind:
            try:
                self._open()
            except OSError:
                self.behind = True
        self.mend(db)

    def note(self, outcomes: Sequence[Outcome], seq: int, db: Connection) -> None:
        """Take in what was committed; `seq` is that of the last event."""
        lines = b"".join(line for each in outcomes for line in self._lines(each, seq))
        if seq == self._seq and not lines:
            return
        self._seq = seq
        if lines and not self._is_there():
            self.behind = True
        try:
            if not self.behind:
                self._append(lines)
        except OSError as error:
            self._fall_behind(error)
        if self.behind or self._end > self._limit:
            self.behind = True
            self.mend(db)

    def _append(self, lines: bytes) -> None:
        """The lines first: a head that is ahead of them would call it whole."""
        if self._handle is None:
            raise OSError("it is not open")
        if lines:
            if os.pwrite(self._handle, lines, self._end) != len(lines):
                raise OSError("the disk is full")
            self._end += len(lines)
            os.fdatasync(self._handle)
        os.pwrite(self._handle, _head(self._seq, whole=True), 0)

    def mend(self, db: Connection) -> None:
        """Write it anew where it is behind, or where it is not in its place any more."""
        if not self.behind and self._is_there():
            return
        try:
            lines = list(_all(db, self._seq))
            files.write_atomically(self.path, _head(self._seq, whole=True) + b"".join(lines), MODE)
            self._open()
        except (OSError, SqliteError) as error:
            self._fall_behind(error)
        else:
            self.behind = self._told = False

    def close(self) -> None:
        """Let it go."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _open(self) -> None:
        self.close()
        self._handle = os.open(self.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        self._end = os.fstat(self._handle).st_size
        self._limit = 2 * self._end + SLACK

    def _is_there(self) -> bool:
        if self._handle is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._handle), os.lstat(self.path))
        except OSError:
            return False

    def _fall_behind(self, error: Exception) -> None:
        self.behind = True
        if not self._told:
            self._told = True
            _log.warning("the second record of statuses cannot be written: %s", error)
        if self._handle is None:
            return
        with suppress(OSError):
            os.pwrite(self._handle, _head(self._seq, whole=False), 0)

    def _lines(self, outcome: Outcome, seq: int) -> Iterator[bytes]:
        change = outcome.change
        for task_id in change.remove:
            self._seen.pop(task_id, None)
            yield _line(f"task/{task_id}", seq, None)
        for task in change.put:
            signature = _signature(task)
            if self._seen.get(task.id) != signature:
                self._seen[task.id] = signature
                yield _line(f"task/{task.id}", seq, _task(task))
        for name, at in change.cursors.items():
            yield _line(f"cursor/{name}", seq, at)
        for switch in change.switches:
            shown = jsontext.loads(codec.switch_text(switch))
            yield _line(f"switch/{switch.id}", seq, shown)
        for warning in change.warnings:
            shown = jsontext.loads(codec.warning_text(warning))
            yield _line(f"warning/{warning.id}", seq, shown)
        for name, since in change.marks.items():
            yield _line(f"mark/{name}", seq, since)
        for each in outcome.decisions:
            yield _line(f"decision/{each.id}", seq, [each.at, each.decision, each.context])


def _signature(task: Task) -> Signature:
    return task.status, task.watch, task.attempt, task.definition


def _all(db: Connection, seq: int) -> Iterator[bytes]:
    """Every line that counts, from the state itself."""
    load = jsontext.loads
    found = db.execute(
        "SELECT tasks.id, tasks.document, definitions.document"
        " FROM tasks JOIN definitions USING (id)"
    )
    for task_id, text, definition in found:
        task = load(text)
        del task["live"]
        yield _line(f"task/{task_id}", seq, {"task": task, "definition": load(definition)})
    for name, at in db.execute("SELECT name, seq FROM cursors"):
        yield _line(f"cursor/{name}", seq, at)
    for name, since in db.execute(MARKS):
        yield _line(f"mark/{name}", seq, since)
    for kind, table in (("switch", "switches"), ("warning", "warnings")):
        for number, text in db.execute(f"SELECT id, document FROM {table}"):  # noqa: S608
            yield _line(f"{kind}/{number}", seq, load(text))
    newest = "SELECT id, at, decision, context FROM decisions ORDER BY id DESC LIMIT ?"
    for number, at, word, context in db.execute(newest, (DECISIONS,)):
        yield _line(f"decision/{number}", seq, [at, word, load(context)])
