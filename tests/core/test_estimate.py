"""Rate and time left: bursts, breaks, phases, and a simulated node."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaspad_taskd.core.estimate import (
    MAX_SAMPLES,
    broken,
    emptied,
    follow,
    rates_of,
    slope,
    stands,
    time_left,
)
from kaspad_taskd.core.model import Samples, Window
from kaspad_taskd.core.observation import Leg, Reading, Route
from kaspad_taskd.core.reason import EtaReason
from tests.core.play import NOW


def followed(
    way: Sequence[tuple[float, float]], window: Window | None = None, phase: str | None = "a"
) -> Window:
    """The window after readings of (seconds, position)."""
    window = window or Window()
    for seconds, position in way:
        window = follow(window, phase, position, NOW + int(seconds * 1000))
    return window


def steady(begin: float, end: float, rate: float, pace: float = 10.0) -> list[tuple[float, float]]:
    count = int((end - begin) / pace) + 1
    return [(begin + n * pace, (begin + n * pace) * rate) for n in range(count)]


def test_steady_movement() -> None:
    """The slope of a line is its slope."""
    assert slope(followed(steady(0, 300, 7.0))) == pytest.approx(7.0)


def test_too_little_tells_no_rate() -> None:
    """Two steps and ten seconds come first if they are alike, else six samples and 45 s."""
    assert slope(Window()) is None
    assert slope(followed(steady(0, 10, 7.0))) is None  # one step
    assert slope(followed(steady(0, 9, 7.0, pace=1.0))) is None
    assert slope(followed(steady(0, 10, 7.0, pace=1.0))) == pytest.approx(7.0)
    assert slope(followed(steady(0, 20, 7.0))) == pytest.approx(7.0)
    unsteady = [(10.0 * n, 100.0 * n + (n % 2) * 90.0) for n in range(7)]
    assert slope(followed(unsteady[:5])) is None
    assert slope(followed(unsteady)) is not None


def test_bursts() -> None:
    """A thousand every four seconds is 250 a second, however often somebody looks."""
    way = [(t / 2, float(t // 8) * 1000) for t in range(600)]
    assert slope(followed(way)) == pytest.approx(250, rel=0.02)


def test_long_standstill_is_left_out() -> None:
    """Minutes of nothing amid movement do not make the movement slower."""
    way = steady(0, 100, 10.0, pace=2.0)
    way += [(t, 1000.0) for t in range(102, 300, 2)]
    way += [(200 + t, position) for t, position in steady(102, 200, 10.0, pace=2.0)]
    assert slope(followed(way)) == pytest.approx(10.0, rel=0.05)


def test_rare_steps_are_not_standstills() -> None:
    """A coarse counter that moves every half minute is as slow as it is."""
    for spacing in (15, 30, 45, 90, 300):
        way = [(t, float(t // spacing)) for t in range(spacing - 5, 60 * spacing, 10)]
        assert slope(followed(way)) == pytest.approx(1 / spacing, rel=0.05), spacing


def last_step(window: Window) -> int:
    """Milliseconds of moving time between the newest two samples."""
    return window.samples.moments[-1] - window.samples.moments[-2]


def test_one_freeze_teaches_little() -> None:
    """After minutes of nothing, the next minute of nothing is a standstill too."""
    window = followed(steady(0, 100, 10.0))
    window = followed([(t, 1000.0) for t in range(110, 400, 10)] + [(400, 1100.0)], window)
    assert last_step(window) == 10_000
    window = followed([(t, 1100.0) for t in range(410, 470, 10)] + [(470, 1200.0)], window)
    assert last_step(window) == 10_000


def test_short_pause_is_movement() -> None:
    """Up to six seconds of nothing belong to work that moves every second otherwise."""
    window = followed(steady(0, 60, 10.0, pace=1.0))
    window = followed([(t, 600.0) for t in range(61, 66)] + [(66, 700.0)], window)
    assert last_step(window) == 6_000


def test_break_keeps_the_usual_pace() -> None:
    """A coarse counter is known as one after a restart too."""
    way = [(t, float(t // 30)) for t in range(0, 300, 10)]
    window = followed(way)
    assert last_step(window) == 30_000
    way = [(t, float(t // 30)) for t in range(1000, 1030, 10)]
    assert last_step(followed(way, broken(window))) == 20_000


def test_two_looks_at_once() -> None:
    """Even then the times of samples rise."""
    assert last_step(followed([(0, 5.0), (10, 6.0), (10, 7.0)])) == 1


def test_falling_position_is_no_negative_rate() -> None:
    """A rate is never below zero."""
    assert slope(followed([(t, 1000.0 - t) for t in range(0, 100, 10)])) == 0.0


@pytest.mark.parametrize("after", [500.0, 5000.0, 100_000.0])
def test_short_break_tells_no_rate(after: float) -> None:
    """What happened while nobody looked counts neither as movement nor as time."""
    window = broken(followed(steady(0, 100, 10.0)))
    window = follow(window, "a", after, NOW + 160_000)
    assert slope(window) == pytest.approx(10.0)
    more = [(160 + t, after + 10.0 * t) for t in range(10, 100, 10)]
    assert slope(followed(more, window)) == pytest.approx(10.0)


@pytest.mark.parametrize("after", [500.0, 5000.0, 100_000.0])
def test_long_break_leaves_no_rate(after: float) -> None:
    """After more than a minute the rate is measured anew, whatever was known and happened."""
    known = replace(followed(steady(0, 100, 10.0)), rates={"a": 8.0, "b": 3.0})
    window = follow(broken(broken(known)), "a", after, NOW + 161_000)
    assert rates_of(window) == {"b": 3.0}
    more = [(161 + t, after + 2.0 * t) for t in range(10, 30, 10)]
    assert rates_of(followed(more, window)) == {"a": pytest.approx(2.0), "b": 3.0}


def test_standstill_goes_on_over_a_short_break() -> None:
    """A daemon that is restarted amid a freeze does not take it for movement."""
    window = followed([(100, 1000.0)], followed(steady(0, 100, 10.0)))
    window = follow(broken(window), "a", 1000.0, NOW + 115_000)
    assert not stands(window, NOW + 120_000)
    assert stands(window, NOW + 140_000)


def test_break_before_any_sample() -> None:
    """A break of nothing is nothing."""
    window = followed([(0, 5.0)], broken(Window("a")))
    assert window.samples.positions == (5.0,)


def test_clock_jump_keeps_rates_and_no_samples() -> None:
    """Times before and after a jump are not compared; the rate known till then stays."""
    window = emptied(followed(steady(0, 100, 10.0)))
    assert (window.samples, window.seen_at, window.phase) == (Samples(), None, "a")
    assert rates_of(window) == {"a": pytest.approx(10.0)}
    assert rates_of(followed(steady(0, 100, 3.0), window)) == {"a": pytest.approx(3.0)}


def test_phase_change_keeps_the_rate_of_the_phase_left() -> None:
    """A new phase begins a new window; the rates of others stay known."""
    window = followed(steady(0, 100, 10.0), phase="a")
    window = followed(steady(110, 120, 2.0), window, phase="b")
    assert rates_of(window) == {"a": pytest.approx(10.0)}
    window = followed(steady(130, 230, 2.0), window, phase="b")
    assert rates_of(window) == {"a": pytest.approx(10.0), "b": pytest.approx(2.0)}
    back = followed([(240, 0.0)], window, phase="a")
    assert rates_of(back) == {"a": pytest.approx(10.0), "b": pytest.approx(2.0)}


def test_no_phase_is_a_phase() -> None:
    """Work without phases has a rate too."""
    assert rates_of(followed(steady(0, 100, 4.0), phase=None)) == {"": pytest.approx(4.0)}


looks = st.lists(
    st.tuples(st.integers(-1_000, 90_000), st.integers(-5, 100), st.sampled_from("......bj")),
    max_size=120,
)


@given(looks)
def test_window_is_bounded_and_in_order(way: list[tuple[int, int, str]]) -> None:
    """At most 20 samples, their times rising, whatever comes."""
    window, now, position = Window(), NOW, 0.0
    for gap, moved, what in way:
        now, position = now + gap, position + moved
        window = {"b": broken, "j": emptied}.get(what, lambda same: same)(window)
        window = follow(window, "a", position, now)
        assert 1 <= len(window.samples) <= MAX_SAMPLES
        assert all(old < new for old, new in pairwise(window.samples.moments))
        assert window.samples.positions[-1] == position
        assert (slope(window) or 0.0) >= 0.0
        assert window.apart >= 0


@pytest.mark.parametrize("pace", [0.5, 2.0, 10.0, 60.0, 600.0, 3600.0])
def test_known_rate_stays_known(pace: float) -> None:
    """At any pace, thinning never takes the rate away again."""
    window, known = Window(), False
    for n in range(200):
        window = follow(window, "a", n * pace * 3.0, NOW + int(n * pace * 1000))
        known = known or slope(window) is not None
        assert not known or slope(window) == pytest.approx(3.0)
    assert known


def test_window_forgets_what_is_old() -> None:
    """Half an hour after work became faster, the rate is the new one."""
    way = steady(0, 3600, 5.0)
    way += [(t, 18_000.0 + 50.0 * (t - 3600)) for t in range(3610, 5600, 10)]
    assert slope(followed(way)) == pytest.approx(50.0, rel=0.02)


def test_time_left_needs_a_total_and_a_rate() -> None:
    """Without either it says which is missing, and the reading's own reason goes first."""
    assert time_left(Reading(position=1.0), {}) == (None, EtaReason.NO_TOTAL)
    assert time_left(Reading(target=1.0), {}) == (None, EtaReason.NO_TOTAL)
    way = Reading(position=1.0, target=9.0)
    assert time_left(way, {}) == (None, EtaReason.WARMING_UP)
    assert time_left(way, {"": 0.0}) == (None, EtaReason.WARMING_UP)
    assert time_left(way, {"": 2.0}) == (4.0, None)
    told = Reading(position=1.0, target=9.0, eta_reason=EtaReason.NO_TOTAL)
    assert time_left(told, {"": 2.0}) == (None, EtaReason.NO_TOTAL)


