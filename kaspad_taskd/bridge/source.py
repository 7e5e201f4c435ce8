"""What browsers and pages are told of a host, whoever knows it: the daemon itself, or a hub.

A source is what browsers follow of it, a view is what its pages show. The daemon's own are in
own.py; a hub's, of each host of a fleet, are in kaspad_taskd/fleet/hub/.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from kaspad_taskd.api.errors import ApiError

Json: TypeAlias = Any
Query: TypeAlias = Mapping[str, str]


class Happened(NamedTuple):
    """An event on record, as it is told; `data` is made where somebody is there to be told."""

    seq: int
    name: str
    data: Callable[[], Mapping[str, Json]]


class State(Protocol):
    """How a task is at one moment: another object as soon as it is otherwise."""

    @property
    def id(self) -> str:
        """Of the task."""


class Stands(Protocol):
    """News that a task is otherwise, and the `seq` up to which all was told before it."""

    @property
    def task(self) -> State:
        """How it is."""

    @property
    def seq(self) -> int:
        """Who goes on after it misses no event."""


News: TypeAlias = Happened | Stands
Tell: TypeAlias = Callable[[Sequence[News]], Awaitable[None]]


class Source(Protocol):
    """A host as browsers follow it: its journal, and how its tasks are."""

    @property
    def seq(self) -> int:
        """The last event on record."""

    def fault(self, after: int, journal: str | None) -> ApiError | None:
        """Why nobody can go on after an event (`gap`), of that journal if one is named."""

    async def follow(self, after: int, tell: Tell) -> None:
        """Tell what follows an event, until cancelled.

        Raises:
            ApiError: it fell behind what is kept (`gap`).
        """

    async def read(self, after: int, limit: int) -> Sequence[Happened]:
        """Return the first events after one.

        Raises:
            ApiError: they are not kept any more (`gap`).
        """

    def get(self, task_id: str) -> State | None:
        """How a task is; None: there is no such task."""

    def running(self) -> Sequence[str]:
        """Ids of the tasks that are looked at."""

    def recent(self) -> Sequence[str]:
        """Ids of the tasks that are live, kept watch on, or ended within a day."""

    def progress(self, task: State, seq: int) -> Mapping[str, Json]:
        """The data of a task's `sync:progress`; all up to `seq` was told before."""

    def switches(self, seq: int) -> Sequence[tuple[str, Json]]:
        """The switches that run, as events: name and data."""


class View(Protocol):
    """A host as its pages show it."""

    @property
    def many(self) -> bool:
        """Whether it has so many tasks that others must be served while a page is made."""

    async def snapshot(
        self, query: Query, task_id: str | None = None, *, hidden: bool
    ) -> dict[str, Json]:
        """Return what a page shows, all of one moment, as kaspad_taskd/web/page.py says.

        Without `canChange` and `needsToken`, which are the reader's.

        Args:
            query: of the page.
            task_id: whose page it is; None: that of all tasks.
            hidden: whether this reader may see nothing of it.
        """


class Page(Protocol):
    """Renders the pages of a host."""

    def index(self, snapshot: Mapping[str, Json], query: Query) -> str:
        """The page of all tasks; with `needsToken` the way to unlock alone."""

    def task(self, snapshot: Mapping[str, Json], task_id: str, query: Query) -> str | None:
        """The page of one task, None where there is none."""

    def missing(self, snapshot: Mapping[str, Json], query: Query) -> str:
        """The page that says so."""
