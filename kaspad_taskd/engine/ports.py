"""What the engine needs of the rooms beside it: a store, probes, and what passes between them.

The rooms are strangers: they fit these Protocols without importing them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from kaspad_taskd.core.fact import Event
from kaspad_taskd.core.incidents import Incident
from kaspad_taskd.core.model import Definition, Moment
from kaspad_taskd.core.observation import Json, Observation
from kaspad_taskd.core.record import Change, Decision, HistoryPoint, Loaded, Outcome
from kaspad_taskd.core.seen import Slot


class Probe(Protocol):
    """Can take one look at a service."""

    async def observe(self, memory: Mapping[str, Json]) -> Observation | None:
        """Ask once; None: there was nothing to see. What it raises counts as Unreachable.

        The engine puts the deadline on it, by cancelling.
        """

    async def close(self) -> None:
        """Let connections go; called once, after the last look."""


class ProbeMaker(Protocol):
    """Makes the probe of a definition, or None where the type has none (`report`)."""

    def __call__(self, definition: Definition) -> Probe | None:
        """May raise ImportError (a library is missing): the task is then unreachable."""


class Store(Protocol):
    """What survives. Writes are queued and committed in groups; reads are awaited."""

    def open(self) -> Loaded:
        """Lock, migrate, load; blocking, before the loop has anything else to do."""

    def start(self, settled: Callable[[Sequence[Outcome]], None]) -> None:
        """Begin to commit. `settled` is called on the running loop, once a group, in order."""

    def submit(self, change: Change) -> None:
        """Queue a change: all of it or nothing, in the order of the calls.

        May raise where it cannot queue: the text says why, and nothing was queued.
        """

    @property
    def oldest(self) -> int:
        """`seq` of the oldest event kept, or of the next one where none is."""

    async def events(
        self, after: int, limit: int, before: int | None = None, task_id: str | None = None
    ) -> list[Event]:
        """Events with after < seq < before, ascending.

        Without `before` the first `limit` of them, with it the last `limit`.
        """

    async def history(self, task_id: str, start: Moment, end: Moment) -> list[HistoryPoint]:
        """Points with start <= at < end, ascending; minutes where kept, else half hours."""

    async def last_heard(self, task_id: str, now: Moment) -> Moment:
        """When the last event of a task was at the earliest: no event is older than those before.

        Stamps after `now` say nothing. 0: nothing is known.
        """

    async def seen(self, task_id: str, start: Moment, end: Moment) -> list[Slot]:
        """What was counted of a task, in slots that reach into start <= at < end, ascending.

        Minutes where all of them are kept, else hours.
        """

    async def incidents(
        self, task_id: str | None, start: Moment, end: Moment, limit: int
    ) -> list[Incident]:
        """Incidents that reach into start <= at < end, the newest `limit`, newest first."""

    async def decisions(self) -> list[Decision]:
        """All decisions, oldest first."""

    async def backup(self, path: str) -> None:
        """Write a consistent copy to `path`, atomically; once opened it goes on at higher seq."""

    def answered(self) -> float:
        """Monotonic time of the writer's last sign of life (a failed commit is one)."""

    async def close(self) -> None:
        """Commit what is queued, let everything go."""
