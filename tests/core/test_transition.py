"""The lifecycle, told in the language of `play`."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from kaspad_taskd.core import inputs
from kaspad_taskd.core.change import NotAllowed
from kaspad_taskd.core.model import LIVE, TERMINAL, Epoch, Failure, Health, Status, Task
from kaspad_taskd.core.observation import Reading, Unreachable
from kaspad_taskd.core.reason import EtaReason, Reason
from kaspad_taskd.core.transition import TABLE, Action, offered, step
from tests.core.play import NOW, Story, definition, durable, pending, reloaded

GONE, BACK = "health=unreachable(refused)", "health=ok"
ANSWERS = "health=ok(wrong-network)"
STALLED = "health=stalled(no-movement)"
HELD = f"start {GONE} {BACK} {STALLED}"  # time without answers does not count

SEQUENCES = {
    # the way to the end
    "start; see 10/100; gone; see 11/100; done; done": f"start {GONE} {BACK} complete",
    "start; done; see 99/100; done": "start",
    "start; done; gone; done": f"start {GONE} {BACK}",
    "start; done; refused; done": "start",
    "start; done; lost 0/100; done": "start epoch#2",
    "start; done; pause; start; done": "start paused resumed",
    "start; done; see 99/100; done; done": "start complete",
    "start; done; attach; done": "start complete",
    "start; report 50/100; done pushed": "start complete",
    "complete": "complete",
    "start; complete; complete": "start complete !",
    "start; pause; complete": "start paused complete",
    # actions, and their limits
    "start; start": "start !",
    "pause; cancel; cancel; start; pause": "! cancelled ! ! !",
    "start; see 10/100; pause; pause; see 20/100; start; see 30/100": "start paused ! resumed",
    "start; cancel; retry; done; done": "start cancelled start#2 complete",
    "start; done; done; retry; cancel; retry": "start complete start#2 cancelled start#3",
    "retry; start; retry": "! start !",
    "start; fail it broke; retry": "start error(by-request) start#2",
    "fail never begun": "error(by-request)",
    # refusals
    "start; refused; refused; +40; refused": "start error(wrong-network)",
    "start; refused; refused; +30; refused": "start",
    "start; refused; +90; refused": "start",
    "start; see 1/9; refused; refused; +270; refused": "start",
    "start; see 1/9; refused; refused; +280; refused": "start error(wrong-network)",
    "start; refused; +90; gone; refused; refused; refused": f"start {GONE} {ANSWERS}",
    "start; refused; refused; see 1/2; refused; refused": "start",
    "start; refused; refused; gone; refused; refused": f"start {GONE} {ANSWERS}",
    "start; refused; refused; pause; start; refused; refused": "start paused resumed",
    "start; refused pushed": "start error(wrong-network)",
    # health
    "start; gone; gone; gone": f"start {GONE}",
    "start; see 1/9; +600; see 1/9; see 1/9; see 2/9": f"start {STALLED} {BACK}",
    "start; see 1/9; +600; tick; see 2/9": f"start {STALLED} {BACK}",
    "start; see 1/9; +600; tick; tick": f"start {STALLED}",
    "start; see 1/9; +600; see 1/9; gone; see 1/9": f"start {STALLED} {GONE} {STALLED}",
    "start; see 1/9; +400; see 1/9; gone; +300; see 1/9; +160; see 1/9": f"start {GONE} {BACK}",
    "start; see 1/9; +400; see 1/9; gone; +300; see 1/9; +190; see 1/9": HELD,
    "start; see 1/9; +600; see 1/9; gone; +600; see 1/9": f"start {STALLED} {GONE} {BACK}",
    "start; see 1/9; +600; attach; see 1/9": "start",
    "start; see 1/9; +600; jump; see 1/9": "start",
    "start; see 1/9; +600; see 1/9; attach; see 1/9": f"start {STALLED}",
    "start; see 1/9; +600; pause; start; see 1/9": "start paused resumed",
    # data lost
    "start; see 50/100; lost 1/100; lost 0/100": "start epoch#2 epoch#3",
    # definitions
    "redefine interval=1; start; redefine interval=2": "task:changed start task:changed",
    "start; redefine checker=x; done; done": "start task:changed start#2 complete",
    "start; see 9/9; redefine checker=x; late 9/9": "start task:changed start#2",
    "start; pause; redefine checker=x; start": "start paused task:changed start#2",
    "start; cancel; redefine checker=x; retry": "start cancelled task:changed start#2",
    "redefine checker=x; start": "task:changed start",
    # what changes nothing
    "see 1/2; gone; refused; tick; attach": "",
    "start; late 1/2": "start",
    "await b,c; start": "start",
}


@pytest.mark.parametrize(("text", "facts"), SEQUENCES.items(), ids=SEQUENCES)
def test_sequence(text: str, facts: str) -> None:
    """What happens to a task makes these facts, and no others."""
    assert " ".join(Story().play(text).told) == facts


GIVING_UP = {
    "start; see 1/9; +50; see 1/9": "start error(gave-up)",
    "start; see 1/9; +50; gone": "start error(gave-up)",
    "start; see 1/9; gone; +50; tick": f"start {GONE} error(gave-up)",
    "start; +60; tick": "start error(gave-up)",
    "start; see 1/9; +40; see 2/9; +40; see 3/9": "start",
    "start; see 1/9; +50; attach; see 1/9": "start",
    "start; see 1/9; +50; attach; gone; tick": f"start {GONE}",
    "start; see 1/9; +50; done; tick": "start",
    "start; see 1/9; pause; +90; start; see 1/9": "start paused resumed",
}


@pytest.mark.parametrize(("text", "facts"), GIVING_UP.items(), ids=GIVING_UP)
def test_give_up_after(text: str, facts: str) -> None:
    """Only a task told to give up does, after that long without movement while watched."""
    story = Story(pending(give_up_after=60.0)).play(text)
    assert " ".join(story.told) == facts


def in_status(status: Status) -> Task:
    text = {
        Status.PENDING: "await b",
        Status.IN_PROGRESS: "start; see 50/100; refused",
        Status.PAUSED: "start; see 50/100; pause",
        Status.COMPLETE: "start; see 50/100; complete",
        Status.ERROR: "start; see 50/100; fail x",
        Status.CANCELLED: "start; see 50/100; cancel",
    }[status]
    task = Story().play(text).task
    assert task.status is status
    return task


ACTIONS: dict[Action, inputs.Input] = {
    Action.START: inputs.Start(),
    Action.PAUSE: inputs.Pause(),
    Action.CANCEL: inputs.Cancel(),
    Action.COMPLETE: inputs.Complete(),
    Action.FAIL: inputs.Fail("x"),
    Action.RETRY: inputs.Retry(),
}


@pytest.mark.parametrize(("status", "action"), list(itertools.product(Status, ACTIONS)))
def test_table_is_the_law(status: Status, action: Action) -> None:
    """An action leads where the table says; what it does not list is refused by name."""
    task = in_status(status)
    target = TABLE.get((status, action))
    if target is None:
        with pytest.raises(NotAllowed, match=f"{action} is not possible in status {status}") as no:
            step(task, task.definition, ACTIONS[action], NOW)
        assert (no.value.status, no.value.action) == (status, action)
    else:
        assert step(task, task.definition, ACTIONS[action], NOW)[0].status is target


def test_table_lists_every_way_out_of_progress() -> None:
    """Looks end a task by exactly the two rows that are nobody's action."""
    rows = {row for row in TABLE if row[1] not in ACTIONS}
    assert rows == {(Status.IN_PROGRESS, Action.CONFIRM), (Status.IN_PROGRESS, Action.GIVE_UP)}
    confirmed = Story().play("start; done; done").task.status
    assert confirmed is TABLE[Status.IN_PROGRESS, Action.CONFIRM]
    gave_up = Story().play("start; refused; refused; +40; refused").task.status
    assert gave_up is TABLE[Status.IN_PROGRESS, Action.GIVE_UP]


