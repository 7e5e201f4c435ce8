"""How early and how truly a rate is told, and a time left with it: properties."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kaspad_taskd.core.estimate import broken, follow, rates_of, slope, stands, time_left, waited
from kaspad_taskd.core.inputs import Attach, Look
from kaspad_taskd.core.model import Task, Window
from kaspad_taskd.core.observation import Leg, Reading, Route
from kaspad_taskd.core.reason import EtaReason
from kaspad_taskd.core.transition import step
from tests.core.play import NOW, Story

RATES = st.floats(0.5, 5_000)
PACES = st.sampled_from([0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0])
Way = Sequence[tuple[float, float]]


def followed(way: Way, window: Window | None = None, phase: str = "a") -> Window:
    """The window after readings of (seconds, position)."""
    window = window or Window()
    for seconds, position in way:
        window = follow(window, phase, position, NOW + round(seconds * 1000))
    return window


def steady(begin: float, end: float, rate: float, pace: float, base: float = 0.0) -> Way:
    count = int((end - begin) / pace) + 1
    return [(begin + n * pace, base + n * pace * rate) for n in range(count)]


@given(rate=RATES, pace=PACES, left=st.floats(1, 100_000))
def test_a_steady_rate_is_told_exactly_and_soon(rate: float, pace: float, left: float) -> None:
    """After ten seconds, or two looks: what is left, divided by it."""
    window = followed(steady(0, max(10.0 + pace, 2 * pace), rate, pace))
    here = window.samples.positions[-1]
    told, _ = time_left(Reading(phase="a", position=here, target=here + left), rates_of(window))
    assert told == pytest.approx(left / rate, rel=1e-3)


@given(rate=RATES, pace=PACES, at=st.floats(0.05, 0.95), size=st.floats(1, 10))
def test_one_burst_is_no_rate(rate: float, pace: float, at: float, size: float) -> None:
    """As much as all else, or more, at one stroke and once: the rate is as it was."""
    lasts = max(40.0, 40 * pace)
    way = list(steady(0, lasts, rate, pace))
    burst = size * rate * lasts
    where = 1 + int(at * (len(way) - 2))
    lone = way[:where] + [(seconds, position + burst) for seconds, position in way[where:]]
    assert slope(followed(lone)) == pytest.approx(rate, rel=0.02)


@given(chunk=st.floats(100, 2_000), every=st.integers(2, 8), looks=st.sampled_from([1.0, 2.0]))
def test_bursts_that_come_again_and_again_are_the_rate(
    chunk: float, every: int, looks: float
) -> None:
    """A thousand every few seconds is what it is, whenever somebody looks."""
    way = [(n * looks, chunk * (n * looks // every)) for n in range(int(120 / looks))]
    assert slope(followed(way)) == pytest.approx(chunk / every, rel=0.15)


@given(old=RATES, new=RATES, pace=PACES, gap=st.floats(61, 100_000), jump=st.floats(0, 1e7))
def test_nothing_is_held_from_before_a_gap(
    old: float, new: float, pace: float, gap: float, jump: float
) -> None:
    """More than a minute unwatched: nothing is told until it is measured, then that alone."""
    window = followed(steady(0, 20 * pace, old, pace))
    begin = 20 * pace + gap
    base = window.samples.positions[-1] + jump
    window = followed([(begin, base)], broken(window))
    assert rates_of(window) == {}
    window = followed(steady(begin + pace, begin + 12 * pace, new, pace, base + new * pace), window)
    told = rates_of(window)
    assert told == ({} if 12 * pace < 10 else {"a": pytest.approx(new, rel=1e-3)})


@given(old=RATES, pace=PACES, gap=st.floats(0, 30), jump=st.floats(0, 1e7))
def test_a_short_gap_costs_nothing_and_tells_nothing(
    old: float, pace: float, gap: float, jump: float
) -> None:
    """A restart of the daemon: the rate stands, whatever the position did meanwhile."""
    window = followed(steady(0, max(20 * pace, 20), old, pace))
    before = rates_of(window)
    end = max(20 * pace, 20) + pace + gap
    window = followed([(end, window.samples.positions[-1] + jump)], broken(window))
    assert rates_of(window)["a"] == pytest.approx(before["a"])


@given(rate=RATES, ratio=st.floats(0.2, 5), pace=st.sampled_from([1.0, 2.0, 5.0, 10.0]))
def test_a_new_speed_is_told_within_a_minute(rate: float, ratio: float, pace: float) -> None:
    """The newest half of a phase tells, so as much time as went before, or a minute, is enough."""
    window = followed(steady(0, 60, rate, pace))
    new = rate * ratio
    base = window.samples.positions[-1]
    window = followed(steady(60 + pace, 125, new, pace, base + new * pace), window)
    assert slope(window) == pytest.approx(new, rel=0.1)


@given(rate=RATES, stood=st.floats(21, 600), pace=st.sampled_from([1.0, 2.0, 3.0, 5.0]))
def test_a_freeze_has_no_time_left_and_leaves_the_rate(
    rate: float, stood: float, pace: float
) -> None:
    """While it stands nobody knows for how long; from its first movement on the rate is known."""
    window = followed(steady(0, 60, rate, pace))
    here = window.samples.positions[-1]
    frozen = [(60 + n * pace, here) for n in range(1, int(stood / pace) + 1)]
    window = followed(frozen, window)
    end = 60 + stood
    assert stands(window, NOW + round(end * 1000))
    window = followed([(end + pace, here + rate * pace / 2)], window)
    assert not stands(window, NOW + round((end + pace) * 1000))
    assert slope(window) == pytest.approx(rate, rel=1e-3)


positive = st.floats(0, 1e9)


@given(
    ahead=positive,
    backlog=positive,
    drift=st.floats(0, 100),
    headers=st.floats(0.1, 1e5),
    blocks=st.floats(0.1, 1e5),
    pause=st.floats(0, 60),
    near=st.floats(0, 1_000),
    idle=st.floats(0, 10_000),
)
def test_a_time_left_is_a_time(
    ahead: float,
    backlog: float,
    drift: float,
    headers: float,
    blocks: float,
    pause: float,
    near: float,
    idle: float,
) -> None:
    """Whatever lies ahead: never negative, never endless; and more of it takes no less time."""

    def told(more: float) -> float | None:
        route = Route(
            (Leg("blocks", ahead),), backlog + more, ("headers", "blocks"), pause=pause, near=near
        )
        rates = {"headers": headers, "blocks": blocks}
        return time_left(Reading(phase="blocks", drift=drift, route=route), rates, idle)[0]

    less, more = told(0.0), told(1_000.0)
    assert (less is None) or (isfinite(less) and less >= 0)
    if less is not None and more is not None:
        assert more >= less - 1e-6 * (1 + less)


@given(gap=st.floats(100, 50_000), rate=st.floats(30, 2_000))
def test_what_is_near_enough_is_not_waited_for(gap: float, rate: float) -> None:
    """A node within 50 blocks is there: the last ones take no time, and no pause."""
    near = Route((Leg("a", gap),), 0.0, ("a",), near=50.0)
    told, _ = time_left(Reading(phase="a", drift=10.0, route=near), {"a": rate})
    plain, _ = time_left(Reading(phase="a", position=0.0, target=gap, drift=10.0), {"a": rate})
    assert told is not None
    assert plain is not None
    assert told == pytest.approx(plain - 50 / (rate - 10), rel=1e-6)


def test_between_two_rounds_the_time_left_goes_down() -> None:
    """The next headers are on their way though nothing shows: what is waited comes off."""
    rates = {"headers": 100.0, "blocks": 100.0}
    told = []
    for seconds in range(12):
        backlog = 500.0 + 10.0 * seconds
        route = Route((), backlog, ("headers", "blocks"), pause=3.0, near=50.0)
        ahead = Reading(phase="blocks", drift=10.0, route=route)
        told.append(time_left(ahead, rates, seconds)[0] or 0.0)
    assert told[0] > 15
    falls = [old - new for old, new in pairwise(told)]
    assert all(0.4 <= each <= 1.0 for each in falls[:8])


def test_the_end_of_a_round_is_no_slower_rate() -> None:
    """The looks that hold the end of one and the begin of the next hold its pause too."""
    window = followed(steady(0, 60, 100.0, 10.0))
    window = follow(window, "a", 6_300.0, NOW + 70_000, between=True)
    window = follow(window, "a", 6_300.0, NOW + 80_000, between=True)
    window = follow(window, "a", 6_300.0, NOW + 90_000)
    assert waited(window, NOW + 90_000) == 20.0
    window = follow(window, "a", 6_400.0, NOW + 100_000)
    assert slope(window) == pytest.approx(100.0)


def looked(pace: float, way: Way, task: Task | None = None) -> Story:
    """A task that is looked at so often: its readings."""
    story = Story(task) if task else Story().play("start")
    for seconds, position in way:
        story.now = NOW + round(seconds * 1000)
        story.give(Look(story.task.attempt, Reading(position=position, target=1_000_000.0)))
    return story


@pytest.mark.parametrize("pace", [2.0, 10.0])
def test_a_daemon_stopped_for_minutes_measures_anew(pace: float) -> None:
    """SIGSTOP: its next look is late; a restart: it is attached. Then half a minute is enough."""
    way = steady(0, 60, 200.0, pace)
    resumed = [(300 + n * pace, 15_000.0 + 50.0 * n * pace) for n in range(int(30 / pace) + 1)]
    stopped = looked(pace, way)
    started = looked(pace, way)
    started.task, _ = step(started.task, started.task.definition, Attach(), NOW + 300_000)
    for story in (stopped, started):
        assert looked(pace, resumed[:1], story.task).task.live.eta_reason is EtaReason.WARMING_UP
        live = looked(pace, resumed, story.task).task.live
        assert live.eta == pytest.approx((1_000_000 - resumed[-1][1]) / 50, rel=0.01)


def test_a_freeze_is_said_instead_of_a_time_left() -> None:
    """As soon as it is longer than usual; the first movement brings the time left back."""
    way = steady(0, 60, 200.0, 10.0)
    frozen = [(60.0 + n * 10, 12_000.0) for n in range(1, 7)]
    story = looked(10.0, way)
    assert looked(10.0, frozen[:2], story.task).task.live.eta is not None
    story = looked(10.0, frozen, looked(10.0, way).task)
    assert (story.task.live.eta, story.task.live.eta_reason) == (None, EtaReason.STALLED)
    again = looked(10.0, [(130.0, 13_000.0)], story.task).task.live
    assert again.eta == pytest.approx((1_000_000 - 13_000) / 200, rel=0.01)


@given(st.lists(st.floats(0, 1e6), min_size=3, max_size=40), PACES)
def test_whatever_comes_no_rate_is_negative(rises: list[float], pace: float) -> None:
    """Nor endless; and once told, it is told from then on."""
    window, position, told = Window(), 0.0, False
    assume(any(rises))
    for index, rise in enumerate(rises):
        position += rise
        window = follow(window, "a", position, NOW + round(index * pace * 1000))
        rate = slope(window)
        told = told or rate is not None
        assert (rate is not None) is told
        assert rate is None or (isfinite(rate) and rate >= 0)
