"""The daemon's own host, as browsers follow it and as its pages show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

from kaspad_taskd.api.context import Api, answer_for
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.history import reach, told
from kaspad_taskd.api.listed import PAGE
from kaspad_taskd.api.switches import standing_shape
from kaspad_taskd.api.wire import (
    event_data,
    event_shape,
    progress_event,
    switch_event,
    warning_shape,
)
from kaspad_taskd.bridge.past import past
from kaspad_taskd.bridge.query import SPANS, before
from kaspad_taskd.bridge.services import Services
from kaspad_taskd.bridge.source import Happened, Query, Tell
from kaspad_taskd.core.fact import Event, EventName
from kaspad_taskd.core.model import Task
from kaspad_taskd.engine import follow
from kaspad_taskd.engine.errors import Gap

Json: TypeAlias = Any

DAY_MS: Final = 86_400_000
EVENTS: Final = 50
"""Events on a page."""
CHARTS: Final = 12
"""Tasks whose last hour is drawn on the page of all."""
MINUTES: Final = 61
"""Points of an hour that begins and ends within a minute."""
POINTS: Final = 300
"""Points of a chart."""


class OwnSource:
    """What browsers follow of this host.

    Args:
        api: all there is to ask.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    @property
    def seq(self) -> int:
        """The last event on record."""
        return self._api.engine.seq

    def fault(self, after: int, journal: str | None) -> ApiError | None:
        """Why nobody can go on after an event, of that journal if one is named."""
        try:
            self._api.board.check(after, journal)
        except Gap as gap:
            return _answer(gap)
        return None

    async def follow(self, after: int, tell: Tell) -> None:
        """Tell what follows an event; raises ApiError: it fell behind what is kept."""

        async def send(news: Sequence[follow.News]) -> None:
            await tell([_happened(each) if isinstance(each, Event) else each for each in news])

        try:
            await self._api.board.follow(after).run(send)
        except Gap as gap:
            raise _answer(gap) from gap

    async def read(self, after: int, limit: int) -> Sequence[Happened]:
        """Return the first events after one; raises ApiError: they are not kept any more."""
        try:
            return [_happened(each) for each in await self._api.board.read(after, limit)]
        except Gap as gap:
            raise _answer(gap) from gap

    def get(self, task_id: str) -> Task | None:
        """How a task is."""
        return self._api.engine.get(task_id)

    def running(self) -> Sequence[str]:
        """Ids of the tasks that are looked at."""
        return [task.id for task in self._api.engine.tasks() if task.watched]

    def recent(self) -> Sequence[str]:
        """Ids of the tasks that are live, kept watch on, or ended within a day."""
        since, tasks = self._api.engine.now() - DAY_MS, self._api.engine.tasks()
        return [task.id for task in tasks if task.open or (task.ended_at or 0) >= since]

    def progress(self, task: Any, seq: int) -> Mapping[str, Json]:
        """The data of a task's `sync:progress`."""
        return progress_event(task, seq, self._api.engine.now())

    def switches(self, seq: int) -> Sequence[tuple[str, Json]]:
        """The switches that run, as events."""
        running, now = self._api.engine.switches.running(), self._api.engine.now()
        name = EventName.SWITCH_PROGRESS.value
        return [(name, switch_event(each, seq, now)) for each in running]


def _happened(event: Event) -> Happened:
    return Happened(event.seq, event.fact.name.value, partial(event_data, event))


def _answer(gap: Gap) -> ApiError:
    answer = answer_for(gap)
    assert answer is not None
    return answer


class OwnView:
    """What pages show of this host.

    Args:
        api: all there is to ask.
        known: what a page knows besides: who this daemon is.

    Attributes:
        services: what pages show of them.
    """

    def __init__(self, api: Api, known: Callable[[], dict[str, Json]]) -> None:
        self._api = api
        self._known = known
        self.services = Services(api)

    @property
    def many(self) -> bool:
        """Whether it has so many tasks that others must be served while a page is made."""
        return len(self._api.engine.tasks()) > PAGE

    async def snapshot(
        self, query: Query, task_id: str | None = None, *, hidden: bool
    ) -> dict[str, Json]:
        """Return what a page shows; hidden, nothing."""
        engine = self._api.engine
        seq, shown = engine.seq, [] if hidden else engine.tasks()
        tasks = await self._api.shapes.listed(shown).pages()
        known = self._known()
        below = before(query.get("before"), seq + 1)
        events = [] if hidden else await engine.store.events(0, EVENTS, below, task_id)
        snapshot = {
            **known,
            "seq": seq,
            "store": {"durable": engine.problem is None, "problem": engine.problem},
            "warnings": [] if hidden else list(map(warning_shape, engine.warnings.open())),
            "attentions": [] if hidden else list(map(standing_shape, engine.attentions.open())),
            "tasks": tasks,
            "events": [event_shape(each) for each in events],
            # the page of a task says what is switched, not what speaks against it
            "services": [] if hidden else await self.services.now(hints=task_id is None),
        }
        return snapshot | await self._beside(snapshot, query, task_id)

    async def _beside(
        self, snapshot: Mapping[str, Json], query: Query, task_id: str | None
    ) -> dict[str, Json]:
        """What happened to the tasks of a page before."""
        tasks = snapshot["tasks"]
        if task_id is None:
            moving = [task["id"] for task in tasks if task["health"] == "ok"][:CHARTS]
            return {"history": {each: await self._history(each, "1h", MINUTES) for each in moving}}
        if all(task["id"] != task_id for task in tasks):
            return {}
        points = await self._history(task_id, query.get("range", ""), POINTS)
        found = {"history": {task_id: points}, "taskEvents": snapshot["events"]}
        return found | await past(self._api, task_id, query)

    async def _history(self, task_id: str, span: str, points: int) -> list[Json]:
        """Points of the last hours of a task; of its whole attempt with any other span.

        The last hours of one that has ended are those before its end.
        """
        task = self._api.task(task_id)
        now = self._api.engine.now()
        start, end = reach(task, now)
        if span in SPANS:
            start = max(start, end - 1 - SPANS[span])
        found = await self._api.engine.store.history(task.id, start, end)
        return told(task, found, (start, end), now, points)
