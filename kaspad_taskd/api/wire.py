"""The public shapes: tasks and events as JSON, on both doors (contract sections 2 and 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor
from typing import Any, TypeAlias

from kaspad_taskd import words
from kaspad_taskd.api.listed import Listed
from kaspad_taskd.api.switches import attention_said, switch_shape
from kaspad_taskd.base.clock import iso
from kaspad_taskd.core.fact import Event, EventName, Fact
from kaspad_taskd.core.model import (
    TROUBLE,
    Definition,
    Health,
    Live,
    Moment,
    Origin,
    PhaseRecord,
    Status,
    Task,
    Watch,
)
from kaspad_taskd.core.observation import Scalar
from kaspad_taskd.core.schedule import look_every
from kaspad_taskd.core.switch import Switch, switch_of
from kaspad_taskd.core.transition import offered
from kaspad_taskd.core.warning import StandingWarning
from kaspad_taskd.words.service import doing
from kaspad_taskd.words.spans import down, up

Json: TypeAlias = Any

TEXT = 200
"""Characters of a metadata string (contract section 3)."""
REMEMBERED = 2048
"""Task objects kept ready."""
MOMENTS = frozenset({"completedAt", "erroredAt", "cancelledAt", "since"})
BLOCKS = frozenset({"node-sync", "indexer-sync"})
"""Types whose positions are DAA scores, shown as blocks."""
BLOCK_FIELDS = frozenset({"currentBlock", "targetBlock", "blocksRemaining"})
"""Fields of progress that are not always there."""


ANSWERS = frozenset({Health.OK, Health.BEHIND, Health.STALLED})


class Shapes:
    """Makes public shapes; a task's is made once for each state of it.

    Args:
        due_in: seconds until a task's next look, or None.
        status_of: status of another task by id, or None (for what is waited for).
        now: this moment.
        switches_of: the services that a task switches when it completes.
        directories: where the files of definitions are, by who writes there.
    """

    def __init__(
        self,
        due_in: Callable[[str], float | None],
        status_of: Callable[[str], str | None],
        now: Callable[[], Moment],
        switches_of: Callable[[Definition], list[str]] = lambda _definition: [],
        directories: Mapping[Origin, str] | None = None,
    ) -> None:
        self._due_in = due_in
        self._status_of = status_of
        self._now = now
        self._switches_of = switches_of
        self._directories = directories or {}
        self._made: dict[str, tuple[Task, dict[str, Json]]] = {}

    def task(self, task: Task) -> dict[str, Json]:
        """The task object of contract section 2."""
        return self._shape(task, self._awaited(task))

    def listed(self, tasks: Sequence[Task]) -> Listed:
        """The task objects of many, all of this moment but for `nextCheck`, made later."""
        awaited = {task.id: self._awaited(task) for task in tasks if task.waiting_for}
        return Listed(tasks, lambda task: self._shape(task, awaited.get(task.id)))

    def _awaited(self, task: Task) -> dict[str, str | None] | None:
        """The statuses of what a task waits for, or None: it waits for nothing."""
        return {each: self._status_of(each) for each in task.waiting_for} or None

    def _shape(self, task: Task, awaited: Mapping[str, str | None] | None) -> dict[str, Json]:
        known = self._made.get(task.id)
        if known is None or known[0] is not task:
            if len(self._made) >= REMEMBERED:
                self._made.clear()
            known = self._made[task.id] = (task, _task(task))
        shape = dict(known[1])
        # nobody looks at a report: only its patience is checked then
        due = None if task.definition.type == "report" else self._due_in(task.id)
        shape["nextCheck"] = None if due is None else iso(self._now() + int(due * 1000))
        shape["directory"] = self._directories.get(task.definition.origin)
        shape["switches"] = self._switches_of(task.definition)
        if awaited is not None:
            shape["note"] = words.waiting(awaited)
        return shape


def _at(moment: Moment | None) -> str | None:
    return None if moment is None else iso(moment)


def _reached(value: float | None) -> Json:
    """One decimal, never more than it is."""
    return None if value is None else _plain(down(value))


def _ahead(value: float | None) -> Json:
    """One decimal, never less than it is: what is to be reached, and how far behind it is."""
    return None if value is None else _plain(up(value))


def _left(live: Live) -> int | None:
    """Whole seconds, rounded up: none is left only when it is over."""
    return None if live.eta is None else ceil(live.eta)


def _plain(value: float) -> float:
    return int(value) if value == int(value) else value


def error_text(task: Task) -> str | None:
    """Why a task is in error: somebody's own words, or the sentence of the reason."""
    failure = task.failure
    if failure is None:
        return None
    return failure.text or words.note(failure.reason, failure.params, task.definition.type)


