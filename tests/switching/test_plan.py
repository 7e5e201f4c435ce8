"""The rules of a switch: from every state, by every way, to one of its ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.core.fact import EventName
from kaspad_taskd.core.switch import (
    BACKWARD,
    FORWARD,
    Side,
    StepKey,
    StepState,
    Switch,
    SwitchReason,
    SwitchState,
    document,
    switch_of,
)
from kaspad_taskd.switching import plan

NOW = 1_795_000_000_000
WHY = SwitchReason.NO_ANSWER
MOVES = ("pass", "fail", "refuse", "cancel")
WAYS = [(Side.LOCAL, Side.PUBLIC), (Side.PUBLIC, Side.LOCAL), (Side.PUBLIC, None)]


def move(switch: Switch, how: str, now: int) -> Switch:
    """One thing that can happen to a switch that has not ended."""
    if how == "pass":
        return plan.passed(switch, now, {"n": 1})
    if how == "cancel":
        if switch.back is not None and plan.cancellable(switch, switch.back):
            return plan.cancelled(switch, now)
        how = "fail"
    return plan.failed(switch, now, WHY, {"n": 2}, touched=how == "fail")


def walk(switch: Switch, depth: int = 0) -> Iterator[tuple[Switch, int]]:
    """Every state that can follow, with the number of moves to it."""
    yield switch, depth
    if not switch.state.ended:
        for how in MOVES:
            yield from walk(move(switch, how, NOW + depth), depth + 1)


STATES = [state for to, back in WAYS for state in walk(plan.begin(1, "kasia", to, back, NOW))]


def test_all_states_are_walked() -> None:
    """Each step, current and failed, and each end comes up."""
    seen = {(step.key, step.state) for switch, _ in STATES for step in switch.steps}
    assert {(key, state) for key in StepKey for state in ("current", "done", "failed")} <= seen
    assert {switch.state for switch, _ in STATES} == set(SwitchState)


def test_every_way_ends() -> None:
    """After four steps and two back at most, whatever happens."""
    assert max(depth for _, depth in STATES) == len(FORWARD) + len(BACKWARD)
    assert all(not switch.state.ended for switch, depth in STATES if depth == 0)


def test_one_step_is_current_until_the_end() -> None:
    """A switch that has not ended is at one step, and one that has is at none."""
    for switch, _ in STATES:
        at = [step for step in switch.steps if step.state is StepState.CURRENT]
        assert len(at) == (0 if switch.state.ended else 1)
        assert (switch.ended_at is None) is not switch.state.ended


def test_an_end_says_where_the_service_is() -> None:
    """Done: all four steps. Undone: nothing touched, or both steps back. Failed: neither."""
    for switch, _ in STATES:
        keys = {step.key: step.state for step in switch.steps}
        went = keys[StepKey.RESTART] is not StepState.NEXT
        back = keys.get(StepKey.UNDO_RESTART) is StepState.DONE
        if switch.state is SwitchState.DONE:
            assert all(keys[key] is StepState.DONE for key in FORWARD)
            assert switch.reason is None
        elif switch.state is SwitchState.UNDONE:
            assert back or not went
        elif switch.state is SwitchState.FAILED:
            assert not back
            assert switch.reason is not None


def test_a_way_back_leads_back() -> None:
    """Whoever has a place to go back to ends there, unless the way back fails as well."""
    for switch, _ in STATES:
        if switch.back is not None and not switch.state.ended:
            tried = plan.failed(switch, NOW, WHY, touched=True)
            while not tried.state.ended:
                tried = plan.passed(tried, NOW)
            wanted = SwitchState.UNDONE if switch.state is SwitchState.RUNNING else None
            assert wanted is None or tried.state is wanted


def test_any_state_can_be_run_again() -> None:
    """What a crash leaves is read back as it was, and its current step leads to an end."""
    for switch, _ in STATES:
        again = switch_of(document(switch))
        assert again == switch
        ends = [after for after, _ in walk(again) if after.state.ended]
        assert ends


def test_an_end_is_final() -> None:
    """Nothing can be done with a switch that has ended."""
    for switch, _ in STATES:
        if switch.state.ended:
            with pytest.raises(ValueError, match="has ended"):
                plan.passed(switch, NOW)
            assert not plan.cancellable(switch, Side.PUBLIC)


def test_each_state_is_told() -> None:
    """Progress until the end, then complete or error; k of n grows along a way."""
    names = {
        SwitchState.DONE: EventName.SWITCH_COMPLETE,
        SwitchState.UNDONE: EventName.SWITCH_ERROR,
        SwitchState.FAILED: EventName.SWITCH_ERROR,
    }
    for switch, _ in STATES:
        assert plan.event(switch) is names.get(switch.state, EventName.SWITCH_PROGRESS)
        k, n = plan.place(switch)
        assert 1 <= k <= n
        assert n == (2 if len(switch.steps) > len(FORWARD) else 4)


def test_what_was_seen_working_is_known() -> None:
    """After a success there, after an undo back there; an undo that failed says no."""
    done = plan.begin(1, "kasia", Side.LOCAL, Side.PUBLIC, NOW)
    for _ in FORWARD:
        done = plan.passed(done, NOW)
    assert plan.proven(done, Side.LOCAL) is True
    assert plan.proven(done, Side.PUBLIC) is None
    begun = plan.passed(plan.begin(1, "k", Side.LOCAL, Side.PUBLIC, NOW), NOW)
    failed = plan.failed(begun, NOW, WHY, touched=True)
    back = plan.passed(plan.passed(failed, NOW), NOW)
    assert plan.proven(back, Side.PUBLIC) is True
    assert plan.proven(plan.failed(failed, NOW, WHY, touched=True), Side.PUBLIC) is False
    untouched = plan.failed(begun, NOW, WHY, touched=False)
    assert plan.proven(untouched, Side.PUBLIC) is None


@given(st.sampled_from([switch for switch, _ in STATES]), st.text(max_size=9))
def test_what_a_later_version_adds_is_ignored(switch: Switch, word: str) -> None:
    """Fields and reasons that this one does not know."""
    told = {**document(switch), "mood": word}
    if switch.reason is not None:
        told["reason"] = f"later-{word}"
    read = switch_of(told)
    assert read.state is switch.state
    assert (read.reason is None) is (switch.reason is None)