def test_live_and_terminal_statuses_part_the_table() -> None:
    """A live task can be ended, an ended one only begun again."""
    for status in LIVE:
        assert {Action.COMPLETE, Action.FAIL, Action.CANCEL} <= {a for s, a in TABLE if s is status}
    for status in TERMINAL:
        assert {a for s, a in TABLE if s is status} == {Action.RETRY}


@pytest.mark.parametrize("status", Status)
def test_offered_actions_are_allowed(status: Status) -> None:
    """Buttons are shown for what will not be refused, and for all of it."""
    task = in_status(status)
    allowed = []
    for action in (Action.START, Action.PAUSE, Action.CANCEL, Action.RETRY):
        try:
            step(task, task.definition, ACTIONS[action], NOW)
        except NotAllowed:
            continue
        allowed.append(action.value)
    assert offered(status) == allowed


def test_unknown_input_is_a_crash() -> None:
    """What is no input is a programmer's error, not a refusal."""
    with pytest.raises(AssertionError, match="no such input"):
        step(pending(), definition(), object(), NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.IN_PROGRESS}))
def test_look_at_a_task_not_in_progress_is_dropped(status: Status) -> None:
    """A late answer changes nothing at all."""
    task = in_status(status)
    for seen in (Reading(complete=True), Unreachable(Reason.TIMEOUT)):
        assert step(task, task.definition, inputs.Look(task.attempt, seen), NOW) == (task, [])


