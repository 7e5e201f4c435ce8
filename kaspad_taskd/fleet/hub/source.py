"""A host of the mirror as browsers follow it: its events as far as they are kept, its tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final, TypeAlias

from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.base.clock import iso
from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.bridge.source import Happened, News, Tell
from kaspad_taskd.fleet.batch import Event
from kaspad_taskd.fleet.host import Change, Host
from kaspad_taskd.fleet.hub.moments import Clocks, host_time
from kaspad_taskd.fleet.laid import Shown, as_progress
from kaspad_taskd.words import say

Json: TypeAlias = Any

_EVENTS: Final = "ev:"


@frozen
class Standing:
    """How a task is at one moment."""

    id: str
    shown: Shown


@frozen
class Moved:
    """A task is otherwise; all up to `seq` was told before."""

    task: Standing
    seq: int


class HostSource:
    """What browsers follow of a host.

    Args:
        host: of the mirror.
        clocks: what time it is.
    """

    def __init__(self, host: Host, clocks: Clocks) -> None:
        self._host = host
        self._clocks = clocks
        self._fresh: dict[str, None] = {}
        self._wake = asyncio.Event()

    @property
    def seq(self) -> int:
        """The last event on record."""
        return self._host.to

    @property
    def journal(self) -> str:
        """Whose numbers these are."""
        return self._host.meta.stream.removeprefix(_EVENTS)

    def changed(self, change: Change) -> None:
        """Take what became new of the host."""
        fresh = self._host.tasks if change.anew else (*change.tasks, *change.progress)
        self._fresh.update(dict.fromkeys(fresh))
        self._wake.set()

    def fault(self, after: int, journal: str | None) -> ApiError | None:
        """Why nobody can go on after an event, of that journal if one is named."""
        host = self._host
        other = journal is not None and journal != self.journal
        if not other and host.oldest - 1 <= after <= host.to:
            return None
        known = {"journal": self.journal, "oldest": host.oldest, "seq": host.to}
        return ApiError.of("gap", say("fleet.not-kept", after=after, **known), **known)

    async def follow(self, after: int, tell: Tell) -> None:
        """Tell what follows an event; raises ApiError: it fell behind what is kept."""
        cursor, journal = after, self.journal
        while True:
            fault = self.fault(cursor, journal)
            if fault is not None:
                raise fault
            news: list[News] = list(map(_happened, self._host.events(cursor)))
            cursor = self._host.to
            fresh, self._fresh = self._fresh, {}
            news += [Moved(task, cursor) for task in map(self.get, fresh) if task is not None]
            if news:
                await tell(news)
            await self._wake.wait()
            self._wake.clear()

    async def read(self, after: int, limit: int) -> Sequence[Happened]:
        """Return the first events after one; raises ApiError: they are not kept any more."""
        fault = self.fault(after, None)
        if fault is not None:
            raise fault
        return list(map(_happened, islice(self._host.events(after), limit)))

    def get(self, task_id: str) -> Standing | None:
        """How a task is."""
        shown = self._host.tasks.get(task_id)
        return None if shown is None else Standing(task_id, shown)

    def running(self) -> Sequence[str]:
        """Ids of the tasks: who comes back is told of all, for it costs no look at each."""
        return list(self._host.tasks)

    recent = running

    def progress(self, task: Any, seq: int) -> Mapping[str, Json]:
        """The data of a task's `sync:progress`."""
        if task.shown.progress is not None:
            return {**task.shown.progress, "seq": seq}
        return as_progress(task.shown.task(), seq, iso(host_time(self._host, self._clocks)))

    def switches(self, _seq: int) -> Sequence[tuple[str, Json]]:
        """None by themselves: pages have them of the services."""
        return ()


def _happened(told: Event) -> Happened:
    return Happened(told.seq, told.name, lambda: told.data)
