"""Movement is the done of the phase under way brought forward, and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.core import inputs
from kaspad_taskd.core.model import Health, Status
from kaspad_taskd.core.movement import COUNTERS
from kaspad_taskd.core.observation import Done, Hint, PlannedPhase, Reading
from kaspad_taskd.core.reason import Reason
from tests.core.play import Story, pending

PATIENCE = 60.0


def started(**changes: Any) -> Story:
    return Story(pending(stall_after=PATIENCE, **changes)).play("start")


def see(story: Story, seen: Reading, seconds: float = 10.0) -> Health:
    story.now += int(seconds * 1000)
    return story.give(inputs.Look(story.task.attempt, seen)).task.health


noise = st.builds(
    Reading,
    phase=st.just("blocks"),
    position=st.floats(0, 1000),
    target=st.none() | st.floats(2000, 1e9),
    start=st.floats(0, 100),
    drift=st.floats(0, 10),
    behind=st.none() | st.floats(0, 1e6),
    reason=st.sampled_from([None, Reason.NO_PEERS]),
    hints=st.sampled_from([(), (Hint("disk-full"),)]),
    metadata=st.dictionaries(st.sampled_from("ab"), st.integers(), max_size=2),
    memory=st.dictionaries(st.sampled_from("ab"), st.integers(), max_size=2),
)


@given(st.lists(noise, min_size=7, max_size=12))
def test_whatever_else_changes_it_stands(seen: list[Reading]) -> None:
    """Targets that grow, lag, reasons, facts, positions below the highest: all of it is noise."""
    story = started()
    see(story, Reading(phase="blocks", position=1000.0, target=5000.0))
    for each in seen:
        see(story, each)
    assert story.task.health is Health.STALLED


def test_a_growing_target_is_no_movement() -> None:
    """The work stands; only what is left of it grows. The last movement is the first answer."""
    story = started(give_up_after=90.0)
    begun = story.now + 10_000
    for n in range(9):
        see(story, Reading(position=1000.0, target=5000.0 + n))
    assert story.task.live.last_moved == begun
    assert story.task.health is Health.STALLED
    see(story, Reading(position=1000.0, target=6000.0))
    assert story.task.status is Status.ERROR


def test_the_same_work_again_is_no_movement() -> None:
    """200 blocks that come, go and come again bring nothing forward."""
    story = started()
    for n in range(10):
        see(story, Reading(phase="blocks", position=1000.0 + 100 * (n % 3)))
    assert story.task.health is Health.STALLED
    assert see(story, Reading(phase="blocks", position=1201.0)) is Health.OK


def test_labels_that_flip_are_no_movement() -> None:
    """A phase is entered once a pass; the next pass enters it anew."""
    story = started()
    for n in range(9):
        see(story, Reading(phase=("connecting", "negotiating")[n % 2], at_work=False))
    assert str(story.task.health) == "stalled"
    assert see(story, Reading(phase="proof", at_work=False)) is Health.STALLED
    assert see(story, Reading(phase="headers")) is Health.OK
    assert see(story, Reading(phase="connecting", at_work=False, pass_number=2)) is Health.OK


def test_a_step_back_is_no_movement() -> None:
    """It looked done, and is back at its blocks: the plan knows which way is forward."""
    plan = tuple(map(PlannedPhase, ("headers", "blocks", "confirming")))
    story = started()
    see(story, Reading(phase="confirming", plan=plan))
    for _ in range(7):
        see(story, Reading(phase="blocks", plan=plan, position=1.0))
    assert story.task.health is Health.STALLED


def test_another_counter_has_its_own_values() -> None:
    """Staged headers that were lost are counted anew, and coming in again they are movement."""
    story = started()
    see(story, Reading(phase="headers", done=Done("staged", 90_000)))
    for n in range(8):
        see(story, Reading(phase="headers", done=Done("staged 2", 1000.0 * n)))
    assert story.task.health is Health.OK
    assert len(story.task.live.reached) == 2


def test_lost_data_makes_all_of_the_way_new() -> None:
    """In a new epoch what was reached before counts for nothing."""
    story = started()
    see(story, Reading(phase="blocks", position=90_000.0))
    see(story, Reading(phase="blocks", position=10.0, epoch="db-reset"))
    for n in range(8):
        see(story, Reading(phase="blocks", position=20.0 + n))
    assert story.task.health is Health.OK


def test_a_witness_stands_for_a_done() -> None:
    """A phase that counts nothing moves as long as it is seen at work."""
    story = started()
    seen = [see(story, Reading(phase="utxo", at_work=True)) for _ in range(8)]
    assert set(seen) == {Health.OK}
    seen = [see(story, Reading(phase="utxo", at_work=False)) for _ in range(8)]
    assert seen[-1] is Health.STALLED


def test_what_cannot_be_seen_is_not_called_a_standstill() -> None:
    """Neither a done nor a witness: it is ok, says why nobody can tell, and is not given up."""
    story = started(give_up_after=90.0)
    for _ in range(20):
        see(story, Reading(phase="rewriting"))
    assert (story.task.health, story.task.status) == (Health.OK, Status.IN_PROGRESS)
    assert story.task.reason is Reason.MOVEMENT_UNSEEN


def test_a_report_that_says_the_same_again_stands() -> None:
    """A script that reports 50 % for ever is heard, and not believed to move."""
    story = started(type="report")
    for _ in range(8):
        story.now += 10_000
        story.give(inputs.Look(1, Reading(position=50.0, target=100.0), pushed=True))
    assert (story.task.health, story.task.reason) == (Health.STALLED, Reason.NO_MOVEMENT)
    story.now += 10_000
    story.give(inputs.Look(1, Reading(position=51.0, target=100.0), pushed=True))
    assert story.task.health is Health.OK


def test_counters_are_bounded() -> None:
    """However many names come, the newest are kept."""
    story = started()
    for n in range(3 * COUNTERS):
        see(story, Reading(done=Done(f"c{n}", 1.0)), 1.0)
    assert list(story.task.live.reached) == [f"c{n}" for n in range(2 * COUNTERS, 3 * COUNTERS)]


def test_what_would_not_prove_it_yet_completes_nothing() -> None:
    """Looks that lie within what may be a pause are counted, and do not suffice."""
    story = started(confirmations=1)
    for _ in range(3):
        see(story, Reading(complete=True, settled=False), 1.0)
    assert (story.task.status, story.task.confirmed) == (Status.IN_PROGRESS, 3)
    see(story, Reading(complete=True), 1.0)
    assert story.task.status is Status.COMPLETE
