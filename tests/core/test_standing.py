"""How a node stands towards the services that use it: only what was seen counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kaspad_taskd.core.model import Health, Live, Status, Task, Watch
from kaspad_taskd.core.observation import Hint
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.standing import (
    UNSEEN,
    Count,
    NodeView,
    Standing,
    count,
    fresh,
    taken_up,
    view,
)
from tests.core.play import NOW, pending

MINUTE = 60_000
APART = 105_000
LOST = NodeView(Standing.BAD, Health.UNREACHABLE)
BEHIND = NodeView(Standing.BAD, Health.BEHIND, still=True)
WELL = NodeView(Standing.OK, Health.OK)


def task(health: Health = Health.OK, **given: object) -> Task:
    made = replace(
        pending(keep_watching=True), status=Status.COMPLETE, watch=Watch.ON, health=health,
        health_since=NOW, watched_since=NOW,
    )  # fmt: skip
    return replace(made, **given)  # type: ignore[arg-type]


def test_how_a_node_stands() -> None:
    """By the health of its watch; one that has to sync again is behind."""
    assert view(task()).standing is Standing.OK
    for health in (Health.BEHIND, Health.STALLED, Health.UNREACHABLE):
        assert view(task(health)).standing is Standing.BAD
    again = view(task(status=Status.IN_PROGRESS, watch=Watch.NONE, started_at=NOW + 1))
    assert (again.standing, again.health, again.since) == (Standing.BAD, Health.BEHIND, NOW + 1)


@pytest.mark.parametrize("health", list(Health))
def test_a_wrong_clock_and_no_look_tell_nothing(health: Health) -> None:
    """Known to be wrong, hinted at, paused, ended, not watched at all."""
    skew = Live(hints=(Hint(str(Reason.CLOCK_SKEW)),))
    for known in ({"live": Live(clock_off=True)}, {"live": skew}, {"reason": Reason.CLOCK_SKEW},
                  {"watch": Watch.PAUSED}, {"watch": Watch.NONE},
                  {"watch": Watch.NONE, "status": Status.ERROR}):  # fmt: skip
        assert view(task(health, **known)).standing is Standing.UNKNOWN
    assert view(task(Health.UNKNOWN)).standing is Standing.UNKNOWN


def looks(before: Count, node: NodeView, *gaps: int) -> Count:
    """Looks so many ms after each other, by both clocks."""
    for gap in gaps:
        stamp = (before.look or NOW) + gap
        before = count(before, node, stamp, (before.steady or 0) + gap, APART)
    return before


def test_only_what_was_seen_counts() -> None:
    """From the first look that saw it so, up to the newest; another trouble is trouble too."""
    known = looks(UNSEEN, LOST, 30_000, 30_000, 30_000)
    assert known.span == 60_000
    assert looks(known, BEHIND, 30_000).span == 90_000
    assert looks(known, WELL, 30_000).span == 0
    assert count(known, LOST, known.look, (known.steady or 0) + 50_000, APART).span == 60_000
    assert fresh(known, (known.steady or 0) + APART + 1, APART) is UNSEEN
    assert fresh(known, (known.steady or 0) + APART, APART) is known


def test_a_hole_in_the_looks_begins_anew() -> None:
    """A stop, a host that slept, a clock that leapt ahead; one set back takes nothing away."""
    known = looks(UNSEEN, WELL, 30_000, 30_000)
    steady = known.steady or 0
    assert known.look is not None
    assert looks(known, WELL, APART + 1).span == 0
    slept = count(known, WELL, known.look + 3_600_000, steady + 30_000, APART)
    assert slept.span == 0
    back = count(known, WELL, known.look - 3_600_000, steady + 30_000, APART)
    assert back.span == 60_000
    nudged = count(known, WELL, known.look + 90_000, steady + 30_000, APART)
    assert nudged.span == 60_000


def test_another_run_goes_on_counting() -> None:
    """Where it looks soon after; what a stop of hours hid does not count."""
    left = taken_up(Standing.BAD, NOW, NOW + 5 * MINUTE)
    assert fresh(left, 0, APART) is UNSEEN
    soon = count(left, LOST, NOW + 6 * MINUTE, 5, APART)
    assert (soon.span, soon.since()) == (6 * MINUTE, NOW)
    assert count(left, LOST, NOW + 9 * MINUTE, 5, APART).span == 0
    assert count(left, LOST, NOW - MINUTE, 5, APART).span == 0
    assert count(left, WELL, NOW + 6 * MINUTE, 5, APART).span == 0
    assert soon.quiet is None


def test_what_is_new_is_noticed() -> None:
    """A block, or a reference that goes on; and for how long there was none."""
    one, two = replace(BEHIND, moved=NOW), replace(BEHIND, moved=NOW + 1)
    known = looks(looks(UNSEEN, one, 30_000), one, 30_000)
    assert known.quiet is None
    assert looks(looks(known, two, 30_000), two, 30_000).quiet == 30_000
    low, high = replace(BEHIND, tip=10.0), replace(BEHIND, tip=11.0)
    assert looks(looks(UNSEEN, low, 30_000), high, 30_000).quiet == 0
    assert looks(looks(UNSEEN, low, 30_000), low, 30_000).quiet is None
