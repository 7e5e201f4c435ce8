"""The rules of a switch, pure: what the record is after each step, whichever way it went.

check -> endpoint -> restart -> verify -> done. What fails before anything was touched ends at once:
the service runs as before. What fails later is undone: undo-endpoint -> undo-restart. `endpoint`
and `restart` are one act of root's helper, seen as two.

Every state can be run again from its current step, in a new process too: a check asks again, the
helper writes the same file again, a verification begins anew. So a crash is no state of its own.
"""

from __future__ import annotations

from dataclasses import replace

from kaspad_taskd.core.fact import EventName
from kaspad_taskd.core.model import Moment
from kaspad_taskd.core.switch import (
    BACKWARD,
    FORWARD,
    Facts,
    Side,
    StepKey,
    StepState,
    Switch,
    SwitchReason,
    SwitchState,
    SwitchStep,
)

SETTLED = "settled"
"""A fact of a verification: for how long, in s, the service had been good when it ended."""


def begin(
    number: int,
    service: str,
    to: Side,
    back: Side | None,
    now: Moment,
    *,
    task_id: str | None = None,
    cause: int | None = None,
    by: str | None = None,
    because: Facts | None = None,
) -> Switch:
    """Return a switch at its first step; without `by`, one with a `cause` is a node-sync's."""
    by = by or ("user" if cause is None else "node-sync")
    switch = Switch(number, service, to, back, now, by, task_id, cause, because=because or {})
    return _enter(replace(switch, steps=tuple(map(SwitchStep, FORWARD))), now)


def passed(switch: Switch, now: Moment, facts: Facts | None = None) -> Switch:
    """Return the switch after its current step has succeeded."""
    switch = _measured(switch, now, facts or {})
    switch = _leave(switch, now, StepState.DONE, None, facts or {})
    if any(each.state is StepState.NEXT for each in _way(switch)):
        return _enter(switch, now)
    undoing = switch.state is SwitchState.UNDOING
    return _end(switch, now, SwitchState.UNDONE if undoing else SwitchState.DONE)


def failed(
    switch: Switch, now: Moment, reason: SwitchReason, facts: Facts | None = None, *, touched: bool
) -> Switch:
    """Return the switch after its current step has failed.

    Args:
        switch: which one.
        now: the moment.
        reason: why.
        facts: for the reason's sentence.
        touched: whether writing the endpoint may have changed something. A check never does, a
            restart and a verification come after what did.
    """
    facts = facts or {}
    key = switch.current and switch.current.key
    switch = _leave(switch, now, StepState.FAILED, reason, facts)
    if switch.state is SwitchState.UNDOING:
        return _end(switch, now, SwitchState.FAILED)
    switch = replace(switch, reason=reason, facts=facts)
    if key is StepKey.CHECK or (key is StepKey.ENDPOINT and not touched):
        return _end(switch, now, SwitchState.UNDONE)
    if switch.back is None:
        return _end(switch, now, SwitchState.FAILED)
    steps = (*switch.steps, *map(SwitchStep, BACKWARD))
    return _enter(replace(switch, state=SwitchState.UNDOING, steps=steps), now)


def cancellable(switch: Switch, to: Side) -> bool:
    """Whether asking for `to` ends this switch by undoing it."""
    return switch.state is SwitchState.RUNNING and switch.back is to


def cancelled(switch: Switch, now: Moment) -> Switch:
    """Return a running switch on its way back, or ended where nothing was touched yet."""
    return failed(switch, now, SwitchReason.CANCELLED, touched=True)


def event(switch: Switch) -> EventName:
    """The event that tells this state."""
    if not switch.state.ended:
        return EventName.SWITCH_PROGRESS
    done = switch.state is SwitchState.DONE
    return EventName.SWITCH_COMPLETE if done else EventName.SWITCH_ERROR


def place(switch: Switch) -> tuple[int, int]:
    """Where it is: step k of n, of the way forward, or of the way back once that has begun."""
    way = _way(switch)
    begun = sum(each.state is not StepState.NEXT for each in way)
    return max(begun, 1), len(way)


def proven(switch: Switch, points: Side) -> bool | None:
    """Whether the service was seen working on the side it points to; None: nobody looked."""
    if switch.state is SwitchState.DONE and switch.to is points:
        return True
    if switch.state is SwitchState.FAILED:
        return False
    undone = switch.state is SwitchState.UNDONE and len(switch.steps) > len(FORWARD)
    return True if undone and switch.back is points else None


def _measured(switch: Switch, now: Moment, facts: Facts) -> Switch:
    """The switch with how long its service was away, where its current step has seen it work."""
    if switch.current is None or switch.current.key not in (StepKey.VERIFY, StepKey.UNDO_RESTART):
        return switch
    begun = [
        step.started_at
        for step in switch.steps
        if step.key in (StepKey.RESTART, StepKey.UNDO_RESTART) and step.started_at is not None
    ]
    settled = facts.get(SETTLED, 0.0)
    good = now - round(float(settled) * 1000) if isinstance(settled, int | float) else now
    return replace(switch, away=max(0, good - min(begun, default=now)))


def _way(switch: Switch) -> tuple[SwitchStep, ...]:
    return switch.steps[len(FORWARD) :] or switch.steps


def _enter(switch: Switch, now: Moment) -> Switch:
    """The first step of its way that has not begun becomes the current one."""
    following = next(each for each in _way(switch) if each.state is StepState.NEXT)
    return _put(switch, replace(following, state=StepState.CURRENT, started_at=now))


def _leave(
    switch: Switch, now: Moment, state: StepState, reason: SwitchReason | None, facts: Facts
) -> Switch:
    step = switch.current
    if step is None:
        raise ValueError(f"switch {switch.id} has ended: {switch.state}")
    return _put(switch, replace(step, state=state, ended_at=now, reason=reason, facts=facts))


def _put(switch: Switch, step: SwitchStep) -> Switch:
    steps = tuple([step if each.key is step.key else each for each in switch.steps])
    return replace(switch, steps=steps)


def _end(switch: Switch, now: Moment, state: SwitchState) -> Switch:
    return replace(switch, state=state, ended_at=now)
