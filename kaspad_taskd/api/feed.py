"""What subscribers are told: the engine's followers, in public shapes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from kaspad_taskd.api.context import Api, answer_for
from kaspad_taskd.api.listed import PAGE, paged
from kaspad_taskd.api.wire import event_shape, progress_shape
from kaspad_taskd.core.fact import Event
from kaspad_taskd.engine.errors import Gap
from kaspad_taskd.engine.follow import Follower, News

Json: TypeAlias = Any
Send: TypeAlias = Callable[[Sequence[Mapping[str, Json]]], Awaitable[None]]


REMEMBERED = 256
"""Shapes kept for subscribers who are told the same a little later."""


class Feed:
    """Opens subscriptions; what they are told is made once for all of them."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._made: dict[int | str, tuple[object, int, Mapping[str, Json]]] = {}

    def open(self, after: int | None, tasks: Sequence[str] | None) -> tuple[Json, Reader]:
        """Return the answer `{seq, journal, tasks}` and who sends what follows.

        Raises:
            ApiError: gap: what follows `after` is not kept.
        """
        engine = self._api.engine
        try:
            follower = self._api.board.follow(after, tasks)
        except Gap as gap:
            raise answer_for(gap) or gap from None
        seq = engine.seq if after is None else after
        answer: dict[str, Json] = {"seq": seq, "journal": engine.journal}
        if after is None:
            shown = [task for task in engine.tasks() if tasks is None or task.id in tasks]
            listed = self._api.shapes.listed(shown)
            answer["tasks"] = listed if len(shown) > PAGE else list(listed)
        return answer, Reader(self.shape, follower)

    def shape(self, news: News) -> Mapping[str, Json]:
        """News as `{seq, event, data}`, the same object for everybody: nobody may change it."""
        key, told = (news.seq, news) if isinstance(news, Event) else (news.task.id, news.task)
        known = self._made.get(key)
        if known is not None and known[0] is told and known[1] == news.seq:
            return known[2]
        if len(self._made) >= REMEMBERED:
            self._made.clear()
        made = self._make(news)
        self._made[key] = (told, news.seq, made)
        return made

    def _make(self, news: News) -> Mapping[str, Json]:
        if isinstance(news, Event):
            return event_shape(news)
        return progress_shape(news.task, news.seq, self._api.engine.now())


class Reader:
    """Sends one subscription's events."""

    def __init__(self, shape: Callable[[News], Mapping[str, Json]], follower: Follower) -> None:
        self._shape = shape
        self._follower = follower

    async def run(self, send: Send) -> None:
        """Send until cancelled.

        Raises:
            ApiError: gap: it fell behind what is kept.
        """

        async def public(news: Sequence[News]) -> None:
            for page in paged(news):
                await send([self._shape(each) for each in page])

        try:
            await self._follower.run(public)
        except Gap as gap:
            raise answer_for(gap) or gap from None
