"""How a task becomes another: the one place where a durable field changes and revision grows."""

from __future__ import annotations

from typing import Any

from kaspad_taskd.base.frozen import replace
from kaspad_taskd.core.estimate import broken
from kaspad_taskd.core.fact import EventName, Fact
from kaspad_taskd.core.model import Epoch, Health, Live, Moment, Status, Task, Watch
from kaspad_taskd.core.reason import EtaReason


class NotAllowed(Exception):
    """The task's status has no room for this; nothing changed."""

    def __init__(self, status: Status, action: str) -> None:
        super().__init__(f"{action} is not possible in status {status}")
        self.status = status
        self.action = action


def changed(task: Task, live: Live, **durable: Any) -> Task:
    """Return the task with these fields; its revision grows if a durable one is really new."""
    new = {name: value for name, value in durable.items() if getattr(task, name) != value}
    if not new:
        return task if live is task.live else replace(task, live=live)
    return replace(task, live=live, revision=task.revision + 1, **new)


def fact(task: Task, name: EventName, now: Moment, **data: Any) -> Fact:
    """A fact about a task, as it is after the change."""
    definition = task.definition
    return Fact(name, definition.id, definition.service, definition.type, now, data)


def at_rest(live: Live) -> Live:
    """The live fields of a task that nobody looks at: what was known, but no rate, no time left."""
    return replace(
        live,
        rate=None,
        eta=None,
        eta_reason=EtaReason.NOT_RUNNING,
        hints=(),
        params={},
        misses=0,
        refusals=0,
        refused_since=None,
        window=broken(live.window),
    )


def done(live: Live) -> Live:
    """The live fields of a complete task at which nobody looks just now: nothing is left to do."""
    return replace(at_rest(live), eta=0.0, eta_reason=None)


def unwatched(task: Task, status: Status, live: Live, now: Moment, **durable: Any) -> Task:
    """The task paused or ended: its service's health is not known from here on."""
    return changed(
        task,
        live,
        status=status,
        health=Health.UNKNOWN,
        health_since=task.health_since if task.health is Health.UNKNOWN else now,
        reason=None,
        waiting_for=(),
        **durable,
    )


def begun(task: Task, now: Moment) -> Fact:
    """That the task's attempt began; `because` where it did so by itself."""
    why = {} if task.because is None else {"because": task.because}
    return fact(task, EventName.START, now, attempt=task.attempt, **why)


def patient(live: Live, now: Moment, **fields: Any) -> Live:
    """Patience begins anew; `fields` change as well."""
    return replace(live, patient_since=now, persistent_since=now, **fields)


def anew(task: Task, now: Moment, status: Status, attempt: int, because: str | None = None) -> Task:
    """The task at the begin of an attempt: nothing known, nothing remembered.

    `because`: why it began by itself.
    """
    watched = status is Status.IN_PROGRESS
    live = Live(answered=task.live.answered)
    return changed(
        task,
        patient(replace(live, eta_reason=EtaReason.NO_ANSWER), now) if watched else live,
        status=status,
        attempt=attempt,
        health=Health.UNKNOWN,
        health_since=now,
        reason=None,
        waiting_for=(),
        percent=0.0,
        basis="unknown",
        phase=None,
        phases=(),
        pass_number=1,
        confirmed=0,
        epoch=Epoch(),
        started_at=now if watched else None,
        ended_at=None,
        failure=None,
        proven=False,
        watch=Watch.NONE,
        watched_since=None,
        because=because,
        relapsed_at=now if because else task.relapsed_at,
    )
