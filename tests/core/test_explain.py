"""What is said of why agrees with what was decided, whatever happens to a task."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaspad_taskd.core.explain import (
    COMPLETE_RULES,
    HEALTH_RULES,
    PERCENT_RULES,
    Explanation,
    explain,
)
from kaspad_taskd.core.inputs import Complete, Look
from kaspad_taskd.core.model import Definition, Health, Status, Task
from kaspad_taskd.core.observation import (
    Condition,
    Done,
    Leg,
    Observation,
    Reading,
    Refused,
    Route,
    Unreachable,
    deciding,
)
from kaspad_taskd.core.reason import EtaReason, Reason
from tests.core.play import Story, definition, pending, reading
from tests.core.test_step_machine import definitions, misses, readings, refusals

HELD, FAILED = Condition("synced", True), Condition("young-block", False, 412.0, 60.0)


def why(story: Story, now: int | None = None) -> Explanation:
    return explain(story.task, story.task.definition, story.now if now is None else now)


def told(text: str, **given: object) -> Explanation:
    return why(Story(pending(**given)).play(text))


def failing(explanation: Explanation) -> list[str]:
    return [each.key for each in explanation.completion.conditions if not each.holds]


sets = st.lists(
    st.builds(Condition, st.sampled_from(["synced", "peers", "clock"]), st.booleans()), max_size=3
).map(tuple)


@settings(max_examples=60, deadline=None)
@given(
    definitions,
    st.lists(
        st.tuples(readings, sets).map(lambda pair: replace(pair[0], conditions=pair[1]))
        | misses
        | refusals,
        max_size=8,
    ),
)
def test_it_agrees_with_what_was_decided(first: Definition, seen: list[Observation]) -> None:
    """Complete exactly where all conditions hold; a percent is the highest that was counted."""
    story = Story(Task(first, 0)).play("start")
    for each in seen:
        before = story.task
        story.now += 10_000
        story.give(Look(before.attempt, each))
        if before.status is not Status.IN_PROGRESS:
            continue
        _agrees(story, before, each)


def _agrees(story: Story, before: Task, seen: Observation) -> None:
    said = why(story)
    assert said.completion.complete == (story.task.status is Status.COMPLETE)
    assert said.completion.rule in COMPLETE_RULES
    assert said.percent.rule in PERCENT_RULES
    assert said.wellness.rule in HEALTH_RULES
    if not isinstance(seen, Reading):
        assert not said.completion.complete
        return
    assert said.read == story.now
    if story.task.definition.type != "report":
        assert said.completion.complete == (not failing(said))
    if said.percent.counted is not None:
        low = 0.0 if seen.epoch else before.percent
        assert said.percent.shown == max(low, said.percent.counted)
    if said.time_left.walk is not None:
        assert said.time_left.seconds == said.time_left.walk.seconds
    if story.task.status is Status.IN_PROGRESS:
        moved = story.task.live.last_moved == story.now
        assert (said.motion.moves is True) == moved


@given(readings, sets)
def test_conditions_that_did_not_decide_are_not_told(
    seen: Reading, found: tuple[Condition, ...]
) -> None:
    """A probe's conditions stand if they hold together as it says; else its word stands alone."""
    seen = replace(seen, conditions=found)
    decided = deciding(seen)
    assert all(each.holds for each in decided) == (seen.complete and seen.settled)
    assert decided == found or decided[0].key == "says-complete"


def test_before_anything_was_read() -> None:
    """Nothing is made up: no conditions, no percent, no time left."""
    said = told("start")
    assert (said.completion.rule, said.completion.conditions) == ("unread", ())
    assert (said.percent.rule, said.percent.counted) == ("unread", None)
    assert said.wellness.rule == "unread"
    assert (said.motion.moves, said.time_left.reason) == (None, EtaReason.NO_ANSWER)
    assert (said.looked, said.answered, said.read, said.step) == (None, None, None, None)
    assert told("").completion.rule == "not-watched"


def test_what_has_to_hold_is_the_probes_and_the_cores() -> None:
    """The probe's conditions in its order, then how often they have to hold."""
    story = Story().play("start")
    found = Reading(complete=False, conditions=(HELD, FAILED))
    said = why(story.give(Look(1, found)))
    assert said.completion.conditions == (HELD, FAILED, Condition("confirmed", False, 0, 2))
    assert said.completion.rule == "conditions"
    story.give(Look(1, replace(found, complete=True, conditions=(HELD,))))
    assert why(story).completion.conditions[-1] == Condition("confirmed", False, 1, 2)


def test_who_ended_it() -> None:
    """Its looks proved it, or somebody said so; more confirmations afterwards change nothing."""
    story = Story().play("start; done; done")
    assert why(story).completion.rule == "proven"
    story.play("redefine confirmations=5")
    assert (why(story).completion.rule, failing(why(story))) == ("proven", [])
    asked = Story().play("start; done; +5").give(Complete())
    assert why(asked).completion.rule == "requested"
    assert told("start; fail no").completion.rule == "failed"


def test_fewer_confirmations_wait_for_the_next_look() -> None:
    """A definition that asks for less ends nothing by itself."""
    said = told("start; done; redefine confirmations=1")
    assert (said.completion.complete, said.completion.rule) == (False, "next-look")


