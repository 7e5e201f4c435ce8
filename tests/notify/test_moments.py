"""Guarantees of `kaspad_taskd.notify.moments`."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.notify.moments import Moments, boottime, zone


class Clocks:
    """A wall clock that somebody sets, and one that only runs."""

    def __init__(self) -> None:
        self.wall, self.steady = 1_000_000.0, 50.0

    def moments(self) -> Moments:
        return Moments(lambda: self.wall, lambda: self.steady)

    def run(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e7, 1e7)), max_size=20))
def test_they_never_go_back_and_run_with_the_steady_clock(steps: list[tuple[float, float]]) -> None:
    """Whatever is done to the wall clock meanwhile."""
    clocks = Clocks()
    moments = clocks.moments()
    last = moments.now()
    for seconds, jump in steps:
        clocks.run(seconds)
        clocks.wall += jump
        now = moments.now()
        assert abs(now - last - seconds * 1000) <= 2
        assert moments.wall() == int(clocks.wall * 1000)
        last = now


def test_a_day_that_the_host_sleeps_passes() -> None:
    """The clock of the kernel that counts sleep is the one that is read."""
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= boottime() <= time.clock_gettime(time.CLOCK_BOOTTIME)


@pytest.mark.parametrize("name", ["Europe/Berlin", ":Europe/Berlin"])
def test_people_live_where_the_host_says(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """By TZ, else by /etc/localtime, with its summer time."""
    monkeypatch.setenv("TZ", name)
    hours = [datetime(2026, month, 1, tzinfo=zone()).utcoffset() for month in (1, 7)]
    assert [str(each) for each in hours] == ["1:00:00", "2:00:00"]


@pytest.mark.parametrize("name", ["No/Where", "../../etc/passwd", ""])
def test_where_nobody_says_it_is_utc(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """A zone that is none, or no file."""
    monkeypatch.setenv("TZ", name)
    assert zone(tmp_path / "none") is UTC
