"""A host of the mirror as its own pages show it, read-only, and how it was heard."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from kaspad_taskd.api.listed import PAGE
from kaspad_taskd.base.clock import iso, parse_iso
from kaspad_taskd.bridge.query import SPANS, before
from kaspad_taskd.bridge.source import Query
from kaspad_taskd.fleet.batch import Event
from kaspad_taskd.fleet.host import Host
from kaspad_taskd.fleet.hub.archive import Archive, Past
from kaspad_taskd.fleet.hub.moments import Clocks, host_time, last_word, late
from kaspad_taskd.fleet.hub.rows import row
from kaspad_taskd.fleet.hub.source import HostSource
from kaspad_taskd.version import __version__

Json: TypeAlias = Any

EVENTS: Final = 50
"""Events on a page."""


class HostView:
    """What pages show of a host.

    Args:
        host: of the mirror.
        source: what browsers follow of it.
        archive: what the mirror does not hold.
        clocks: what time it is.
        known: what all pages of this hub know.
    """

    def __init__(
        self,
        host: Host,
        source: HostSource,
        archive: Archive,
        clocks: Clocks,
        known: Mapping[str, Json],
    ) -> None:
        self._host = host
        self._source = source
        self._archive = archive
        self._clocks = clocks
        self._known = known

    @property
    def many(self) -> bool:
        """Whether it has so many tasks that others must be served while a page is made."""
        return len(self._host.tasks) > PAGE

    def hello(self) -> dict[str, Json]:
        """Who it is, by its own clock; the version is that of the page."""
        return {
            "serverTime": iso(host_time(self._host, self._clocks)),
            "host": self._host.name,
            "version": __version__,
            "journal": self._source.journal,
            "canChange": False,
        }

    def standing(self) -> dict[str, Json]:
        """How it was heard: its row, and `then`, the moment that is shown if it is not any more."""
        then = last_word(self._host, self._clocks)
        shown = row(self._host, self._clocks.now(), self._clocks.wall())
        return {**shown, "then": None if then is None else iso(then)}

    async def snapshot(
        self, query: Query, task_id: str | None = None, *, hidden: bool
    ) -> dict[str, Json]:
        """Return what a page shows."""
        assert not hidden  # who may see nothing is asked for the token before
        host, seq = self._host, self._source.seq
        late_now = late((host,), self._clocks.now())
        hello = {**self.hello(), **self._known, "fleet": self.standing(), "late": late_now}
        tasks = await self._tasks()
        services: Sequence[Json] = host.services or ()
        standing = [
            {"service": each["service"], **each["attention"]}
            for each in services if each.get("attention")
        ]  # fmt: skip
        known = {
            **hello,
            **_EMPTY,
            "seq": seq,
            "warnings": (host.warnings or {}).get("warnings", []),
            "attentions": standing,
            "tasks": tasks,
            "services": list(services),
            "events": await self._events(before(query.get("before"), seq + 1), task_id),
        }
        if task_id is None or task_id not in host.tasks:
            return known
        return known | _told(await self._archive.past(host, task_id), task_id, query, known)

    async def _tasks(self) -> list[Json]:
        """All tasks in the order in which they were registered, made a page at a time."""
        tasks = []
        for at, shown in enumerate(list(self._host.tasks.values())):
            if at % PAGE == PAGE - 1:
                await asyncio.sleep(0)
            tasks.append(shown.task())
        return sorted(tasks, key=lambda task: (str(task.get("createdAt")), task["id"]))

    async def _events(self, below: int, task_id: str | None) -> list[Json]:
        """The newest below a number: of the server, and what the mirror has where it is away."""
        found = await self._archive.events(self._host, below, EVENTS, task_id)
        if found is None:
            kept = (each for each in self._host.events() if each.seq < below)
            found = [each for each in kept if task_id in (None, each.data.get("taskId"))][-EVENTS:]
        return list(map(_shape, found))


_EMPTY: Final[Mapping[str, Json]] = {
    "store": {"durable": True, "problem": None},
    "warnings": [], "attentions": [], "tasks": [], "services": [], "events": [],
}  # fmt: skip


def _shape(event: Event) -> dict[str, Json]:
    return {"seq": event.seq, "event": event.name, "data": event.data}


def _told(past: Past, task_id: str, query: Query, known: Mapping[str, Json]) -> dict[str, Json]:
    """What a task's page shows beside the task."""
    points, span = past.points, SPANS.get(query.get("range", ""))
    if span is not None:
        begin = iso(max(0, parse_iso(known["serverTime"]) - span))
        points = [each for each in points if each["at"] >= begin]
    return {
        "history": {task_id: points},
        "taskEvents": known["events"],
        "record": past.record,
        "incidents": past.incidents,
    }
