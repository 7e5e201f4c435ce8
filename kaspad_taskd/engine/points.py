"""The points of history that wait for the next commit: one a task and minute."""

from __future__ import annotations

from collections.abc import Sequence

from kaspad_taskd.core.model import Moment, Task
from kaspad_taskd.core.record import HistoryPoint

MINUTE_MS = 60_000
WAITING = 1024
"""Points that wait at most, where the store cannot write."""


class Points:
    """What is to be put into the history."""

    def __init__(self) -> None:
        self._points: list[HistoryPoint] = []
        self._minute: dict[str, int] = {}

    def note(self, task: Task, now: Moment) -> None:
        """Note how a task is, once a minute."""
        minute = now // MINUTE_MS
        if self._minute.get(task.id) == minute:
            return
        self._minute[task.id] = minute
        live = task.live
        done = live.detail.done if live.detail is not None else None
        self._points.append(
            HistoryPoint(task.id, now, task.percent, done, live.rate, task.health.value)
        )

    def take(self) -> tuple[HistoryPoint, ...]:
        """All that waits, for a change that takes it along."""
        points, self._points = tuple(self._points), []
        return points

    def failed(self, points: Sequence[HistoryPoint]) -> None:
        """What a change took along is not on disk: the next one takes it."""
        self._points = [*points, *self._points][:WAITING]

    def forget(self, task_id: str) -> None:
        """The task is gone."""
        self._minute.pop(task_id, None)