def test_look_of_another_attempt_is_dropped() -> None:
    """An answer to the attempt before is none to this one."""
    task = Story().play("start; cancel; retry").task
    for attempt in (task.attempt - 1, task.attempt + 1):
        look = inputs.Look(attempt, Reading(complete=True))
        assert step(task, task.definition, look, NOW) == (task, [])


def test_every_attempt_starts_blank() -> None:
    """A retry knows nothing of the attempt before, but keeps the task's age and place."""
    ended = Story().play("start; see 50/100 b a,b; lost 9/100; fail x")
    task = ended.play("retry").task
    fresh = Task(task.definition, NOW, status=Status.IN_PROGRESS, attempt=2)
    fresh = replace(
        fresh, revision=task.revision, started_at=ended.now, health_since=ended.now, live=task.live
    )
    assert task == fresh
    assert task.live.position is None
    assert task.live.memory == {}
    assert task.epoch == Epoch()


def test_pause_keeps_what_was_reached() -> None:
    """A paused task stays where it was, and says that nobody looks."""
    story = Story().play("start; see 10/100; done; pause")
    task = story.task
    assert (task.percent, task.confirmed, task.health) == (10.0, 0, Health.UNKNOWN)
    assert (task.live.eta, task.live.eta_reason) == (None, EtaReason.NOT_RUNNING)
    assert story.play("start").task.started_at == NOW + 10_000


def test_other_work_of_a_paused_task_waits_for_its_start() -> None:
    """The next attempt of a redefined paused task is blank, paused, and begins when started."""
    story = Story().play("start; see 50/100; pause; redefine checker=x")
    task = story.task
    assert (task.status, task.attempt, task.percent) == (Status.PAUSED, 2, 0.0)
    assert task.started_at is None
    assert task.live.eta_reason is EtaReason.NOT_RUNNING
    assert story.play("start").task.started_at == story.now


def test_same_definition_changes_nothing() -> None:
    """A reload of an unchanged file is no event."""
    task = in_status(Status.IN_PROGRESS)
    assert step(task, task.definition, inputs.Redefine(task.definition), NOW) == (task, [])


def test_patience_of_a_new_definition_applies_at_once() -> None:
    """A shorter `stall_after` counts from the last movement, not from the reload."""
    story = Story().play("start; see 1/9; redefine stall_after=25; tick; tick")
    assert story.told[-1] == "health=stalled(no-movement)"


