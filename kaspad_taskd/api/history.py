"""History as charts want it: evenly spaced, null where nobody looked, never interpolated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from kaspad_taskd.base.clock import iso
from kaspad_taskd.core.model import Moment
from kaspad_taskd.core.record import HistoryPoint

Json: TypeAlias = Any

MINUTE_MS = 60_000
HALF_HOUR_MS = 30 * MINUTE_MS
MINUTES_KEPT_MS = 6 * 60 * MINUTE_MS


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
