"""What is written at once: a transaction, its events in order, and what changed with them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.jsontext import dumps
from kaspad_taskd.fleet import keys
from kaspad_taskd.fleet.relay.plan import Start

Command: TypeAlias = tuple[str | bytes | int, ...]
Wire: TypeAlias = Mapping[str, Any]

MOST: Final = 100
"""Words of a batch."""
BYTES: Final = 64 * 1024
"""Bytes from which nothing is added to one, about."""
NOW_KEPT: Final = 32
"""Entries of `now`, about."""
OLD_S: Final = 30 * 86_400
"""Seconds for which the events of a journal that is no more are kept."""
PROGRESS: Final = "sync:progress"


class Hole(Exception):
    """An event is missing: it was told out of order."""


@dataclass(slots=True)
class Batch:
    """What is gathered until it is written.

    Attributes:
        after: the last event that is in Redis.
        last: the last one with this batch.
        anew: whether all that is not an event is written as a whole.
    """

    after: int
    anew: bool = False
    last: int = field(init=False)
    size: int = 0
    words: int = 0
    events: list[tuple[int, str, bytes]] = field(default_factory=list)
    tasks: dict[str, Wire] = field(default_factory=dict)
    progress: dict[str, Wire] = field(default_factory=dict)
    gone: dict[str, None] = field(default_factory=dict)
    past: dict[str, bytes] = field(default_factory=dict)
    fresh: dict[str, None] = field(default_factory=dict)
    services: Any = None
    warnings: Any = None

    def __post_init__(self) -> None:
        self.last = self.after

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self.words and not self.anew

    @property
    def is_full(self) -> bool:
        """Whether it is to be written before more is added."""
        return self.words >= MOST or self.size >= BYTES

    def hear(self, event: Wire) -> None:
        """Take an event of the daemon. Raises Hole."""
        name, data = event["event"], event["data"]
        if name == PROGRESS:
            self.progress[data["taskId"]] = data
            self._grow(600)
            return
        number = event["seq"]
        if number <= self.last:  # told again
            return
        if number != self.last + 1:
            raise Hole(f"event {number} was told after {self.last}")
        text = dumps(data)
        self.events.append((number, name, text))
        self.last = number
        self._grow(2 * len(text))

    def know(self, task_id: str, task: Wire | None) -> None:
        """Take a task as it is by now; None: there is none any more."""
        self.progress.pop(task_id, None)
        if task is None:
            self.tasks.pop(task_id, None)
            self.fresh.pop(task_id, None)
            self.past.pop(task_id, None)
            self.gone[task_id] = None
        else:
            self.gone.pop(task_id, None)
            self.tasks[task_id] = task
            self.fresh[task_id] = None
        self._grow(4000)

    def remember(self, task_id: str, past: bytes) -> None:
        """Take a task's past, as JSON."""
        if task_id not in self.gone:
            self.past[task_id] = past
            self._grow(len(past))

    def serve(self, services: Any = None, warnings: Any = None) -> None:
        """Take the answers to `getServices`, `getWarnings`, as far as they are given."""
        self.services = self.services if services is None else services
        self.warnings = self.warnings if warnings is None else warnings
        self._grow(1000)

    def _grow(self, size: int) -> None:
        self.words += 1
        self.size += size


@frozen
class Sender:
    """Who writes, and where.

    Attributes:
        host: whose keys.
        run: of this relay.
        stream: the part that holds the events.
        keep: events of it.
        make: whether that is known to be empty, so that its first event makes it. Else one into
            nothing is not taken: somebody has emptied the server under us.
    """

    host: str
    run: str
    stream: str
    keep: int
    make: bool = False

    def key(self, part: str) -> str:
        """Return the key of a part."""
        return keys.key(self.host, part)


