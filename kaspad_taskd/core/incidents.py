"""Incidents: from the first bad look at what was in sync until it is so again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from kaspad_taskd.base.frozen import frozen, replace
from kaspad_taskd.core.model import TROUBLE, Health, Moment, Status, Task, Watch
from kaspad_taskd.core.observation import Scalar
from kaspad_taskd.core.seen import state_of

INCIDENTS_KEPT = 1_000
"""The newest incidents of a task are kept."""


class Ending(StrEnum):
    """How an incident ended."""

    OK = "ok"  # it was in sync again
    SYNCED_AGAIN = "synced-again"  # so it was, after an attempt that had to do all of it again
    NOT_WATCHED = "not-watched"  # nobody looked any more: what became of it is not known


@frozen
class Incident:
    """A time in which what is kept watch on was not in sync.

    Attributes:
        id: counted from 1; given once.
        task_id: whose.
        service: what was watched.
        type: of the task.
        attempt: in which it began.
        began: the first bad look, ms since 1970 UTC.
        ended: when it was well again, or nobody looked any more; None: it lasts.
        health: the worst on the way.
        reason: why it became so, or why another attempt began; None: nothing tells.
        params: what the reason's sentence needs.
        worst_behind: the furthest behind that it was seen, seconds; None: that was never known.
        ending: how it ended, None: it lasts.
    """

    id: int
    task_id: str
    service: str
    type: str
    attempt: int
    began: Moment
    health: Health
    ended: Moment | None = None
    reason: str | None = None
    params: Mapping[str, Scalar] = field(default_factory=dict)
    worst_behind: float | None = None
    ending: Ending | None = None

    @property
    def lasts(self) -> bool:
        """Whether it has not ended."""
        return self.ended is None

    def over(self, ended: Moment, ending: Ending) -> Incident:
        """The incident ended; a clock that went back meanwhile makes it no shorter than nothing."""
        return replace(self, ended=max(self.began, ended), ending=ending)


def follow(lasting: Incident | None, task: Task, number: int, now: Moment) -> Incident | None:
    """Return the incident as it is, or as it ended, with a task's newest state; None: all is well.

    It needs nothing but that state and what was on record: after a kill it finds what it missed.

    Args:
        lasting: the one that lasts, or None.
        task: as it is.
        number: of the next one.
        now: this moment.
    """
    if lasting is not None and lasting.began > now:  # by a clock that was ahead
        lasting = replace(lasting, began=now)
    health = trouble(task, amiss=lasting is not None)
    if health is None:
        return None if lasting is None else _calm(lasting, task, now)
    if lasting is None:
        known = task.definition
        syncing = task.status is Status.IN_PROGRESS
        attempt = task.attempt - syncing  # a relapse is the next one
        because = task.because if syncing else None  # once it is complete, that is over
        lasting = Incident(
            number, task.id, known.service, known.type, attempt, _first_bad(task, now), health,
            reason=task.reason or because, params=task.live.params,
        )  # fmt: skip
    return _deeper(_worse(lasting, task, health), task)


def trouble(task: Task, *, amiss: bool) -> Health | None:
    """The health of what is not in sync, or None: it is, or nobody knows."""
    state = state_of(task, amiss=amiss)
    if state not in TROUBLE:
        return None
    return task.health if task.health in TROUBLE else state  # what syncs again may be gone, too


def _first_bad(task: Task, now: Moment) -> Moment:
    if task.status is Status.IN_PROGRESS:  # it has just begun, or goes on after a pause
        return now if task.live.last_checked is not None else task.started_at or now
    known = (task.live.bad_since, task.health_since, now)
    return min(each for each in known if each is not None)


def _worse(lasting: Incident, task: Task, health: Health) -> Incident:
    if TROUBLE.index(health) > TROUBLE.index(lasting.health):
        return replace(
            lasting, health=health, reason=task.reason or lasting.reason, params=task.live.params
        )
    if lasting.reason is None and task.reason is not None and task.health is lasting.health:
        return replace(lasting, reason=task.reason, params=task.live.params)
    return lasting


def _deeper(lasting: Incident, task: Task) -> Incident:
    behind = task.live.behind
    if behind is None or behind <= (lasting.worst_behind or 0.0):
        return lasting
    return replace(lasting, worst_behind=behind)


def _calm(lasting: Incident, task: Task, now: Moment) -> Incident:
    """It may be well again, or not looked at; what is failed, or not known just now, is neither."""
    if task.watch is Watch.ON and task.watched_since is not None:
        if task.health is not Health.OK:
            return lasting
        again = task.attempt != lasting.attempt
        ending = Ending.SYNCED_AGAIN if again else Ending.OK
        return lasting.over(task.health_since or now, ending)
    if task.status is Status.ERROR:
        return lasting
    return lasting.over(now, Ending.NOT_WATCHED)
