"""History is evenly spaced, whole, never made up, and as long as was asked at most."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.api.history import (
    HALF_HOUR_MS,
    MINUTE_MS,
    MINUTES_KEPT_MS,
    buckets,
    reach,
    told,
)
from kaspad_taskd.base.clock import iso, parse_iso
from kaspad_taskd.core.model import Status, Task
from kaspad_taskd.core.record import HistoryPoint
from tests.fakes.house import definition

NOW = 1_795_000_000_000
DAYS = 14 * 86_400_000


def point(at: int, progress: float = 1.0) -> HistoryPoint:
    return HistoryPoint("x", at, progress, 2.0, 3.0, "ok")


spans = st.tuples(st.integers(1, DAYS), st.integers(1, DAYS)).map(
    lambda pair: (NOW - max(pair), NOW - min(pair) + 1)
)


@given(spans, st.integers(2, 1000), st.lists(st.floats(0, 1), max_size=40))
def test_buckets(span: tuple[int, int], limit: int, places: list[float]) -> None:
    """So many at most, equally far apart, over all of the span; each point in its bucket."""
    start, end = span
    points = [
        point(start + int(place * (end - start - 1)), number)
        for number, place in enumerate(sorted(places))
    ]
    found = buckets(points, start, end, NOW, limit)
    assert 1 <= len(found) <= limit
    at = [parse_iso(each["at"]) for each in found]
    gaps = {later - earlier for earlier, later in pairwise(at)}
    assert len(gaps) <= 1
    for gap in gaps:
        assert gap % MINUTE_MS == 0
        if start < NOW - MINUTES_KEPT_MS:
            assert gap % HALF_HOUR_MS == 0
    step = next(iter(gaps), None)
    if step is not None:
        assert at[0] <= start < at[0] + step
        assert at[-1] <= end - 1 < at[-1] + step
        last = {each.at // step * step: each for each in points}
        for moment, shown in zip(at, found, strict=True):
            known = last.get(moment)
            assert shown["progress"] == (known.progress if known else None)
            assert shown["health"] == (known.health if known else None)
            assert (shown["done"], shown["rate"]) == ((2.0, 3.0) if known else (None, None))


def test_a_minute_each() -> None:
    """Within six hours there is a bucket for each minute; the newest point of it counts."""
    start = NOW // MINUTE_MS * MINUTE_MS
    points = [point(start + 1000, 1.0), point(start + 59_000, 2.0), point(start + 130_000, 3.0)]
    found = buckets(points, start, start + 3 * MINUTE_MS, start + 3 * MINUTE_MS, 300)
    assert [each["at"] for each in found] == [iso(start + n * MINUTE_MS) for n in range(3)]
    assert [each["progress"] for each in found] == [2.0, None, 3.0]


def ended(status: Status, lasted: int, ago: int) -> Task:
    """A task that took so long (ms) and ended so long ago."""
    end = NOW - ago
    begin = end - lasted
    return Task(definition("x"), begin, status=status, started_at=begin, ended_at=end)


lengths = st.sampled_from([0, 1, 59_999, MINUTE_MS, HALF_HOUR_MS, DAYS]) | st.integers(0, 2 * DAYS)


@given(lengths, lengths, st.integers(2, 1000))
def test_what_is_complete_ends_at_100(lasted: int, ago: int, limit: int) -> None:
    """However long it took and however long ago it was: one point has 100 %, the last, at its end.

    Only half hours may be left of it, or nothing at all; a version before this one put no end on
    record.
    """
    task = ended(Status.COMPLETE, lasted, ago)
    begin, end = reach(task, NOW)
    kept = [point(at, 40.0) for at in range(begin, end - 1, max(1, lasted // 7)) if at < end - 1]
    found = told(task, kept, (begin, end), NOW, limit)
    assert 1 <= len(found) <= limit
    assert found[-1]["progress"] == 100
    assert parse_iso(found[-1]["at"]) == task.ended_at
    assert {each["progress"] for each in found[:-1]} <= {40.0, None}
    at = [parse_iso(each["at"]) for each in found]
    assert at == sorted(set(at))


@pytest.mark.parametrize("status", [Status.ERROR, Status.CANCELLED])
def test_what_did_not_get_there_ends_where_it_was(status: Status) -> None:
    """It ends with the task, at no 100 %."""
    task = ended(status, 600_000, DAYS)
    begin, end = reach(task, NOW)
    found = told(task, [point(begin, 40.0)], (begin, end), NOW, 300)
    assert [each["progress"] for each in found if each["progress"]] == [40.0]
    assert parse_iso(found[-1]["at"]) <= (task.ended_at or 0)


def test_a_clock_that_was_set_back_leaves_a_history() -> None:
    """An end before the beginning is no fault of who asks."""
    task = ended(Status.COMPLETE, -5 * MINUTE_MS, MINUTE_MS)
    span = reach(task, NOW)
    assert [each["progress"] for each in told(task, [], span, NOW, 300)] == [100.0]