def commands(
    batch: Batch,
    sender: Sender,
    count: int,
    at: int,
    daemon: Wire,
    first: Sequence[Command] = (),
    make: bool = False,
) -> list[Command]:
    """Return what is to be done in one transaction.

    Args:
        batch: what was gathered.
        sender: who writes.
        count: of the entry of `now`.
        at: ms since 1970, by this host's clock.
        daemon: whether it `answers`, and `since` when.
        first: what is done before all else.
        make: whether `now` may not be there yet; else nothing into nothing, as of events.
    """
    return [
        *first,
        *_events(batch, sender),
        *_hashes(batch, sender),
        *_strings(batch, sender),
        _now(batch, sender, count, at, daemon, make),
    ]


def beginning(
    sender: Sender, start: Start | None, meta: Mapping[str, str], forget: Iterable[str] = ()
) -> list[Command]:
    """Return what is done first where a relay, or a daemon, begins.

    Args:
        sender: who writes.
        start: from where; None: no daemon answers yet.
        meta: what stands in the hash of that name, all of it.
        forget: parts that are begun anew.
    """
    done: list[Command] = [("DEL", sender.key(part)) for part in forget]
    done.append(("HSET", sender.key(keys.META), *(each for pair in meta.items() for each in pair)))
    if start is not None and start.old:
        done.append(("EXPIRE", sender.key(start.old), OLD_S))
    return done


def _events(batch: Batch, sender: Sender) -> Iterable[Command]:
    key = sender.key(sender.stream)
    last = len(batch.events) - 1
    for at, (number, name, text) in enumerate(batch.events):
        how = () if sender.make and at == 0 else ("NOMKSTREAM",)
        trim = ("MAXLEN", "~", sender.keep) if at == last else ()
        yield ("XADD", key, *how, *trim, keys.entry_id(number), "e", name, "d", text)


def _hashes(batch: Batch, sender: Sender) -> Iterable[Command]:
    tasks, progress, past = map(sender.key, (keys.TASKS, keys.PROGRESS, keys.PAST))
    if batch.anew:
        yield ("DEL", tasks, progress)
    elif stale := [*batch.fresh, *batch.gone]:
        yield ("HDEL", progress, *stale)
    if batch.gone:
        yield ("HDEL", past, *batch.gone)
        yield ("HDEL", tasks, *batch.gone)
    for key, each in ((tasks, batch.tasks), (progress, batch.progress)):
        if each:
            yield ("HSET", key, *_flat((name, dumps(value)) for name, value in each.items()))
    if batch.past:
        yield ("HSET", past, *_flat(batch.past.items()))


def _flat(pairs: Iterable[tuple[str, bytes]]) -> Iterable[str | bytes]:
    for name, value in pairs:
        yield name
        yield value


def _strings(batch: Batch, sender: Sender) -> Iterable[Command]:
    for part, value in ((keys.SERVICES, batch.services), (keys.WARNINGS, batch.warnings)):
        if value is not None:
            yield ("SET", sender.key(part), dumps(value))


def _now(batch: Batch, sender: Sender, count: int, at: int, daemon: Wire, make: bool) -> Command:
    said: list[bytes] = [
        dumps(
            {
                "run": sender.run,
                "at": at,
                "stream": sender.stream,
                "from": batch.after,
                "to": batch.last,
                "daemon": daemon,
            }
        )[:-1]
    ]
    said.append(b',"events":[' + b",".join(map(_event, batch.events)) + b"]")
    news: dict[str, Any] = {
        "tasks": [] if batch.anew else list(batch.tasks.values()),
        "progress": list(batch.progress.values()),
        "gone": list(batch.gone),
    }
    if batch.past:
        news["past"] = list(batch.past)
    if batch.anew:
        news["anew"] = True
    else:
        kept = {"services": batch.services, "warnings": batch.warnings}
        news |= {name: value for name, value in kept.items() if value is not None}
    said.append(b"," + dumps(news)[1:])
    how = (*(() if make else ("NOMKSTREAM",)), "MAXLEN", "~", NOW_KEPT)
    return ("XADD", sender.key(keys.NOW), *how, keys.entry_id(count), "w", b"".join(said))


def _event(event: tuple[int, str, bytes]) -> bytes:
    number, name, text = event
    return b'{"seq":%d,"event":%b,"data":%b}' % (number, dumps(name), text)
