"""Times of the wire, by hand because datetime starts too slowly."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.words.moment import date, day, seconds_of, when


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001 - made aware below
def test_seconds_are_those_of_the_calendar(moment: datetime) -> None:
    """Every day of the calendar counts, leap years included."""
    aware = moment.replace(tzinfo=UTC, microsecond=moment.microsecond // 1000 * 1000)
    text = aware.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert seconds_of(text) == pytest.approx(aware.timestamp(), abs=1e-3)


@given(st.one_of(st.none(), st.integers(), st.text(max_size=30)))
def test_what_is_no_time_is_none(value: object) -> None:
    """Anything else is unknown, never an exception."""
    found = seconds_of(value)
    assert found is None or isinstance(found, float)


def test_a_day_that_is_not_today_is_named() -> None:
    """15:32 today; with its day when it is another one."""
    noon = datetime(2026, 11, 23, 12, 0).timestamp()  # noqa: DTZ001 - local time is meant
    assert when(noon, noon + 60) == "12:00"
    assert when(noon - 86400, noon) == "22 Nov 12:00"
    assert day(noon) == "23 Nov"


def test_a_date_is_a_time_today(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the day alone for what was before; midnight is the border."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    noon = 1_795_348_800.0
    assert when(noon, noon) == date(noon, noon) == date(noon, noon + 3600)
    assert date(noon - 86_400, noon) == day(noon - 86_400)
    assert ":" not in date(noon - 43_201, noon)
    assert date(noon - 43_200, noon) == "00:00"
    monkeypatch.undo()
    time.tzset()