def test_target_that_moves_is_chased() -> None:
    """1,000 behind, 30 a second against 10: 50 s. Hardly faster than the target: none."""
    way = Reading(phase="a", position=0.0, target=1000.0, drift=10.0)
    assert time_left(way, {"a": 30.0})[0] == pytest.approx(50.0)
    assert time_left(way, {"a": 10.4}) == (None, EtaReason.NOT_CATCHING_UP)
    assert time_left(way, {"a": 10.6})[0] == pytest.approx(1000 / 0.6)
    there = Reading(phase="a", position=1000.0, target=1000.0, drift=10.0)
    assert time_left(there, {"a": 10.0}) == (0.0, None)


def test_legs_are_walked_at_their_own_rates() -> None:
    """Each leg at its phase's rate; one without a rate withholds the whole."""
    route = Route((Leg("headers", 1000.0), Leg("blocks", 500.0)))
    way = Reading(phase="headers", route=route)
    assert time_left(way, {"headers": 100.0, "blocks": 10.0}) == (60.0, None)
    assert time_left(way, {"headers": 100.0}) == (None, EtaReason.WARMING_UP)
    walked = Route((Leg("headers", 0.0), Leg("blocks", 500.0)))
    assert time_left(Reading(route=walked), {"blocks": 10.0}) == (50.0, None)


