"""History is evenly spaced, whole, never made up, and as long as was asked at most."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.api.history import HALF_HOUR_MS, MINUTE_MS, MINUTES_KEPT_MS, buckets
from kaspad_taskd.base.clock import iso, parse_iso
from kaspad_taskd.core.record import HistoryPoint

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
