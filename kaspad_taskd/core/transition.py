"""The lifecycle: every transition that there is, and `step`, which makes them.

`docs/architecture.md` shows the diagram made from TABLE (`python -m kaspad_taskd.core.diagram`).
"""

from __future__ import annotations

from enum import StrEnum

from kaspad_taskd.base.frozen import replace
from kaspad_taskd.core import inputs, watching
from kaspad_taskd.core.change import (
    NotAllowed,
    anew,
    at_rest,
    begun,
    changed,
    fact,
    patient,
    unwatched,
)
from kaspad_taskd.core.estimate import broken, emptied
from kaspad_taskd.core.fact import EventName, Fact
from kaspad_taskd.core.judge import fail, finish, judge, lose_patience, other_patience
from kaspad_taskd.core.model import (
    LIVE,
    Definition,
    Failure,
    Moment,
    Origin,
    Status,
    Task,
    Watch,
)
from kaspad_taskd.core.reason import EtaReason, Reason


class Action(StrEnum):
    """What moves a task through its lifecycle."""

    START = "start"
    PAUSE = "pause"
    CANCEL = "cancel"
    COMPLETE = "complete"
    FAIL = "fail"
    RETRY = "retry"
    CONFIRM = "confirm"  # enough complete looks in a row
    GIVE_UP = "give-up"  # refused looks in a row, or no movement for give_up_after


TABLE: dict[tuple[Status, Action], Status] = {
    (Status.PENDING, Action.START): Status.IN_PROGRESS,
    (Status.PAUSED, Action.START): Status.IN_PROGRESS,
    (Status.IN_PROGRESS, Action.PAUSE): Status.PAUSED,
    (Status.IN_PROGRESS, Action.CONFIRM): Status.COMPLETE,
    (Status.IN_PROGRESS, Action.GIVE_UP): Status.ERROR,
    (Status.PENDING, Action.COMPLETE): Status.COMPLETE,
    (Status.IN_PROGRESS, Action.COMPLETE): Status.COMPLETE,
    (Status.PAUSED, Action.COMPLETE): Status.COMPLETE,
    (Status.PENDING, Action.FAIL): Status.ERROR,
    (Status.IN_PROGRESS, Action.FAIL): Status.ERROR,
    (Status.PAUSED, Action.FAIL): Status.ERROR,
    (Status.PENDING, Action.CANCEL): Status.CANCELLED,
    (Status.IN_PROGRESS, Action.CANCEL): Status.CANCELLED,
    (Status.PAUSED, Action.CANCEL): Status.CANCELLED,
    (Status.COMPLETE, Action.RETRY): Status.IN_PROGRESS,
    (Status.ERROR, Action.RETRY): Status.IN_PROGRESS,
    (Status.CANCELLED, Action.RETRY): Status.IN_PROGRESS,
}
"""Where each action leads; what is not here is not allowed."""

PEOPLE = (Action.START, Action.PAUSE, Action.CANCEL, Action.RETRY)
"""The actions that people are offered."""

Outcome = tuple[Task, list[Fact]]


WATCH: dict[tuple[Watch, Action], Watch] = {
    (Watch.ON, Action.PAUSE): Watch.PAUSED,
    (Watch.PAUSED, Action.START): Watch.ON,
}
"""Where each action leads the watch over a complete task, whose status stays."""


def offered(status: Status, watch: Watch = Watch.NONE) -> list[str]:
    """The actions that people can take in this status."""
    return [
        action.value for action in PEOPLE if (status, action) in TABLE or (watch, action) in WATCH
    ]


def step(task: Task, definition: Definition, given: inputs.Input, now: Moment) -> Outcome:
    """Return the task after an input, and the facts that this made.

    Total: any input in any state returns, or raises NotAllowed, and then nothing changed. The
    revision grows by one exactly when a durable field changed.

    Raises:
        NotAllowed: the task's status has no room for the action.
    """
    new, facts = _step(task, definition, given, now)
    if new.revision > task.revision + 1:
        new = replace(new, revision=task.revision + 1)
    return new, facts


def _step(task: Task, definition: Definition, given: inputs.Input, now: Moment) -> Outcome:
    match given:
        case inputs.Look():
            if not task.watched or given.attempt != task.attempt:
                return task, []
            if task.watch is Watch.ON:
                return watching.look(task, definition, given, now)
            return judge(task, definition, given, now)
        case inputs.Tick():
            if task.status is not Status.IN_PROGRESS:
                return task, []
            return lose_patience(task, definition, now)
        case inputs.Attach():
            return _attach(task, given.jumped, now), []
        case inputs.Redefine():
            return _redefine(task, given, now)
        case inputs.Await():
            return _await(task, given.ids), []
        case _:
            return _act(task, given, now)