def test_route_brings_rates_and_pauses() -> None:
    """A rate measured by the probe stands in for one that the window has not; pauses add up."""
    legs = (Leg("headers", 1000.0), Leg("blocks", 500.0))
    route = Route(legs, 10.0, ("headers",), {"headers": 1.0, "blocks": 10.0}, pause=7.0)
    assert time_left(Reading(route=route), {"headers": 100.0}) == pytest.approx((67.1, None))
    chased = Reading(route=replace(route, legs=(), backlog=100.0, round=("blocks",)))
    assert time_left(chased, {}) == (17.0, None)


def test_backlog_without_any_rate() -> None:
    """What grew meanwhile needs the rate of some phase of the round."""
    route = Route((), 100.0, ("headers", "blocks"))
    assert time_left(Reading(route=route), {}) == (None, EtaReason.WARMING_UP)
    assert time_left(Reading(route=route), {"blocks": 10.0}) == (10.0, None)


def passes(
    gap: float, headers: float, blocks: float, pace: float
) -> Iterator[tuple[float, Reading]]:
    """A node that loads headers up to the tip, then blocks up to these headers, and so on.

    The network adds 10 blocks a second. Yields (seconds, reading) until a pass takes no second.
    """
    clock, here = 0.0, 0.0
    look = 0.0
    while True:
        goal = gap + 10.0 * clock
        spans = (("headers", headers, here, goal), ("blocks", blocks, here, goal))
        for phase, rate, begin, end in spans:
            lasts = (end - begin) / rate
            while look < clock + lasts:
                position = begin + rate * (look - clock)
                legs = [Leg(phase, end - position)]
                if phase == "headers":
                    legs.append(Leg("blocks", goal - here))
                route = Route(tuple(legs), gap + 10.0 * look - goal, ("headers", "blocks"))
                reading = Reading(phase=phase, position=position, drift=10.0, route=route)
                yield look, reading
                look += pace
            clock += lasts
        here = goal
        if gap + 10.0 * clock - here < 10.0:
            return


@settings(max_examples=30, deadline=None)
@given(
    first=st.floats(300, 900),
    headers=st.floats(100, 2_000),
    ratio=st.floats(0.2, 1.5),
    pace=st.sampled_from([2.0, 5.0]),
)
def test_time_left_of_a_simulated_sync(
    first: float, headers: float, ratio: float, pace: float
) -> None:
    """Over headers and blocks passes, the time left is right within 3 %.

    The last looks are left out: phases that lie between two of them are not seen.
    """
    gap, blocks = first * headers, ratio * headers
    way = list(passes(gap, headers, blocks, pace))
    combined = 1 / (1 / headers + 1 / blocks)
    end = gap / (combined - 10.0)
    window, told = Window(), 0
    for seconds, reading in way:
        assert reading.position is not None
        window = follow(window, reading.phase, reading.position, NOW + round(seconds * 1000))
        eta, _ = time_left(reading, rates_of(window))
        if eta is not None and end - seconds > 20 * pace:
            told += 1
            assert eta == pytest.approx(end - seconds, rel=0.03)
    assert told > 5
