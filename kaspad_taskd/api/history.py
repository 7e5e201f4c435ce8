"""History as charts want it: evenly spaced, null where nobody looked, never interpolated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from kaspad_taskd.base.clock import iso
from kaspad_taskd.core.model import Moment, Status, Task
from kaspad_taskd.core.record import HistoryPoint

Json: TypeAlias = Any

MINUTE_MS = 60_000
HALF_HOUR_MS = 30 * MINUTE_MS
MINUTES_KEPT_MS = 6 * 60 * MINUTE_MS


def reach(task: Task, now: Moment) -> tuple[Moment, Moment]:
    """Return from when to when (not included) there is something to tell of the attempt.

    It begins with its start and goes on to now; that of a task that has ended ends with it.
    """
    begin = task.started_at or task.created_at
    ended = None if task.status.live else task.ended_at
    return begin, now + 1 if ended is None else max(begin, ended) + 1


def told(
    task: Task, points: Sequence[HistoryPoint], span: tuple[Moment, Moment], now: Moment, limit: int
) -> list[dict[str, Json]]:
    """Return `buckets` of a span of a task, with the end of one that is complete.

    The end is known from the task itself: no look need have been put on record in its minute. Where
    the span ends with the task, the last point stands at that moment, not where its bucket begins.
    """
    start, end = span
    done = reach(task, now)[1] - 1 if task.status is Status.COMPLETE else None
    known = list(points)
    if done is not None and start <= done < end:
        known = [point for point in points if point.at < done]
        known.append(HistoryPoint(task.id, done, 100.0, None, None, "ok"))
    found = buckets(known, start, end, now, limit)
    if done == end - 1:
        found[-1]["at"] = iso(end - 1)
    return found


def buckets(
    points: Sequence[HistoryPoint], start: Moment, end: Moment, now: Moment, limit: int
) -> list[dict[str, Json]]:
    """Return at most `limit` points from start to end, one a bucket, the last known of each.

    A bucket is a minute where all of the time is within 6 hours, else half an hour, or a multiple
    of these.
    """
    unit = MINUTE_MS if start >= now - MINUTES_KEPT_MS else HALF_HOUR_MS
    step = _step(start, end, unit, limit)
    newest = {point.at // step: point for point in points}
    indexes = range(start // step, (end - 1) // step + 1)
    return [_point(index * step, newest.get(index)) for index in indexes]


def _step(start: Moment, end: Moment, unit: int, limit: int) -> int:
    """The least multiple of the unit of which `limit` reach over the whole span."""
    step = unit * max(1, (end - start) // (unit * limit))
    while (end - 1) // step - start // step >= limit:
        step += unit
    return step


def _point(at: Moment, point: HistoryPoint | None) -> dict[str, Json]:
    if point is None:
        return {"at": iso(at), "progress": None, "done": None, "rate": None, "health": None}
    return {
        "at": iso(at),
        "progress": point.progress,
        "done": point.done,
        "rate": point.rate,
        "health": point.health,
    }