def _act(task: Task, given: inputs.Input, now: Moment) -> Outcome:
    match given:
        case inputs.Start() if task.watch is Watch.PAUSED:
            return watching.resume(task, now)
        case inputs.Pause() if task.watch is Watch.ON:
            return watching.pause(task, now)
        case inputs.Start():
            _allow(task, Action.START)
            return _start(task, now)
        case inputs.Pause():
            _allow(task, Action.PAUSE)
            new = unwatched(task, Status.PAUSED, at_rest(task.live), now, confirmed=0)
            return new, [fact(new, EventName.PAUSED, now)]
        case inputs.Cancel():
            _allow(task, Action.CANCEL)
            live = at_rest(task.live)
            new = unwatched(task, Status.CANCELLED, live, now, ended_at=now, confirmed=0)
            return new, [fact(new, EventName.CANCELLED, now, cancelledAt=now)]
        case inputs.Complete():
            _allow(task, Action.COMPLETE)
            metadata = {**task.live.metadata, **given.metadata}
            return finish(task, replace(task.live, metadata=metadata), now, proven=False)
        case inputs.Fail():
            _allow(task, Action.FAIL)
            return fail(task, Failure(Reason.BY_REQUEST, text=given.text), now)
        case inputs.Retry():
            _allow(task, Action.RETRY)
            return _begin(task, task.attempt + 1, now)
    raise AssertionError(f"no such input: {given!r}")


def _allow(task: Task, action: Action) -> None:
    if (task.status, action) not in TABLE:
        raise NotAllowed(task.status, action)


def _start(task: Task, now: Moment) -> Outcome:
    if task.started_at is None:  # pending, or redefined while paused
        return _begin(task, task.attempt, now)
    live = patient(replace(task.live, eta_reason=EtaReason.NO_ANSWER), now)
    new = changed(task, live, status=Status.IN_PROGRESS)
    return new, [fact(new, EventName.RESUMED, now)]


def _begin(task: Task, attempt: int, now: Moment) -> Outcome:
    new = anew(task, now, Status.IN_PROGRESS, attempt)
    return new, [begun(new, now)]


def _attach(task: Task, jumped: bool, now: Moment) -> Task:
    if jumped:
        task = watching.jumped(task, now)
    if task.watch is Watch.ON:
        return watching.attach(task, now)
    if task.status is not Status.IN_PROGRESS:
        return task
    window = emptied(task.live.window) if jumped else broken(task.live.window)
    live = patient(task.live, now, window=window, misses=0, progressed_at=None)
    return replace(task, live=live)


def _await(task: Task, ids: tuple[str, ...]) -> Task:
    if task.status is not Status.PENDING:
        return task
    return changed(task, task.live, waiting_for=ids)


def _redefine(task: Task, given: inputs.Redefine, now: Moment) -> Outcome:
    old, definition = task.definition, given.definition
    if definition == old and not (given.watch and _may_begin_watch(task, definition)):
        return task, []
    new = changed(task, task.live, definition=definition)
    facts = [fact(new, EventName.TASK_CHANGED, now)]
    if task.status is Status.COMPLETE:
        kept, more = _keep(new, old, now, asked=given.watch)
        return kept, facts + more
    if definition.same_work(old) or task.status not in LIVE or task.status is Status.PENDING:
        new, more = other_patience(new, old, definition, now)
        return new, facts + more
    if task.status is Status.IN_PROGRESS:
        new, more = _begin(new, task.attempt + 1, now)
        return new, facts + more
    return anew(new, now, task.status, task.attempt + 1), facts


def _may_begin_watch(task: Task, definition: Definition) -> bool:
    """Whether the task is complete and nobody looks at it, though its definition says so."""
    idle = task.status is Status.COMPLETE and task.watch is Watch.NONE
    return idle and definition.keep_watching


def _keep(task: Task, old: Definition, now: Moment, *, asked: bool) -> Outcome:
    """The complete task, on watch as its new definition says.

    One over which there is none gets it where that is what changed, or is asked for (`asked`), or
    a file takes it over.
    """
    definition = task.definition
    if not definition.keep_watching:
        return (task, []) if task.watch is Watch.NONE else watching.end(task, now)
    if task.watch is Watch.NONE:
        taken_over = old.origin is Origin.API and definition.origin is not Origin.API
        wanted = asked or taken_over or not old.keep_watching
        return (watching.begin(task, now) if wanted else task), []
    if definition.same_work(old):
        return watching.other_patience(task, old, definition, now)
    return watching.afresh(task, now)
