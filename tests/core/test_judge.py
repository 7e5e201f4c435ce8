"""What a look means: health and patience, the live fields, progress, the end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kaspad_taskd.core import inputs
from kaspad_taskd.core.estimate import broken
from kaspad_taskd.core.fact import EventName
from kaspad_taskd.core.model import Detail, Health, Status, Task
from kaspad_taskd.core.observation import Hint, Reading, Refused, Unreachable
from kaspad_taskd.core.reason import EtaReason, Reason
from kaspad_taskd.core.transition import step
from tests.core.play import NOW, Story, pending, reading


def looked(story: Story, **given: Any) -> Task:
    """One more look, ten seconds later, that reads this."""
    story.now += 10_000
    return story.give(inputs.Look(story.task.attempt, Reading(**given))).task


def started(**given: Any) -> Story:
    return Story(pending(**given)).play("start")


def test_first_answer_is_ok_without_a_fact() -> None:
    """From "unknown" to "ok" is what everybody expects."""
    story = started().play("see 1/9")
    assert (story.task.health, story.task.health_since) == (Health.OK, story.now)
    assert story.told == ["start"]


def test_health_fact_bears_its_moment_reason_and_params() -> None:
    """A change of health tells since when, why, and what its sentence needs."""
    story = started().play("see 1/9")
    story.now += 500
    missed = Unreachable(Reason.TIMEOUT, {"seconds": 5.0})
    story.give(inputs.Look(1, missed))
    assert story.facts[-1].name is EventName.HEALTH
    assert story.facts[-1].data == {
        "health": "unreachable", "since": story.now, "reason": "timeout", "params": {"seconds": 5.0}
    }  # fmt: skip


def test_another_reason_for_the_same_health_is_durable_but_no_fact() -> None:
    """Refused, then timed out: still unreachable since then."""
    story = started().play("gone")
    since, told, revision = story.task.health_since, list(story.told), story.task.revision
    story.give(inputs.Look(1, Unreachable(Reason.TIMEOUT)))
    assert (story.task.reason, story.task.health_since) == (Reason.TIMEOUT, since)
    assert (story.told, story.task.revision) == (told, revision + 1)


def test_answering_service_may_have_something_to_say() -> None:
    """A reason beside "ok" is shown, and gone with the next look that has none."""
    story = started()
    assert looked(story, position=1.0, reason=Reason.NO_PEERS).reason is Reason.NO_PEERS
    assert looked(story, position=2.0).reason is None


@pytest.mark.parametrize(
    "moves",
    [
        {"position": 2.0},
        {"at_work": True},
        {"phase": "b"},
        {"epoch": "db-reset"},
        {"complete": True},
    ],
    ids=lambda moves: next(iter(moves)),
)
def test_movement_restarts_patience(moves: dict[str, Any]) -> None:
    """A further position, work seen, a new phase, lost data and a complete look are movement."""
    same: dict[str, Any] = {"position": 1.0, "at_work": False, "phase": "a"}
    story = started(stall_after=25.0, confirmations=9)
    looked(story, **same)
    looked(story, **same)
    looked(story, **{**same, **moves})
    looked(story, **{**same, **moves, "at_work": False, "epoch": None, "complete": False})
    assert story.play("tick").task.health is Health.OK
    assert story.play("tick").task.health is Health.STALLED


def test_stalled_task_shows_no_rate_and_no_time_left() -> None:
    """What stands still has neither, whichever way that was noticed."""
    steps = "; ".join(f"see {10 * n}/1000" for n in range(10))
    for ending in ("see 90/1000", "tick"):
        story = started().play(steps)
        assert story.task.live.rate == pytest.approx(1.0)
        live = story.play(f"+600; {ending}").task.live
        assert story.task.health is Health.STALLED
        assert (live.rate, live.eta, live.eta_reason) == (None, None, EtaReason.STALLED)


def test_tick_does_not_call_the_silent_stalled() -> None:
    """Stalled is what answers and does not move; who does not answer at all is not."""
    unreachable = started().play("see 1/9; gone; +900; tick")
    assert unreachable.task.health is Health.UNREACHABLE
    never = started().play("+900; tick")
    assert never.task.health is Health.UNKNOWN


@pytest.mark.parametrize(
    ("kind", "play"), [("node-sync", "see 1/9; +720; tick"), ("report", "report 1/9; +720; tick")]
)
def test_a_standstills_event_says_for_how_long(kind: str, play: str) -> None:
    """By what was seen, not by what `stall_after` allows."""
    (told,) = [each for each in started(type=kind).play(play).facts if "params" in each.data]
    assert told.data["params"]["seconds"] == 730  # the tick is one too


def test_silent_report_is_stalled_and_speaks_again() -> None:
    """A report is stalled when nothing came for `stall_after`, the first time too."""
    story = started(type="report").play("+600; tick")
    assert story.task.reason is Reason.SILENT_REPORT
    story.play("report 1/9; +600; tick; report 2/9; +300; report 3/9; +300; report 4/9; tick")
    assert story.told[1:] == [
        "health=stalled(silent-report)", "health=ok", "health=stalled(silent-report)", "health=ok"
    ]  # fmt: skip


def test_unreachable_look_leaves_what_was_known() -> None:
    """A miss takes the rate and the time left, and nothing that was learned."""
    story = started()
    known = looked(story, position=1.0, target=9.0, metadata={"a": 1}, memory={"m": 1}, behind=3.0)
    story.now += 10_000
    task = story.give(inputs.Look(1, Unreachable(Reason.BUSY, {"p": 1}, (Hint("h"),)))).task
    assert task.live == replace(
        known.live,
        last_checked=story.now, misses=1, eta_reason=EtaReason.NO_ANSWER, hints=(Hint("h"),),
        params={"p": 1}, window=broken(known.live.window),
    )  # fmt: skip
    assert (task.percent, task.status) == (known.percent, Status.IN_PROGRESS)
    story.give(inputs.Look(1, Unreachable(Reason.BUSY, memory={"m": 2})))
    assert (story.task.live.memory, story.task.live.misses) == ({"m": 2}, 2)


def test_refused_look_is_an_answer() -> None:
    """It ends the misses, says why, and counts."""
    story = started().play("see 1/9; done; gone; refused")
    task = story.task
    assert (task.live.misses, task.live.refusals, task.confirmed) == (0, 1, 0)
    assert task.live.last_update == task.live.last_checked == story.now
    assert task.reason is Reason.WRONG_NETWORK
    assert story.play("see 2/9").task.reason is None


def test_refusal_without_words() -> None:
    """A refusal whose text is no text fails with its reason alone."""
    story = started()
    seen = Refused(Reason.CHECKER_ERROR, {"text": 5})
    story.give(inputs.Look(1, seen, pushed=True))
    assert story.task.failure is not None
    assert story.task.failure.text is None


@pytest.mark.parametrize("gap", ["gone", "refused", "see - a", "attach", "pause; +300; start"])
def test_gap_in_positions_tells_no_rate(gap: str) -> None:
    """Minutes without a position are no minutes of slow movement, whatever moved in them."""
    steps = "; ".join(f"see {10 * n}/1000 a" for n in range(10))
    story = started().play(steps)
    story.play(f"{gap}; +300; see 95/1000 a; see 105/1000 a; see 115/1000 a")
    assert story.task.live.rate == pytest.approx(1.0, rel=0.01)


def test_live_fields_are_the_newest_reading() -> None:
    """What is shown beside the durable fields is what this look read."""
    story = started()
    task = looked(
        story, position=30.0, start=10.0, target=50.0, unit="blocks", basis="exact",
        shown=(1.0, 2.0), behind=7.0, hints=(Hint("h"),), metadata={"a": 1}, params={"p": 1},
        memory={"m": 1},
    )  # fmt: skip
    live = task.live
    assert (live.position, live.target, live.shown, live.behind) == (30.0, 50.0, (1.0, 2.0), 7.0)
    assert live.detail == Detail(20.0, 40.0, "blocks", "exact")
    assert (live.metadata, live.params, live.hints) == ({"a": 1}, {"p": 1}, (Hint("h"),))
    assert (live.memory, live.reached, live.entered) == ({"m": 1}, {"": 30.0}, ("",))
    assert live.last_checked == live.last_update == live.last_moved == story.now
    later = looked(story, position=30.0, start=10.0, target=50.0).live
    assert (later.last_moved, later.last_update) == (live.last_moved, story.now)


def test_complete_look_is_confirming() -> None:
    """While it is being confirmed there is no time left to tell, and not 100 %."""
    task = started().play("see 9/9; done").task
    assert (task.confirmed, task.percent) == (1, 99.9)
    assert task.live.eta_reason is EtaReason.CONFIRMING
    assert task.live.last_moved == NOW + 20_000


def test_progress_of_looks_is_taken_once_a_second() -> None:
    """Between two commits of a second the newest look waits; what matters more does not."""
    story = started().play("see 10/100")

    def soon(seen: Reading) -> Task:
        story.now += 400
        return story.give(inputs.Look(1, seen)).task

    revision = story.task.revision
    early = soon(reading("20/100"))
    assert (early.percent, early.revision, early.live.position) == (10.0, revision, 20.0)
    assert soon(reading("30/100")).percent == 10.0
    assert soon(reading("40/100")).percent == 40.0
    assert soon(reading("50/100", "b")).phase == "b"
    assert soon(replace(reading("60/100", "b"), complete=True)).confirmed == 1


def test_progress_waits_for_no_second_after_a_clock_jump() -> None:
    """A moment before the last one is no reason to wait."""
    story = started().play("see 10/100")
    story.now -= 5_000
    assert story.give(inputs.Look(1, reading("20/100"))).task.percent == 20.0


def test_report_is_always_taken() -> None:
    """What the work itself says is on record at once, however often it speaks."""
    story = started(type="report").play("report 10/100")
    story.now += 1
    assert story.give(inputs.Look(1, reading("20/100"), pushed=True)).task.percent == 20.0


def test_lost_data_begins_an_epoch() -> None:
    """Progress starts over, in the same attempt, and the fact says why."""
    story = started().play("; ".join(f"see {10 * n}/100 a a,b" for n in range(9)))
    story.play("see 70/100 b a,b; see 80/100 b a,b")
    assert story.task.live.window.rates
    story.now += 100
    seen = replace(reading("20/100", "b", "a,b"), epoch="db-reset")
    task = story.give(inputs.Look(1, seen)).task
    assert (task.epoch.number, task.epoch.since, task.epoch.reason) == (2, story.now, "db-reset")
    assert (task.percent, task.phase, task.confirmed, task.attempt) == (60.0, "b", 0, 1)
    assert (task.phases[0].started_at, task.phases[1].progress) == (None, 20.0)
    assert story.facts[-1].data == {"number": 2, "since": story.now, "reason": "db-reset"}
    assert task.live.window.rates == {"a": 1.0}  # as fast as before, for all that is known
    assert len(task.live.window.samples) == 1


def test_epoch_and_end_in_one_look() -> None:
    """Lost data is told before the end that the same look brought."""
    story = started(confirmations=1)
    looked(story, complete=True, epoch="db-reset")
    assert story.told == ["start", "epoch#2", "complete"]


def test_given_up_keeps_the_look() -> None:
    """The look that ends the patience is shown like any other."""
    story = started(give_up_after=60.0).play("see 1/9; +60; see 1/9")
    assert story.task.status is Status.ERROR
    assert story.task.live.last_checked == story.now


def test_duration_of_an_attempt() -> None:
    """It counts from this attempt's start, and is 0 for a task that never ran."""
    story = started().play("fail x; retry; see 1/9; done; done")
    assert story.facts[-1].data["durationMs"] == 30_000
    unstarted = Story().play("complete")
    assert unstarted.facts[-1].data["durationMs"] == 0


def test_step_makes_no_change_in_place() -> None:
    """The task given is the task it was: the tip can be forgotten."""
    story = started().play("see 10/100 a a,b")
    before, text = story.task, repr(story.task)
    step(before, before.definition, inputs.Look(1, reading("20/100", "b", "a,b")), story.now + 1)
    assert repr(before) == text


def test_a_refusal_ends_unreachability() -> None:
    """What says no can be reached: the health is ok, the reason says what is wrong."""
    story = started().play("see 1/9; gone; refused")
    assert story.task.health is Health.OK
    assert story.task.reason is not None
    assert story.task.status is Status.IN_PROGRESS
