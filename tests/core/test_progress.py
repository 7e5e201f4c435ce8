"""The share of the way: weights, clamps, the states of phases."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.core.model import Detail, PhaseRecord
from kaspad_taskd.core.observation import PlannedPhase, Reading
from kaspad_taskd.core.progress import Progress, advance, detail, finished
from tests.core.play import NOW

BLANK = Progress(0.0, "unknown", None, (), 1)
PLAN = (PlannedPhase("proof", 5), PlannedPhase("headers", 20), PlannedPhase("blocks", 75))


def at(phase: str | None, position: float | None = None, **given: Any) -> Reading:
    return Reading(**{"phase": phase, "plan": PLAN, "position": position, "target": 100.0, **given})


def after(*readings: Reading, before: Progress = BLANK) -> Progress:
    for index, each in enumerate(readings):
        before = advance(before, each, detail(each), NOW + index)
    return before


def states(progress: Progress) -> list[str]:
    return [each.state for each in progress.phases]


@pytest.mark.parametrize(
    ("reading", "percent"),
    [
        (Reading(), 0.0),
        (Reading(position=50.0), 0.0),
        (Reading(position=50.0, target=200.0), 25.0),
        (Reading(position=50.0, start=40.0, target=60.0), 50.0),
        (Reading(position=0.0, start=10.0, target=60.0), 0.0),
        (Reading(position=70.0, start=10.0, target=60.0), 99.9),
        (Reading(position=10.0, start=60.0, target=60.0), 0.0),
        (Reading(position=29.0, target=100.0), 29.0),
        (Reading(position=99.99, target=100.0), 99.9),
        (Reading(position=45.19, target=100.0), 45.1),
        (Reading(position=5.0, target=10.0, floor=0.25), 25.0),
        (Reading(floor=1.5), 99.9),
        (Reading(floor=-1.0), 0.0),
    ],
    ids=str,
)
def test_one_phase(reading: Reading, percent: float) -> None:
    """The share from start to target, clamped, floored to a decimal, never 100."""
    assert after(reading).percent == percent


@pytest.mark.parametrize(
    ("reading", "percent"),
    [
        (at("proof"), 0.0),
        (at("headers"), 5.0),
        (at("headers", 50.0), 15.0),
        (at("blocks", 0.0), 25.0),
        (at("blocks", 40.0), 55.0),
        (at("blocks", 100.0), 99.9),
        (at("elsewhere", 50.0), 0.0),
        (at(None), 0.0),
        (at("proof", plan=(PlannedPhase("proof", 0.0),)), 0.0),
    ],
    ids=["begin", "next", "half", "last", "within", "full", "alien", "none", "weightless"],
)
def test_weights(reading: Reading, percent: float) -> None:
    """What lies before the current phase counts whole, the phase by its share."""
    assert after(reading).percent == percent


def test_weights_are_relative() -> None:
    """Ten times the weights are the same way."""
    tenfold = tuple(PlannedPhase(each.key, each.weight * 10) for each in PLAN)
    assert after(at("blocks", 40.0, plan=tenfold)).percent == 55.0


def test_it_never_falls() -> None:
    """A second pass, a moved target, another plan: the bar stands, and goes on from there."""
    high = after(at("blocks", 80.0))
    assert after(at("headers", 10.0, pass_number=2), before=high).percent == high.percent == 85.0
    assert after(at("blocks", 80.0, target=200.0), before=high).percent == 85.0
    assert after(at("blocks", 90.0), before=high).percent == 92.5


@given(st.lists(st.tuples(st.sampled_from(["proof", "headers", "blocks"]), st.floats(0, 200))))
def test_it_never_falls_whatever_comes(way: list[tuple[str, float]]) -> None:
    """Any sequence of readings only raises the share, to 99.9 at most."""
    now = BLANK
    for phase, position in way:
        reading = at(phase, position)
        new = advance(now, reading, detail(reading), NOW)
        assert now.percent <= new.percent <= 99.9
        assert states(new).count("current") == 1
        now = new


def test_states_of_phases() -> None:
    """Before the current one all are done, after it all lie ahead."""
    progress = after(at("proof"), at("headers", 50.0))
    assert states(progress) == ["done", "current", "next"]
    assert [each.progress for each in progress.phases] == [100.0, 50.0, None]
    assert [each.weight for each in progress.phases] == [5, 20, 75]


def test_times_of_phases() -> None:
    """A phase starts when it is first seen and ends when the next one is."""
    progress = after(at("proof"), at("headers", 1.0), at("headers", 2.0), at("blocks", 1.0))
    assert [(each.started_at, each.ended_at) for each in progress.phases] == [
        (NOW, NOW + 1), (NOW + 1, NOW + 3), (NOW + 3, None),
    ]  # fmt: skip
    assert after(at("blocks", 2.0), before=progress).phases[0] == progress.phases[0]


def test_phase_that_nobody_saw_has_no_times() -> None:
    """What was over before the first look is done, nobody knows since when."""
    unseen = PhaseRecord("proof", "done", 5, 100.0, "exact")
    progress = after(at("headers"))
    assert progress.phases[0] == unseen
    assert finished(progress, NOW + 9).phases[0] == unseen


def test_share_of_a_phase_does_not_fall() -> None:
    """Within a pass a moved target takes no segment back; a new pass starts it over."""
    progress = after(at("blocks", 80.0), at("blocks", 80.0, target=200.0))
    assert progress.phases[2].progress == 80.0
    again = after(at("blocks", 10.0, pass_number=2), before=progress)
    assert (again.phases[2].progress, again.pass_number) == (10.0, 2)
    assert again.phases[2].started_at == NOW
    flicker = after(at("headers", 50.0), at("blocks", 1.0), at("headers", 60.0))
    assert flicker.phases[1].progress == 60.0


def test_share_of_a_phase_survives_a_look_without_total() -> None:
    """A look that cannot tell the total takes nothing back either."""
    progress = after(at("blocks", 80.0), at("blocks", 80.0, target=None))
    assert progress.phases[2].progress == 80.0


def test_unknown_phase_leaves_the_way_as_it_was() -> None:
    """A moment between two phases does not undo what is done."""
    progress = after(at("proof"), at("headers", 50.0))
    between = after(at(None), before=progress)
    assert between.phases == progress.phases
    assert between.percent == progress.percent
    assert states(after(at(None))) == ["next"] * 3


def test_basis() -> None:
    """With several weighted phases it is an estimate; with one, what the reading says."""
    assert BLANK.basis == "unknown"
    assert after(at(None)).basis == "unknown"
    assert after(at("proof")).basis == "estimated"
    assert after(Reading(position=1.0, target=2.0, basis="exact")).basis == "exact"
    known = after(Reading(position=1.0, target=2.0, basis="exact"), Reading(position=1.0))
    assert known.basis == "exact"
    assert after(at("blocks", 1.0, basis="exact")).phases[2].basis == "exact"
    assert after(at("blocks", basis="exact")).phases[2].basis == "unknown"


def test_finished() -> None:
    """Complete is 100 %, exact, every phase done; what was under way ends now."""
    done = finished(after(at("proof"), at("headers", 50.0)), NOW + 60)
    assert (done.percent, done.basis, done.phase) == (100.0, "exact", None)
    assert [(each.state, each.progress, each.basis) for each in done.phases] == [
        ("done", 100.0, "exact")
    ] * 3
    assert [each.ended_at for each in done.phases] == [NOW + 1, NOW + 60, None]


def test_detail() -> None:
    """The phase in numbers counts from its start; without a position there are none."""
    assert detail(Reading()) is None
    assert detail(Reading(position=7.0, unit="rows")) == Detail(7.0, None, "rows", "unknown")
    way = Reading(position=30.0, start=10.0, target=60.0, basis="exact")
    assert detail(way) == Detail(20.0, 50.0, None, "exact")
    back = Reading(position=5.0, start=10.0, target=8.0)
    assert detail(back) == Detail(0.0, 0.0, None, "unknown")
