"""How long one bears with refusals and standstills, and what a change of health tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kaspad_taskd.core.model import Definition, Health, Live, Moment, Task
from kaspad_taskd.core.observation import Scalar
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.schedule import LONGEST_BACKOFF, look_every

REFUSALS = 3  # refused looks in a row that end a task, if they also span
REFUSED_MS = 60_000  # so long: a proxy's page while a container starts is daily life
REFUSED_KNOWN_MS = 300_000  # ... and so long where this address once gave a good answer
LOST_MS = 5_000  # a process that is gone, and whose last word may be under way
LATE_S = 10.0  # beyond three intervals: the daemon stood still (SIGSTOP, a suspended host)


def waiting_since(task: Task, definition: Definition) -> Moment | None:
    """When the wait of a stalled task began: patience may have begun anew, with a restart."""
    since, stalled = task.live.patient_since, task.health_since
    if stalled is None or (since is not None and since <= stalled):
        return since
    return stalled - round(definition.stall_after * 1000)


def refusal_stands(live: Live, definition: Definition, now: Moment, lost: bool = False) -> bool:
    """Whether it has refused so often, and for so long, that it means it.

    `lost`: it is not said, but seen, that the work reports no more.
    """
    known = live.answered is not None and live.answered == endpoint(definition)
    lasts = LOST_MS if lost else REFUSED_KNOWN_MS if known else REFUSED_MS
    since = now if live.refused_since is None else live.refused_since
    return live.refusals >= REFUSALS and now - since >= lasts


def endpoint(definition: Definition) -> str:
    """What a good answer has to come from."""
    return definition.endpoint or ""


def patient_since(task: Task, definition: Definition, now: Moment) -> Moment | None:
    """From when stalling is measured: time without answers does not count, a long one begins anew.

    A service that answers for seconds, goes and comes back gets nowhere all the same.
    """
    since, answered = task.live.patient_since, task.live.last_update
    if task.health is not Health.UNREACHABLE:
        return since
    if since is None or answered is None or now - answered >= definition.stall_after * 1000:
        return now
    return min(now, since + max(0, now - max(since, answered)))


def stalled(live: Live, definition: Definition, now: Moment) -> bool:
    """Whether nothing has moved for as long as patience lasts."""
    since = live.patient_since
    return since is not None and now - since >= definition.stall_after * 1000


def far_apart(live: Live, definition: Definition) -> float:
    """Ms between two looks of a watch beyond which nobody knows what was in between.

    Who does not answer is asked more rarely.
    """
    pace = look_every(definition)
    if live.misses:
        pace = max(pace, LONGEST_BACKOFF)
    return (3 * pace + definition.timeout + LATE_S) * 1000


def spent(live: Live, reason: Reason | None, now: Moment) -> dict[str, Scalar]:
    """For how many seconds nothing came, as the sentence of a standstill's event says it."""
    if reason not in (Reason.NO_MOVEMENT, Reason.SILENT_REPORT) or live.patient_since is None:
        return {}
    return {"seconds": (now - live.patient_since) / 1000}


def health_data(
    health: Health,
    now: Moment,
    reason: Reason | None = None,
    params: Mapping[str, Scalar] | None = None,
) -> dict[str, Any]:
    """What the fact of a change of health tells."""
    return {"health": health, "since": now, "reason": reason, "params": params or {}}
