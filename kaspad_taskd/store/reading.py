"""What can be asked of the store: each question is read in one go, beside the writer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from kaspad_taskd.core.fact import Event
from kaspad_taskd.core.incidents import Incident
from kaspad_taskd.core.model import Moment
from kaspad_taskd.core.record import Decision, HistoryPoint
from kaspad_taskd.core.seen import Slot
from kaspad_taskd.store import age, record_rows, rows
from kaspad_taskd.store.schema import Connection

_T = TypeVar("_T")


class Reading:
    """The questions of a store, for the one that has the connection."""

    _now: Callable[[], Moment]

    async def _read(self, ask: Callable[[Connection], _T]) -> _T:
        raise NotImplementedError

    async def events(
        self, after: int, limit: int, before: int | None = None, task_id: str | None = None
    ) -> list[Event]:
        """Events with after < seq < before, ascending.

        Without `before` the first `limit` of them, with it the last `limit`.

        Raises:
            StoreError: the file cannot be read.
        """
        return await self._read(lambda db: rows.events(db, after, limit, before, task_id))

    async def history(self, task_id: str, start: Moment, end: Moment) -> list[HistoryPoint]:
        """Points with start <= at < end, ascending, minutes where they are kept, else half hours.

        Raises:
            StoreError: the file cannot be read.
        """
        now = self._now()
        return await self._read(lambda db: rows.history(db, task_id, start, end, now))

    async def last_heard(self, task_id: str, now: Moment) -> Moment:
        """When the last event of a task was at the earliest: no event is older than those before.

        Raises:
            StoreError: the file cannot be read.
        """
        return await self._read(lambda db: age.last_heard(db, task_id, now))

    async def seen(self, task_id: str, start: Moment, end: Moment) -> list[Slot]:
        """What was counted of a task, in slots that reach into start <= at < end, ascending.

        Raises:
            StoreError: the file cannot be read.
        """
        now = self._now()
        return await self._read(lambda db: record_rows.seen(db, task_id, start, end, now))

    async def incidents(
        self, task_id: str | None, start: Moment, end: Moment, limit: int
    ) -> list[Incident]:
        """Incidents that reach into start <= at < end, the newest `limit`, newest first.

        Raises:
            StoreError: the file cannot be read.
        """
        return await self._read(lambda db: record_rows.incidents(db, task_id, start, end, limit))

    async def decisions(self) -> list[Decision]:
        """All decisions, oldest first.

        Raises:
            StoreError: the file cannot be read.
        """
        return await self._read(rows.decisions)