def _task(task: Task) -> dict[str, Json]:
    definition, live = task.definition, task.live
    complete = task.status is Status.COMPLETE
    detail = live.detail
    ended = _at(task.ended_at)
    return {
        "id": definition.id,
        "type": definition.type,
        "service": definition.service,
        "endpoint": definition.endpoint,
        "config": dict(definition.checker),
        "checkInterval": round(definition.interval * 1000),
        "timeout": round(definition.timeout * 1000),
        "stallAfter": round(definition.stall_after * 1000),
        "giveUpAfter": definition.give_up_after and round(definition.give_up_after * 1000),
        "after": list(definition.after),
        "autoSwitch": definition.auto_switch,
        "keepWatching": definition.keep_watching,
        "watchInterval": round(look_every(definition) * 1000),
        "behindAfter": round(definition.behind_after * 1000),
        "relapseAfter": round(definition.relapse_after * 1000),
        "status": task.status.value,
        "watch": task.watch.value,
        "health": task.health.value,
        "healthSince": _at(task.health_since),
        "reason": task.reason and task.reason.value,
        "note": task.reason and words.note(task.reason, live.params, definition.type),
        "hints": [{"code": each.code, "params": dict(each.params)} for each in live.hints],
        "waitingFor": list(task.waiting_for),
        "progress": task.percent,
        "progressBasis": task.basis,
        "phase": task.phase,
        "phases": [_phase(each) for each in task.phases],
        "pass": task.pass_number,
        "progressDetail": detail
        and {
            "done": _reached(detail.done),
            "total": _ahead(detail.total),
            "unit": detail.unit,
            "basis": detail.basis,
        },
        "behind": _ahead(live.behind),
        "syncRate": _reached(live.rate),
        "rateUnit": f"{detail.unit}/s" if detail is not None and detail.unit else None,
        "estimatedTimeRemaining": _left(live),
        "etaReason": live.eta_reason and live.eta_reason.value,
        "formattedTimeRemaining": words.format_time_left(_left(live), complete),
        "confirmations": {"have": task.confirmed, "need": definition.confirmations},
        "epoch": {
            "number": task.epoch.number,
            "since": _at(task.epoch.since),
            "reason": task.epoch.reason,
        },
        "createdAt": _at(task.created_at),
        "startedAt": _at(task.started_at),
        "lastChecked": _at(live.last_checked),
        "lastUpdate": _at(live.last_update),
        "lastMoved": _at(live.last_moved),
        "nextCheck": None,
        "completedAt": ended if complete else None,
        "erroredAt": ended if task.status is Status.ERROR else None,
        "cancelledAt": ended if task.status is Status.CANCELLED else None,
        "error": error_text(task),
        "attempt": task.attempt,
        "because": task.because,
        "revision": task.revision,
        "origin": definition.origin.value,
        "directory": None,
        "switches": [],
        "actions": actions(task),
        "metadata": metadata(live.metadata),
    }


def actions(task: Task) -> list[str]:
    """What may be done with a task now."""
    allowed = offered(task.status, task.watch)
    if task.watched and task.definition.type != "report":
        allowed.append("check")
    if task.definition.origin is Origin.API:
        allowed.append("remove")
    return allowed


