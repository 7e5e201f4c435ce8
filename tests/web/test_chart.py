"""What was, as shapes: gaps are gaps."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.web.chart import CHART, STRIP, chart, strip
from tests.fakes.golden import NOW
from tests.web.snapshots import EVENTS, points

healths = st.sampled_from(["ok", "stalled", "unreachable", None])
anything = st.lists(
    st.fixed_dictionaries(
        {
            "at": st.integers(0, 59).map(lambda m: f"2026-11-23T14:{m:02}:00.000Z"),
            "progress": st.none() | st.floats(0, 100),
            "rate": st.none() | st.floats(0, 1e9),
            "health": healths,
        }
    ),
    max_size=80,
)


def test_the_strip_has_a_bar_a_minute_a_dash_and_a_gap() -> None:
    """Sixty minutes: 46 with a rate, 4 without an answer, 10 in which nobody looked."""
    made = strip(points(), NOW)
    assert made is not None
    assert made["bars"].count("M") == 45
    assert made["dashes"].count("M") == 4
    assert made["most"] == 164


def test_the_values_of_the_strip_are_those_that_are_drawn() -> None:
    """One a minute, the newest last: 45 rates, four without an answer, ten in which nobody looked.

    The minute of now has no point yet.
    """
    made = strip(points(), NOW)
    assert made is not None
    values = made["values"].split(",")
    assert len(values) == 60
    assert sum(value.isdigit() for value in values) == 45
    assert (values.count("-"), values.count("")) == (4, 11)
    assert values[-1] == ""
    assert float(values[-2]) == points()[-1]["rate"]
    still = [{**point, "rate": 0.0 if place % 2 else 3.25} for place, point in enumerate(points())]
    made = strip(still, NOW)
    assert made is not None
    assert {"0", "3.25"} <= set(made["values"].split(","))


def test_without_movement_there_is_no_strip() -> None:
    """An empty drawing says nothing."""
    assert strip([], NOW) is None
    assert strip([{**point, "rate": None} for point in points()], NOW) is None


@given(anything)
def test_no_bar_is_taller_than_the_strip(given_points: list[dict[str, Any]]) -> None:
    """Whatever the rates, the drawing stays in its box."""
    made = strip(given_points, NOW)
    for tall in re.findall(r"v-(\d+)", made["bars"] if made else ""):
        assert 1 <= int(tall) <= STRIP[1]


def test_the_line_breaks_where_nothing_is_known() -> None:
    """Two gaps make three pieces; marks stand where the events were."""
    made = chart(points(), EVENTS)
    assert made is not None
    assert made["progress"].count("M") == 3
    assert [round(x) for x, _ in made["ticks"]] == [0, 229, 240, 700]


def test_half_hours_are_columns_as_wide_as_they_are_apart() -> None:
    """Two weeks of points, a few days without: none over its neighbour, the gap stays a gap."""
    begin = datetime(2026, 11, 9, tzinfo=UTC)
    known = [
        {
            "at": (begin + timedelta(minutes=90 * place)).strftime("%Y-%m-%dT%H:%M:00.000Z"),
            "progress": None if 60 <= place < 100 else place * 0.4,
            "rate": None if 60 <= place < 100 else 5.0,
            "health": None if 60 <= place < 100 else "ok",
        }
        for place in range(224)
    ]
    made = chart(known, ())
    assert made is not None
    assert made["progress"].count("M") == 2
    columns = [
        (float(left), float(width))
        for left, width in re.findall(r"M([\d.]+) 200v-\d+h([\d.]+)", made["rate"])
    ]
    assert len(columns) == 184
    for (left, width), (after, _) in pairwise(columns):
        assert left + width <= after + 0.1
    assert max(after[0] - left[0] for left, after in pairwise(columns)) > 41 * 3
    assert made["end"] - made["begin"] == 223 * 5400


def test_a_single_point_is_no_chart() -> None:
    """A line needs two."""
    assert chart(points()[:1], ()) is None


@given(anything)
def test_the_line_stays_in_its_box(given_points: list[dict[str, Any]]) -> None:
    """Whatever the points, nothing is drawn outside."""
    made = chart(sorted(given_points, key=lambda point: point["at"]), ())
    for left, width in re.findall(r"M([\d.]+) \d+v-\d+h([\d.]+)", made["rate"] if made else ""):
        assert float(left) + float(width) <= CHART[0] + 0.1
    for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", made["progress"] if made else ""):
        assert 0 <= float(x) <= CHART[0]
        assert 0 <= float(y) <= CHART[1]
