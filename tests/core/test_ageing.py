"""What is old enough to go: whatever the clock does, by random clocks, restarts and sleeps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaspad_taskd.core import ageing
from kaspad_taskd.core.ageing import CALM, DAY, HOUR, LEEWAY, SureTime
from tests.core.play import NOW

BEAT = 20_000
"""Ms between two looks at the clocks: coarse, so that weeks are quick."""
MONTH = 30 * DAY


class Host:
    """A host whose true time nobody knows but the test, and the account of a daemon on it."""

    def __init__(self, newest: int | None = None) -> None:
        self.true = NOW
        self.off = 0
        self.sure = ageing.first(NOW - 60_000 if newest is None else newest, NOW)
        self._was = 0

    @property
    def wall(self) -> int:
        return self.true + self.off

    def run(self, ms: int, check: Callable[[Host], None] = lambda host: None) -> None:
        """The daemon runs."""
        while ms > 0:
            span = min(BEAT, ms)
            ms -= span
            self.true += span
            jumped = abs(self.off - self._was) >= LEEWAY
            self._was = self.off
            self.sure = ageing.elapse(self.sure, self.wall, span, jumped=jumped)
            check(self)

    def sleep(self, ms: int) -> None:
        """The host sleeps: the monotonic clock stands still."""
        self.true += ms
        self._was -= ms

    def restart(self, ms: int, off: int | None = None) -> None:
        """The daemon is down for a while; `off`: the clock is so far ahead when it is back."""
        self.true += ms
        self.off = self._was = self.off if off is None else off
        self.sure = ageing.resume(self.sure, self.wall)


def never_too_early(host: Host) -> None:
    """What may go now is as old as that by true time."""
    before = ageing.old_before(host.sure, MONTH)
    assert before is None or before <= host.true - MONTH + LEEWAY


offs = st.one_of(
    st.integers(-DAY, DAY),
    st.sampled_from([-NOW, 40 * DAY, -40 * DAY, 23 * HOUR, 20_000 * DAY, 10 * 60_000]),
)
short = st.integers(1, HOUR - 2 * BEAT)
acts = st.one_of(
    st.tuples(st.just("jump"), offs, short),
    st.tuples(st.just("boot"), offs, short),
    st.tuples(st.just("sleep"), st.integers(0, 10 * DAY), short),
    st.tuples(st.just("restart"), st.integers(0, 3 * DAY), short),
    st.tuples(st.just("run"), st.just(0), st.integers(0, 26 * HOUR)),
)


@settings(deadline=None)
@given(st.lists(acts, max_size=12))
def test_a_clock_that_is_wrong_for_less_than_an_hour_makes_nothing_old(
    life: list[tuple[str, int, int]],
) -> None:
    """Jumps forth and back, a host without a clock of its own, sleep, restarts."""
    host = Host()
    for act, much, span in life:
        if act == "sleep":
            host.sleep(much)
        elif act == "restart":
            host.restart(much)
        elif act == "boot":
            host.restart(60_000, off=much)
        elif act == "jump":
            host.off = much
        host.run(span, never_too_early)
        host.off = 0
        host.run(BEAT, never_too_early)


@settings(deadline=None, max_examples=30)
@given(st.lists(acts, max_size=8))
def test_with_a_good_clock_old_things_go_in_the_end(life: list[tuple[str, int, int]]) -> None:
    """Whatever was before, after two days of process time the account is the clock's."""
    host = Host(0)
    for act, much, span in life:
        if act == "sleep":
            host.sleep(much)
        elif act == "boot":
            host.restart(60_000, off=much)
        else:
            host.off = much
        host.run(span)
    host.off = 0
    host.run(2 * DAY + HOUR)
    assert ageing.old_before(host.sure, MONTH) == pytest.approx(host.true - MONTH, abs=LEEWAY)