def test_await_is_on_record_while_pending() -> None:
    """What a task waits for is shown, until it starts."""
    story = Story().play("await b,c")
    assert story.task.waiting_for == ("b", "c")
    assert story.play("await").task.waiting_for == ()
    for ending in ("start", "cancel", "fail x", "complete"):
        assert Story().play(f"await b; {ending}").task.waiting_for == ()
    started = Story().play("start").task
    assert step(started, started.definition, inputs.Await(("b",)), NOW) == (started, [])


def test_attach_changes_nothing_durable() -> None:
    """A restart is not to be seen in a task, but that its patience begins anew."""
    for status in Status:
        task = in_status(status)
        after, facts = step(task, task.definition, inputs.Attach(), NOW + 999_000)
        assert facts == []
        assert (durable(after), after.revision) == (durable(task), task.revision)
    running = Story().play("start; see 1/9; gone; gone").task
    live = step(running, running.definition, inputs.Attach(), NOW + 999_000)[0].live
    assert live.patient_since == live.persistent_since == NOW + 999_000
    assert (live.misses, live.progressed_at) == (0, None)


def test_completion_by_word_keeps_metadata() -> None:
    """What was known stays, what the word brings is added."""
    task = replace(in_status(Status.IN_PROGRESS))
    task = replace(task, live=replace(task.live, metadata={"a": 1, "b": 1}))
    after, facts = step(task, task.definition, inputs.Complete({"b": 2}), NOW + 60_000)
    assert after.live.metadata == {"a": 1, "b": 2}
    assert (after.live.eta, after.percent, after.ended_at) == (0.0, 100.0, NOW + 60_000)
    assert facts[0].data == {
        "status": "complete", "progress": 100, "completedAt": NOW + 60_000, "durationMs": 50_000,
    }  # fmt: skip


def test_cancel_is_told_with_its_moment() -> None:
    """The cancelled task and its fact bear the same moment."""
    story = Story().play("start; see 10/100; cancel")
    assert story.facts[-1].data == {"cancelledAt": story.now}
    assert (story.task.ended_at, story.task.percent) == (story.now, 10.0)


def test_failure_by_word_and_by_refusal() -> None:
    """A failure says who said so, and keeps the place reached."""
    story = Story().play("start; see 10/100; done; fail it broke")
    assert story.task.failure == Failure(Reason.BY_REQUEST, text="it broke")
    assert (story.task.percent, story.task.confirmed) == (10.0, 0)
    refused = Story().play("start; refused; refused; +40; refused").task
    params = {"network": "testnet-10", "text": "no"}
    assert refused.failure == Failure(Reason.WRONG_NETWORK, params, "no")
    gave_up = Story(pending(give_up_after=60.0)).play("start; +60; tick").task
    assert gave_up.failure == Failure(Reason.GAVE_UP, {"seconds": 60.0})


SCENARIOS = (
    "start; see 10/100; see 11/100; see 12/100; gone; see 11/100; done; done",
    "await b; start; see 1/9 a a,b; see 5/9 a a,b; see 1/9 b a,b; lost 0/9; pause; start; fail x",
    "start; see 1/9; refused; refused; see 2/9; fail x; retry; see 5/9; redefine checker=x; cancel",
    "start; gone; gone; see 1/9; report 3/9; report 4/9; done pushed",
    "start; pause; redefine checker=x; start; refused; refused; +290; refused; retry; complete",
)


@pytest.mark.parametrize("text", SCENARIOS)
def test_restart_at_every_point_ends_the_same(text: str) -> None:
    """Killed and started again after any step, a task tells the same story to the same end."""
    whole = Story().play(text)
    commands = text.split("; ")
    for count in range(len(commands) + 1):
        story = Story().play("; ".join(commands[:count]))
        assert reloaded(story.task) == story.task
        story.task = reloaded(story.task)
        story.give(inputs.Attach()).play("; ".join(commands[count:]))
        assert story.told == whole.told
        assert durable(story.task) == durable(whole.task)
