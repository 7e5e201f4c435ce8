"""One host of a fleet, as far as it is known: what was seen last stays; no I/O, no clock."""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias

from kaspad_taskd.base.jsontext import dumps
from kaspad_taskd.fleet import batch as wire
from kaspad_taskd.fleet.batch import Batch, Event, Meta
from kaspad_taskd.fleet.laid import Shown
from kaspad_taskd.fleet.line import Line

Json: TypeAlias = Any

EVENTS: Final = 400
"""Newest events of a host that are kept, at most."""
PIECE: Final = 1000
"""Events of a host in one piece for listeners; what is more is told as `anew`."""


class Verdict(StrEnum):
    """How a host is, in a word."""

    OK = "ok"
    TROUBLE = "trouble"
    SILENT = "silent"
    AWAY = "daemon-away"
    UNKNOWN = "unknown"


class Gone(StrEnum):
    """Which part between a task and its reader gives no sign."""

    HOST = "host"  # or its relay: nobody can tell which from here
    DAEMON = "daemon"
    ENGINE = "engine"  # Redis or Valkey


@dataclass
class Change:
    """What became new of a host since the last piece; how it is then is in the mirror.

    Attributes:
        anew: what was known was replaced as a whole, and events may be missing: the mirror has
            those that are kept, and `events` is empty.
        events: those on record that are new, in order.
        tasks: ids of tasks whose public form is new.
        progress: the newest `sync:progress` of each task that moved.
        gone: ids of tasks that are there no more.
        past: ids whose record, incidents or history is newer.
        services, warnings: whether they are new.
        verdict: whether verdict, what is gone, labels or fault are new.
    """

    host: str
    anew: bool = False
    events: list[Event] = field(default_factory=list)
    tasks: set[str] = field(default_factory=set)
    progress: dict[str, Json] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    past: set[str] = field(default_factory=set)
    services: bool = False
    warnings: bool = False
    verdict: bool = False

    def begin(self) -> None:
        """Say that what was known is replaced."""
        self.anew = True
        self.events.clear()


@dataclass
class Read:
    """A host's keys as they were read, raw.

    Attributes:
        count: of the newest batch; 0: there is none.
        cursor: its id, as it stands there.
        newest: that batch.
        events: newest entries of its stream, in order, `(id, fields)`.
        whole: whether these are all that follow what was known of the same stream.
    """

    meta: Mapping[bytes, bytes]
    tasks: Mapping[bytes, bytes]
    progress: Mapping[bytes, bytes]
    services: bytes | None = None
    warnings: bytes | None = None
    count: int = 0
    newest: bytes | None = None
    events: Sequence[tuple[str, Mapping[bytes, bytes]]] = ()
    whole: bool = False
    cursor: str = "0-0"