def test_six_seconds_at_forty_days_ahead_make_nothing_old_and_cost_an_hour() -> None:
    """The jump is noticed: nothing goes by age for an hour of process time, then as before."""
    host = Host()
    host.run(2 * DAY)
    assert ageing.old_before(host.sure, MONTH) is not None
    host.off = 40 * DAY
    host.run(BEAT)
    assert ageing.old_before(host.sure, MONTH) is None
    host.off = 0
    host.run(HOUR - BEAT)
    assert ageing.old_before(host.sure, MONTH) is None
    host.run(2 * BEAT)
    assert ageing.old_before(host.sure, MONTH) == pytest.approx(host.true - MONTH, abs=LEEWAY)


@pytest.mark.parametrize(("away", "needs"), [(8 * HOUR, HOUR), (3 * DAY, DAY)])
def test_a_clock_far_beyond_the_run_before_is_believed_after_a_day(away: int, needs: int) -> None:
    """One that is within a day of it after an hour."""
    host = Host()
    host.run(2 * HOUR)
    host.restart(away)
    host.run(HOUR)  # the end of the hour under way
    host.run(needs - BEAT)
    assert host.sure.at < host.true - away + 4 * HOUR
    host.run(HOUR)
    assert host.sure.at == pytest.approx(host.true, abs=LEEWAY)


def test_the_hour_adds_up_over_restarts() -> None:
    """A daemon that is started anew every ten minutes gets there as well."""
    host = Host()
    for _ in range(6):
        assert ageing.old_before(host.sure, MONTH) is None
        host.restart(30_000)
        host.run(CALM // 6)
    assert ageing.old_before(host.sure, MONTH) is not None


def test_a_host_that_sleeps_every_night_and_weekend_keeps_up() -> None:
    """It may be some days behind: a weekend is believed after 24 h of process time."""
    host = Host()
    for day in range(70):
        host.run(8 * HOUR, never_too_early)
        host.sleep(16 * HOUR if day % 5 < 4 else 64 * HOUR)
    host.run(2 * HOUR)
    assert host.sure.at > host.true - 8 * DAY
    assert ageing.old_before(host.sure, MONTH) is not None


def test_a_day_takes_a_tenth_at_most_and_never_the_newest() -> None:
    """However many are old."""
    rows = 100_000
    for _ in range(24):
        rows -= ageing.share(rows)
    assert 90_000 <= rows < 91_000
    assert [ageing.share(n) for n in (0, 1_000, 1_001, 1_002)] == [0, 0, 1, 2]


@given(st.integers(0, 20_000))
def test_the_last_thousand_stay(rows: int) -> None:
    """In no hour does a share reach into them."""
    assert rows - ageing.share(rows) >= min(rows, ageing.NEWEST)


def test_ended_tasks_go_a_tenth_a_day_and_one_at_the_least() -> None:
    """Counted from when some went."""
    sure = SureTime(NOW, ran=3 * DAY)
    assert [ageing.tasks_due(sure, n) for n in (0, 1, 9, 25, 1000)] == [0, 1, 1, 2, 100]
    assert ageing.tasks_due(SureTime(NOW, ran=3 * DAY, tasks=2 * DAY + 1), 1000) == 0


def test_an_event_is_no_older_than_those_before_it() -> None:
    """Stamps of a clock that began at 1970 make nothing old, stamps of the future nothing young."""
    assert ageing.expired([10, 20, 0, 0, 35, 20, 50], 0, 30, 100) == (4, 20)
    assert ageing.expired([0, 0, 0], 40, 30, 100) == (0, 40)
    assert ageing.expired([10, 500, 20, 60], 0, 30, 100) == (3, 20)


def test_what_lasts_until_a_moment_is_over_when_that_has_surely_passed() -> None:
    """For sessions: a clock that is ahead for a while ends none."""
    host = Host()
    end = NOW + 3 * HOUR
    host.run(2 * HOUR)
    host.off = 40 * DAY
    host.run(30 * 60_000)
    assert not ageing.is_over(host.sure, end)
    host.off = 0
    host.run(3 * HOUR)
    assert ageing.is_over(host.sure, end)
