"""What the mirror does not hold: read from the server when somebody opens a page that shows it.

A page waits two seconds for it at most, and is shown without it then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from kaspad_taskd.base.clock import iso
from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.fleet import batch as wire
from kaspad_taskd.fleet import keys, shapes
from kaspad_taskd.fleet.asking import Answer, Asking, Command, entries
from kaspad_taskd.fleet.batch import Event
from kaspad_taskd.fleet.faults import Trouble
from kaspad_taskd.fleet.host import Host
from kaspad_taskd.fleet.hub.moments import LAST
from kaspad_taskd.fleet.settings import Engine, Login, server_of

Json: TypeAlias = Any

WAIT_S: Final = 2.0
READ: Final = 200
"""Events that are read at once."""
READS: Final = 5
"""Readings for a page of one task's events."""
EVENT: Final = 2000
"""Bytes that an event has on average, at most: of a host that writes longer ones few are read."""
MAX_PAST: Final = 2**16
"""Bytes of a task's past; a relay writes 6 KiB."""
POINTS: Final = 1000

log = logging.getLogger(__name__)


@frozen
class Past:
    """What was of a task, as far as a fleet keeps it.

    Attributes:
        record: as `getRecord` without its series; None: there is none.
        incidents: as `getIncidents`, newest first.
        points: as `getHistory`.
    """

    record: Json = None
    incidents: Sequence[Json] = ()
    points: Sequence[Json] = ()


NOTHING: Final = Past()


class _Line:
    """One connection, for one question at a time."""

    def __init__(self, asking: Asking) -> None:
        self.asking = asking
        self.lock = asyncio.Lock()
        self.open = False

    async def ask(self, commands: Sequence[Command]) -> list[Answer]:
        async with self.lock:
            if not self.open:
                await self.asking.open()
                self.open = True
            self.open = False  # unless the answers have come: half an answer is left in it else
            found = await self.asking.ask_all(commands)
            self.open = True
            return found


class Archive:
    """Asks the server that has a host's keys.

    Args:
        engine: how servers are spoken to.
        login: as whom.
    """

    def __init__(self, engine: Engine, login: Login) -> None:
        self._engine = engine
        self._login = login
        self._lines: dict[str, _Line] = {}

    async def past(self, host: Host, task_id: str) -> Past:
        """Return what was of a task; nothing, where it cannot be read or understood."""
        key = keys.key(host.name, keys.PAST)
        (size,) = await self._ask(host, [("HSTRLEN", key, task_id)]) or [0]
        if not isinstance(size, int) or not 0 < size <= MAX_PAST:
            return NOTHING
        (raw,) = await self._ask(host, [("HGET", key, task_id)]) or [None]
        try:
            return unpacked(raw) if isinstance(raw, bytes) else NOTHING
        except ValueError as fault:
            log.info("the past of %s on %s is not understood: %s", task_id, host.name, fault)
            return NOTHING

    async def events(
        self, host: Host, below: int, count: int, task_id: str | None
    ) -> list[Event] | None:
        """Return the newest events below a number, oldest first; None: they cannot be read.

        Args:
            host: whose.
            below: a number, of which not.
            count: how many at most.
            task_id: of which task alone; None: of all.
        """
        stream, found = keys.key(host.name, host.meta.stream), []
        size, length = await self._ask(host, [("MEMORY", "USAGE", stream), ("XLEN", stream)]) or (
            0,
            0,
        )
        if not isinstance(size, int) or not isinstance(length, int):
            return None
        if size > EVENT * max(length, READ):
            return None
        for _ in range(READS):
            (answer,) = await self._ask(
                host, [("XREVRANGE", stream, keys.entry_id(below - 1), "-", "COUNT", READ)]
            ) or [None]
            if answer is None or isinstance(answer, Trouble):
                return None
            read = list(entries(answer))
            for entry, fields in read:
                event = _event(entry, fields)
                if event is not None and (task_id is None or event.data.get("taskId") == task_id):
                    found.append(event)
            if len(read) < READ or len(found) >= count:
                break
            below = int(read[-1][0].partition("-")[0])
            if below < 1:
                break
        return found[:count][::-1]

    async def _ask(self, host: Host, commands: Sequence[Command]) -> list[Answer] | None:
        """Answers of the server that has the host; None: it does not answer."""
        place = "" if host.line is None else host.line.name
        line = self._lines.get(place) or self._line(place)
        if line is None:
            return None
        try:
            async with asyncio.timeout(WAIT_S):
                return await line.ask(commands)
        except (Trouble, TimeoutError) as fault:
            log.debug("%s cannot be read: %s", host.name, fault)
            await self._drop(place)
            return None

    def _line(self, place: str) -> _Line | None:
        server = server_of(place) if place else None
        if server is None:
            return None
        line = self._lines[place] = _Line(Asking(self._engine, self._login, server))
        return line

    async def _drop(self, place: str) -> None:
        line = self._lines.pop(place, None)
        if line is not None:
            await line.asking.close()

    async def close(self) -> None:
        """Let all connections go."""
        for place in list(self._lines):
            await self._drop(place)


def unpacked(raw: bytes) -> Past:
    """Return what a field of `past` says; raises ValueError."""
    told = wire.value(raw, keys.PAST, MAX_PAST)
    if type(told) is not dict:
        raise ValueError("past must be an object")
    record, incidents = told.get("record"), told.get("incidents") or []
    shapes.past_record(record, "past.record")
    shapes.incidents(incidents, "past.incidents")
    points = told.get("history") or []
    if type(points) is not list or len(points) > POINTS:
        raise ValueError(f"past.history must be a list of {POINTS} at most")
    return Past(record and {**record, "series": []}, incidents, list(map(_point, points)))


_JUDGES: Final[tuple[Callable[[Json], bool], ...]] = (
    lambda at: type(at) is int and 0 <= at < LAST,
    lambda share: share is None or (type(share) in (int, float) and 0 <= share <= 100),
    lambda rate: rate is None or type(rate) in (int, float),
    lambda health: health is None or (type(health) is str and len(health) < 20),
)


def _point(told: Json) -> Mapping[str, Json]:
    if type(told) is not list or len(told) != len(_JUDGES):
        raise ValueError("past.history: a point must be [at, progress, rate, health]")
    if not all(judge(each) for judge, each in zip(_JUDGES, told, strict=True)):
        raise ValueError("past.history: a point must be a moment, 0 to 100, a number, a word")
    at, share, rate, health = told
    return {"at": iso(at), "progress": share, "done": None, "rate": rate, "health": health}


def _event(entry: str, fields: Mapping[bytes, bytes]) -> Event | None:
    try:
        return wire.event(entry, fields)
    except ValueError:
        return None  # whoever wrote it has nothing to say