class Host:
    """A host.

    Attributes:
        name: HOST of its keys.
        count: of the last batch that was taken; -1: none was read yet.
        cursor: the id of the last entry that was read, be it good or bad.
        to: the last event that was taken.
        heard: when by the reader's own clock a batch that was new came (s); None: never.
        at: moment of the newest batch by the host's own clock, or None.
        answers: whether the daemon answered its relay, as last heard; None: not known.
        fault: what of its keys could not be understood, or None.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.meta = Meta()
        self.count = -1
        self.cursor = "0-0"
        self.to = 0
        self.heard: float | None = None
        self.at: int | None = None
        self.answers: bool | None = None
        self.daemon_since: int | None = None
        self.tasks: dict[str, Shown] = {}
        self.services: Json = None
        self.warnings: Json = None
        self.fault: str | None = None
        self.line: Line | None = None
        self.verdict = Verdict.UNKNOWN
        self.gone: Gone | None = None
        self.turned: float | None = None
        self.change: Change | None = None
        self._events: deque[tuple[int, str, bytes]] = deque(maxlen=EVENTS)
        self._troubled: bool | None = None
        self._odd = False

    # -- what it is

    def task(self, task_id: str) -> dict[str, Json] | None:
        """Return a task as `getTask` would, None: there is none."""
        shown = self.tasks.get(task_id)
        return None if shown is None else shown.task()

    @property
    def oldest(self) -> int:
        """The first event that is kept; beyond the last, where none is."""
        return self._events[0][0] if self._events else self.to + 1

    def events(self, after: int = 0) -> Iterator[Event]:
        """Those that are kept beyond `after`, oldest first."""
        for seq, called, raw in list(self._events):
            if seq <= after:
                continue
            try:
                yield wire.judged(seq, called, raw)
            except ValueError:
                continue  # read as it lay there; whoever wrote it has nothing to say

    def after(self, seq: int) -> tuple[list[Event], bool]:
        """Return the events that are kept beyond a number, and whether none of them was let go.

        What cannot be understood is left out.
        """
        found: list[Event] = []
        whole = seq >= self.to
        for number, called, raw in reversed(self._events):
            if number <= seq:
                whole = True
                break
            whole |= number == seq + 1
            try:
                found.append(wire.judged(number, called, raw))
            except ValueError:
                continue
        return found[::-1], whole

    @property
    def labels(self) -> Mapping[str, str]:
        """What its operator calls it by."""
        return self.meta.labels

    @property
    def troubled(self) -> bool:
        """Whether somebody should look, as far as it told."""
        if self._troubled is None:
            self._weigh()
        return bool(self._troubled)

    @property
    def odd(self) -> bool:
        """Whether a task is in a state that has no name here: that is not known to be well."""
        if self._troubled is None:
            self._weigh()
        return self._odd

    def _weigh(self) -> None:
        needing = any(each.get("attention") for each in self.services or ())
        ill = [each.ill for each in self.tasks.values()]
        self._troubled = needing or any(ill) or self.fault is not None
        self._odd = any(each.odd for each in self.tasks.values())

    # -- what comes

    def piece(self) -> Change:
        """The change that is gathered for listeners."""
        if self.change is None:
            self.change = Change(self.name)
        return self.change

    def say(self, faults: Sequence[str]) -> None:
        """Note what could not be understood."""
        if faults:
            self.fault = "; ".join(faults)
            self._troubled = None
            self.piece().verdict = True

    def take(self, batch: Batch, count: int, heard: float, keep: int) -> None:
        """Take a batch that follows what is known."""
        piece = self.piece()
        self.lives(batch, heard)
        self.count = count
        self._add(batch.events, piece, keep)
        self.to = max(self.to, batch.to)
        for task_id in batch.gone:
            self.tasks.pop(task_id, None)
            self._troubled = None
            piece.gone.add(task_id)
            piece.progress.pop(task_id, None)
        for task_id, task in batch.tasks.items():
            self._put(task_id, dumps(task), task, None)
            piece.progress.pop(task_id, None)
            piece.tasks.add(task_id)
            piece.gone.discard(task_id)
        for task_id, progress in batch.progress.items():
            self._move(task_id, progress, piece)
        self._rest(batch, piece)
        self.say(batch.faults)

    def lives(self, batch: Batch, heard: float) -> None:
        """Take from a batch that does not follow what is known whether somebody is there."""
        self.heard, self.at = heard, batch.at
        if (self.answers, self.daemon_since) != (batch.answers, batch.since):
            self.answers, self.daemon_since = batch.answers, batch.since
            self.piece().verdict = True

    def _put(self, task_id: str, raw: bytes, task: Json, progress: Json) -> None:
        if task_id in self.tasks or len(self.tasks) < wire.MAX_TASKS:
            self.tasks[task_id] = Shown(raw, task, progress)
            self._troubled = None

    def _move(self, task_id: str, progress: Json, piece: Change) -> None:
        shown = self.tasks.get(task_id)
        if shown is None:
            return
        if shown.move(progress):
            self._troubled = None
        piece.progress[task_id] = progress

    def _rest(self, batch: Batch, piece: Change) -> None:
        piece.past.update(batch.past)
        if batch.services is not None:
            self.services, piece.services, self._troubled = batch.services, True, None
        if batch.warnings is not None:
            self.warnings, piece.warnings = batch.warnings, True

    def _add(self, events: Iterable[Event], piece: Change, keep: int) -> None:
        for event in events:
            if event.seq > self.to:
                self._events.append((event.seq, sys.intern(event.name), dumps(event.data)))
                self.to = event.seq
                if not piece.anew:
                    piece.events.append(event)
        self.trim(keep)
        if len(piece.events) > PIECE:
            piece.begin()

    def _lay(self, read: Read, faults: list[str]) -> None:
        """Keep events as they lie there: they are judged when somebody wants to see them."""
        for entry, fields in read.events:
            try:
                seq, called, raw = wire.framed(entry, fields)
            except ValueError as fault:
                faults.append(str(fault))
                continue
            if seq > self.to:
                self._events.append((seq, called, raw))
                self.to = seq

    def trim(self, keep: int) -> None:
        """Let go of all but so many events."""
        while len(self._events) > keep:
            self._events.popleft()

    # -- how it is as a whole

    def begin(self, read: Read, keep: int) -> None:
        """Become what was read; only a move of its batches is a sign of life, and this is none."""
        faults: list[str] = []
        meta = self._meta(read, faults)
        newest = self._newest(read, faults)
        same = meta.stream == self.meta.stream and self.count >= 0
        if not same:
            self._events.clear()
            self.to = 0
        piece = self.piece()
        if not (same and read.whole):
            piece.begin()
        piece.services = piece.warnings = piece.verdict = True
        self.meta, self.count = meta, read.count
        if piece.anew:
            self._lay(read, faults)
            self.trim(keep)
        else:
            self._add(self._read_events(read, faults), piece, keep)
        if newest is not None:
            self.at, self.answers, self.daemon_since = newest.at, newest.answers, newest.since
            if newest.stream == meta.stream:
                self.to = max(self.to, newest.to)
        self._all(read, piece, faults)
        self.services = _good(wire.services, read.services, faults)
        self.warnings = _good(wire.warnings, read.warnings, faults)
        self.fault = "; ".join(faults[: wire.MAX_FAULTS]) or None
        self._troubled = None

    def _meta(self, read: Read, faults: list[str]) -> Meta:
        try:
            return wire.meta(read.meta, self.name)
        except ValueError as fault:
            faults.append(str(fault))
            return self.meta

    def _newest(self, read: Read, faults: list[str]) -> Batch | None:
        try:
            return None if read.newest is None else wire.batch(read.newest)
        except ValueError as fault:
            faults.append(str(fault))
            return None

    def _read_events(self, read: Read, faults: list[str]) -> Iterator[Event]:
        for entry, fields in read.events:
            try:
                yield wire.event(entry, fields)
            except ValueError as fault:
                faults.append(str(fault))

    def _all(self, read: Read, piece: Change, faults: list[str]) -> None:
        before, self.tasks = self.tasks, {}
        for field_, raw in read.tasks.items():
            task_id = field_.decode(errors="replace")
            try:
                if not re.fullmatch(wire.TASK_ID, task_id):
                    raise ValueError(f"tasks: {task_id[:40]!r} is no id")
                task = wire.task(raw, task_id)
            except ValueError as fault:
                faults.append(str(fault))
                continue
            progress = _good(_progress(task_id), read.progress.get(field_), faults)
            self._put(task_id, raw, task, progress)
        for task_id, shown in self.tasks.items():
            old = before.get(task_id)
            if old is None or (old.raw, old.progress) != (shown.raw, shown.progress):
                piece.tasks.add(task_id)
            piece.gone.discard(task_id)
        piece.gone |= before.keys() - self.tasks.keys()


def _progress(task_id: str) -> Any:
    return lambda raw: wire.progress(raw, task_id)


def _good(read: Any, raw: bytes | None, faults: list[str]) -> Json:
    """What a judge makes of a value, None: there is none, or it is bad."""
    try:
        return None if raw is None else read(raw)
    except ValueError as fault:
        faults.append(str(fault))
        return None