def metadata(given: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Named facts, texts cut to 200 characters."""
    return {key: value[:TEXT] if isinstance(value, str) else value for key, value in given.items()}


def _phase(record: PhaseRecord) -> dict[str, Json]:
    return {
        "key": record.key,
        "state": record.state,
        "weight": record.weight,
        "progress": record.progress,
        "basis": record.basis,
        "startedAt": _at(record.started_at),
        "endedAt": _at(record.ended_at),
    }


def progress_event(task: Task, seq: int, now: Moment) -> dict[str, Json]:
    """A `sync:progress`: state; all up to `seq` was told before.

    No number in it but the time left is null.
    """
    live = task.live
    complete = task.status is Status.COMPLETE
    data: dict[str, Json] = metadata(live.metadata)
    for name in BLOCK_FIELDS & data.keys():
        del data[name]
    data.update(_head(seq, now, task.id, task.definition.service, task.definition.type))
    data.update(
        status=task.status.value,
        health=task.health.value,
        phase=task.phase,
        progress=task.percent,
        percentage=task.percent,
        estimatedTimeRemaining=_left(live),
        formattedTimeRemaining=words.format_time_left(_left(live), complete),
        syncRate=_reached(live.rate or 0.0),
        connected=task.health in ANSWERS or (complete and task.health is Health.UNKNOWN),
        synced=task.health not in TROUBLE if complete else task.confirmed > 0,
    )
    if task.watch is not Watch.NONE:
        data.pop("behind", None)
        data.update(healthSince=_at(task.health_since), lastChecked=_at(live.last_checked))
        if live.behind is not None:
            data["behind"] = _ahead(live.behind)
    if task.definition.type in BLOCKS:
        data.update(blocks(task))
    return data


def blocks(task: Task) -> dict[str, Json]:
    """Where it is in DAA scores: reached, tip, between; empty until somebody answered."""
    live = task.live
    if live.shown is not None:
        reached, tip = live.shown
    elif live.position is not None and live.target is not None:
        reached, tip = live.position, live.target
    else:
        return {}
    current, target = floor(reached), ceil(tip)
    return {
        "currentBlock": current,
        "targetBlock": target,
        "blocksRemaining": max(0, target - current),
    }


def _head(seq: int, at: Moment, task_id: str, service: str, kind: str) -> dict[str, Json]:
    """What every event has.

    Somebody's switch has no task, and so no type of one; a warning has no service either.
    """
    return {
        "seq": seq,
        "timestamp": iso(at),
        "taskId": task_id or None,
        "service": service or None,
        "type": kind or None,
    }


def event_data(event: Event) -> dict[str, Json]:
    """The data of an event on record."""
    told = event.fact
    data = _head(event.seq, told.at, told.task_id, told.service, told.type)
    for key, value in told.data.items():
        data[key] = _at(value) if key in MOMENTS else value
    _say(told, data)
    return data


def _say(told: Fact, data: dict[str, Json]) -> None:
    """Put sentences in the place of what they are made from."""
    if told.name is EventName.COMPLETE:
        data["duration"] = words.duration(data.pop("durationMs", 0) / 1000)
    elif told.name is EventName.ERROR:
        text, params = data.pop("text", None), data.pop("params", {})
        data["error"] = text or words.note(str(data.get("reason")), params, told.type)
    elif told.name is EventName.HEALTH:
        params = data.pop("params", {})
        reason = data.get("reason")
        data["note"] = words.note(reason, params, told.type) if reason else None
        behind = data.pop("behind", None)
        if behind is not None:
            data["behind"] = _ahead(behind)
    elif told.name is EventName.WARNING:
        data["note"], data["cure"] = words.warning(str(data["code"]), data["params"])
    elif told.name is EventName.ATTENTION:
        code = data["code"]
        data["note"], data["cure"] = attention_said(code, data["params"]) if code else (None, None)
    elif "switch" in data:
        data["switch"] = shape = switch_shape(switch_of(data["switch"]))
        if told.name is EventName.SWITCH_PROGRESS:
            data["step"] = doing(shape)
        elif told.name is EventName.SWITCH_ERROR:
            data.update(error=shape["error"], reason=shape["reason"])


def switch_event(switch: Switch, seq: int, now: Moment) -> dict[str, Json]:
    """A `switch:progress` for who comes while it runs: state; all up to `seq` was told before."""
    kind = "node-sync" if switch.task_id else ""
    head = _head(seq, now, switch.task_id or "", switch.service, kind)
    shape = switch_shape(switch)
    return {**head, "to": shape["to"], "switch": shape, "step": doing(shape)}


def warning_shape(warning: StandingWarning) -> dict[str, Json]:
    """A warning as it is listed."""
    note, cure = words.warning(warning.code, warning.params)
    return {
        "id": warning.id,
        "at": iso(warning.at),
        "code": warning.code,
        "params": dict(warning.params),
        "note": note,
        "cure": cure,
    }


def event_shape(event: Event) -> dict[str, Json]:
    """An event as `getEvents` and subscriptions tell it: `{seq, event, data}`."""
    return {"seq": event.seq, "event": event.fact.name.value, "data": event_data(event)}


def progress_shape(task: Task, seq: int, now: Moment) -> dict[str, Json]:
    """A task's progress in the same form."""
    data = progress_event(task, seq, now)
    return {"seq": seq, "event": EventName.PROGRESS.value, "data": data}
