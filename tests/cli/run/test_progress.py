"""What is told of readings, whatever they are: nothing falls in a phase, nothing is made up."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from kaspad_taskd.cli.run.progress import Progress
from kaspad_taskd.cli.run.tools.tool import Reading

NUMBERS = st.one_of(st.none(), st.floats(), st.integers(-5, 10**20).map(float))
PHASES = st.sampled_from([None, "reading", "writing", "", "x" * 300, "\x1b[31mred"])
COUNTS = st.one_of(st.none(), st.integers(-2, 200))
READINGS = st.builds(
    Reading, NUMBERS, NUMBERS, st.sampled_from(["bytes", "files", "percent", ""]), PHASES,
    st.booleans(), COUNTS, COUNTS, st.just({}),
)  # fmt: skip


def key(told: dict[str, Any]) -> tuple[object, ...]:
    return told.get("phase"), told.get("after"), told.get("unit")


@given(st.lists(READINGS, max_size=40))
@example([Reading(1.0), Reading(0.0, after=0)])
def test_nothing_falls_within_a_phase(readings: list[Reading]) -> None:
    """Neither what is done nor its share, and what is told is what reportTask takes."""
    progress, before = Progress(), None
    done = share = 0.0
    for reading in readings:
        progress.take(reading)
        told = progress.told()
        if key(told) != before:
            done = share = 0.0
        before = key(told)
        if "done" in told:
            assert 0 <= told["done"] <= 1e18
            if "total" not in told:
                assert told["done"] >= done
            done = told["done"]
        if "total" in told:
            assert 0 < told["total"] <= 1e18
            assert told["done"] <= told["total"]
            if not told.get("growing"):
                assert told["done"] / told["total"] >= share * (1 - 1e-9)
                share = told["done"] / told["total"]
        assert len(told.get("phase", "")) <= 100
        assert told.get("phase", "x").isprintable()
        if "phases" in told:
            assert 0 <= told["after"] < told["phases"] <= 100


def test_the_next_of_a_name_is_told_as_another() -> None:
    """A second file of one name begins anew, and the daemon, which has names alone, sees it."""
    progress = Progress()
    told = []
    for done, after in ((90, 0), (95, 0), (5, 1), (6, 1)):
        progress.take(Reading(done, 100, "percent", "wheel", after=after))
        told.append((progress.told()["phase"], progress.told()["done"]))
    assert told == [("wheel", 90), ("wheel", 95), ("wheel 2", 5), ("wheel 2", 6)]


def test_what_is_told() -> None:
    """Percent by its sign; a total that grows is said to; a phase begins anew."""
    progress = Progress()
    assert progress.told() == {}
    progress.take(Reading(40, 100, "percent"))
    assert progress.told() == {"done": 40, "total": 100, "unit": "%"}
    progress.take(Reading(5, 9, "files", "checking", growing=True))
    assert progress.told() == {
        "phase": "checking", "done": 5, "total": 9, "unit": "files", "growing": True}  # fmt: skip
    progress.take(Reading(0, 4, "bytes", "copying", after=1, phases=2))
    assert progress.told() == {
        "phase": "copying", "after": 1, "phases": 2, "done": 0, "total": 4, "unit": "bytes",
    }  # fmt: skip


def test_a_total_that_is_corrected_takes_nothing_back() -> None:
    """What was shown of it is shown still."""
    progress = Progress()
    progress.take(Reading(50, 100))
    progress.take(Reading(51, 200))
    told = progress.told()
    assert told["done"] / told["total"] == 0.5
