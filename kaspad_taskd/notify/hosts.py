"""What is heard of the hosts of a fleet, as words, and what follows what. Pure.

A host's events follow a cursor of its own: the part of its keys that holds them, and the number of
the last that was heard. What comes behind it is told once. What is missing is a gap, and what is so
now stands in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.fleet.batch import Event
from kaspad_taskd.fleet.host import Gone as Lost
from kaspad_taskd.fleet.host import Host, Verdict
from kaspad_taskd.fleet.keys import SILENT_S
from kaspad_taskd.fleet.line import UNREAD
from kaspad_taskd.notify.change import Gone
from kaspad_taskd.notify.kept import Cursor
from kaspad_taskd.notify.model import Moment
from kaspad_taskd.notify.snapshot import Snapshot, Wire

Gap: TypeAlias = tuple[int, int]
"""The first and the last number that nobody will hear."""


@frozen
class Told:
    """What a host has told since it was heard last, in this order.

    Attributes:
        host: its name.
        cursor: how far it is heard with it.
        events: those that follow.
        gaps: numbers that are missing among them or behind them.
        before: how many of the events are before it.
        snapshot: what is so then, where there is a gap, or nothing was known.
    """

    host: str
    cursor: Cursor
    events: Sequence[Wire] = ()
    gaps: Sequence[Gap] = ()
    before: int = 0
    snapshot: Snapshot | None = None


@frozen
class Looked:
    """What no event tells of a host.

    Attributes:
        host: its name.
        tasks: those in progress.
        warnings: those that stand.
        clock: what its clock shows (ms since 1970 UTC), or None.
    """

    host: str
    tasks: Sequence[Wire]
    warnings: Sequence[Wire]
    clock: Moment | None


@frozen
class Stands:
    """Whether a host is heard; "" is what carries the fleet.

    Attributes:
        host: its name.
        gone: who does not answer; None: it is heard, and so is all that it had to tell.
        ago: seconds since it was, as far as this reader knows.
    """

    host: str
    gone: Gone | None
    ago: float = 0.0


@frozen
class Forgotten:
    """Nothing of a host is there any more, for a day."""

    host: str


FleetWord: TypeAlias = Told | Looked | Stands | Forgotten


@frozen
class Pending:
    """Nobody knows yet how a host is: it was not read for long enough."""


PENDING = Pending()


def standing(host: Host, now: float) -> Gone | Pending | None:
    """Return who does not answer of a host; None: it is heard.

    Args:
        host: as the mirror has it, after `drain`.
        now: the reader's monotonic time (s).
    """
    line = host.line
    if line is not None and line.fault == UNREAD:
        return PENDING
    if host.gone is Lost.ENGINE or (line is not None and line.fault is not None):
        return Gone.BEYOND
    if host.heard is not None and now - host.heard < SILENT_S:
        return None if host.answers else Gone.AWAY
    if host.verdict is Verdict.SILENT:
        return Gone.HOST
    return PENDING


def since(host: Host, now: float) -> float:
    """Return for how many seconds a host that is silent has not been heard, as far as was read."""
    read = None if host.line is None else host.line.since
    begins = [each for each in (host.heard, read) if each is not None]
    return max(0.0, now - max(begins, default=now))


def cursor_of(host: Host, seq: int | None = None) -> Cursor:
    """Return how far a host is heard when all that is known of it, or up to a number, is."""
    return Cursor(host.meta.stream, host.to if seq is None else seq)


def follows(cursor: Cursor | None, host: Host) -> bool:
    """Whether what a host tells goes on behind a cursor: else it is begun from what is so now."""
    return cursor is not None and cursor.journal == host.meta.stream


def told(host: Host, cursor: Cursor, events: Sequence[Event], to: int) -> Told:
    """Return what a host has told behind a cursor.

    Args:
        host: whose it is.
        cursor: how far it was heard.
        events: all that there are behind it, in order.
        to: how far it is heard with them.
    """
    gaps: list[Gap] = []
    last, before = cursor.seq, len(events)
    for place, event in enumerate(events):
        if event.seq > last + 1:
            gaps.append((last + 1, event.seq - 1))
            before = min(before, place)
        last = event.seq
    if to > last:
        gaps.append((last + 1, to))
    wire = [{"seq": each.seq, "event": each.name, "data": each.data} for each in events]
    shot = snapshot(host) if gaps else None
    return Told(host.name, Cursor(cursor.journal, max(to, last)), wire, gaps, before, shot)


def begun(host: Host) -> Told:
    """Return where a host is begun to be heard: from what is so now."""
    return Told(host.name, cursor_of(host), snapshot=snapshot(host))


def snapshot(host: Host) -> Snapshot:
    """Return what is so on a host, as far as it told."""
    tasks = [task for name in host.tasks if (task := host.task(name)) is not None]
    return Snapshot(tasks, warnings(host), attentions(host.services or ()))


def warnings(host: Host) -> Sequence[Wire]:
    """Return the warnings that stand on a host."""
    found: Sequence[Wire] = (host.warnings or {}).get("warnings", ())
    return found


def attentions(services: Sequence[Mapping[str, Any]]) -> list[Wire]:
    """Return what services need somebody for, as `getInfo` has it."""
    return [
        {**each["attention"], "service": each.get("service")}
        for each in services
        if each.get("attention")
    ]


def looked(host: Host) -> Looked:
    """Return what no event tells of a host that is heard."""
    running = [
        task for name in host.tasks
        if (task := host.task(name)) is not None and task["status"] == "in-progress"
    ]  # fmt: skip
    return Looked(host.name, running, warnings(host), host.at)