@pytest.mark.parametrize(
    ("gone", "rule"),
    [(Unreachable(Reason.TIMEOUT), "unreachable"), (Refused(Reason.WRONG_NETWORK), "refused")],
)
def test_what_was_read_stays_of_when_it_was_read(gone: Observation, rule: str) -> None:
    """Looks without a good answer say how old the rest is, and that it no longer counts."""
    story = Story().play("start; see 10/100")
    read = story.now
    story.now += 60_000
    story.give(Look(1, gone))
    said = why(story)
    assert (said.completion.rule, said.wellness.rule) == ("no-answer", rule)
    assert (said.read, said.looked, said.wellness.missed) == (read, read + 60_000, 1)
    assert failing(said)[-1] == "confirmed"
    assert (said.time_left.walk, said.motion.moves) == (None, None)


@pytest.mark.parametrize(
    ("text", "rule", "counted", "held"),
    [
        ("see 10/100", "counted", 10.0, False),
        ("see 50/100; see 10/100", "counted", 10.0, True),
        ("see 10", "unknown", 0.0, False),
        ("see 10/100 b a,b", "weights", 55.0, False),
        ("see 10/100 b a,b; see 10/100 c a,b", "off-the-way", None, False),
        ("done; done", "complete", None, False),
    ],
)
def test_why_this_percent(text: str, rule: str, counted: float | None, held: bool) -> None:
    """By count, by the weights of the phases, or because more was shown before."""
    said = told(f"start; {text}").percent
    assert (said.rule, said.counted, said.held) == (rule, counted, held)


def test_a_share_that_is_told_as_such() -> None:
    """It is used in the place of the count, which is still shown."""
    seen = Reading(position=10.0, target=100.0, floor=0.5)
    said = why(Story().play("start").give(Look(1, seen))).percent
    assert (said.rule, said.share, said.shown) == ("told", 0.5, 50.0)
    assert said.detail is not None
    assert said.detail.done == 10.0


def test_which_step() -> None:
    """The current phase by its place, or the phase alone where it is none of the way."""
    step = told("start; see 1/9 b a,b,c").step
    assert step is not None
    assert (step.key, step.number, step.of, step.pass_number) == ("b", 2, 3, 1)
    alone = told("start; see 1/9 b").step
    assert alone is not None
    assert (alone.number, alone.of) == (0, 0)


def test_whether_it_moves() -> None:
    """The newest reading decides; patience is counted from the last movement."""
    story = Story(pending(stall_after=25.0)).play("start; see 10/100")
    moved = story.now
    assert why(story).motion.moves is True
    said = why(story.play("see 10/100"))
    assert (said.motion.moves, said.motion.at, said.motion.waited) == (False, moved, 10.0)
    assert said.motion.reached == {"": 10.0}
    story.play("see 10/100; see 10/100")
    assert why(story).wellness.rule == Health.STALLED.value
    assert why(story.play("pause")).motion.waited is None


def test_movement_that_nothing_shows() -> None:
    """Neither a count nor a witness: it is not said that it stands still."""
    assert told("start; see -; see -").motion.moves is None


def test_the_furthest_is_told_by_counter() -> None:
    """The newest counter last."""
    story = Story().play("start")
    for name, value in (("blocks", 5.0), ("headers", 7.0), ("blocks", 9.0)):
        story.give(Look(1, Reading(done=Done(name, value))))
    assert list(why(story).motion.reached.items()) == [("headers", 7.0), ("blocks", 9.0)]


def test_how_the_time_left_was_reckoned() -> None:
    """This pass at its rate, then what grows meanwhile at the pace of all that it goes through."""
    route = Route((Leg("b", 600.0),), 40.0, ("b",), {"b": 20.0}, pause=4.0)
    seen = Reading(phase="b", drift=10.0, route=route)
    said = why(Story().play("start").give(Look(1, seen))).time_left
    assert said.walk is not None
    (leg,) = said.walk.legs
    assert (leg.phase, leg.amount, leg.rate) == ("b", 600.0, 20.0)
    assert (said.walk.grown, said.walk.pace, said.walk.drift) == (340.0, 20.0, 10.0)
    assert said.seconds == 30.0 + 34.0 + 4.0


def test_why_there_is_no_time_left() -> None:
    """Of a rate that is not known yet: how many movements there are, of how many."""
    said = told("start; see 1/9; see 2/9; see 5/9").time_left
    assert (said.seconds, said.reason, said.walk) == (None, EtaReason.WARMING_UP, None)
    assert (said.samples, said.moving) == (3, 20.0)
    assert (said.samples_needed, said.moving_needed) == (6, 45.0)


def test_a_report_needs_no_confirmation() -> None:
    """Who reports is believed at once."""
    task = Task(definition(type="report"), 0)
    story = Story(task).play("start").give(Look(1, reading("10/100"), pushed=True))
    assert failing(why(story)) == ["says-complete"]
    story.give(Look(1, Reading(complete=True), pushed=True))
    assert (why(story).completion.rule, failing(why(story))) == ("proven", [])
