"""What the work says of itself: `reportTask`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from kaspad_taskd import words
from kaspad_taskd.api import checks
from kaspad_taskd.api.context import Api, answering, not_found
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.method import Caller, Method
from kaspad_taskd.api.schemas import CHANGED
from kaspad_taskd.api.wire import TEXT
from kaspad_taskd.base.running import started
from kaspad_taskd.core.change import NotAllowed
from kaspad_taskd.core.inputs import Look
from kaspad_taskd.core.model import Status, Task
from kaspad_taskd.core.observation import Observation, PlannedPhase, Reading, Refused
from kaspad_taskd.core.reason import EtaReason, Reason
from kaspad_taskd.probes.general.report import RUN, is_over

Json: TypeAlias = Any
Given: TypeAlias = dict[str, Any]

LONGEST: Final = 100
"""Characters of a phase's name."""
PHASES: Final = 100
"""Phases of a run, at most."""
MOST: Final = 1e18
_OFTEN = ("not-found", "store-unavailable")


def methods(api: Api) -> list[Method]:
    """The method."""
    engine = api.engine

    async def report(caller: Caller, given: Given) -> Json:
        _check(given)
        task = engine.newest(given["taskId"])
        if not _takes_reports(task):
            await engine.settled(given["taskId"])
            task = engine.newest(given["taskId"])
        if task is None:
            raise not_found(given["taskId"])
        if task.definition.type != "report":
            said = words.say("answer.no-report", id=task.id, type=task.definition.type)
            raise ApiError.of("not-allowed", said, status=task.status.value)
        if not _takes_reports(task):
            raise NotAllowed(task.status, "report")
        look = Look(task.attempt, _reported(task, caller, given), pushed=True)
        task = await engine.act(task.id, look)
        return {"success": True, "taskId": task.id, "task": api.shapes.task(task)}

    progress = checks.number("progress", 0, 100, summary="percent")
    said = checks.text("error", required=False, maximum=2000)
    says = (
        checks.task_id(), progress, checks.flag("completed"), said, checks.facts("metadata"),
        *_of_a_run(),
    )  # fmt: skip
    return [
        Method("reportTask", "Say how the work is doing (type report).", answering(report),
               says, CHANGED, changes=True, errors=(*_OFTEN, "not-allowed", "conflict")),
    ]  # fmt: skip


def _of_a_run() -> tuple[Any, ...]:
    """What a program says that counts, has phases, and may end without a word."""
    phase = "what it does now; numbers are of it, the next phase begins anew"
    return (
        checks.text("phase", required=False, maximum=LONGEST, summary=phase),
        checks.number("done", 0, MOST, summary="of the phase, in unit"),
        checks.number("total", 0, MOST, summary="of the phase; left out: not known"),
        checks.text("unit", required=False, maximum=40, summary="bytes, files, %, ..."),
        checks.flag("growing", summary="the total is not the last one: nothing is made of it"),
        checks.integer("after", 0, PHASES, summary="phases that are over"),
        checks.integer("phases", 1, PHASES, summary="how many there are in all, if known"),
        checks.maybe_flag("atWork", summary="whether work was seen; null: nothing can show it"),
        checks.integer("pid", 1, 2**31 - 1, summary="the caller's own: gone, the task has failed"),
        checks.text("startTime", required=False, maximum=40, summary="when that process began"),
        checks.text("warning", required=False, maximum=TEXT, summary="to completed"),
    )


def _check(given: Given) -> None:
    if given["completed"] and given["error"] is not None:
        raise ApiError.params("completed", "must not be true beside error: the work has one end")
    if given["done"] is not None and given["progress"] is not None:
        raise ApiError.params("done", "must not be beside progress: one of both is the share")
    if given["total"] is not None and given["done"] is None:
        raise ApiError.params("total", "must be beside done")
    if given["warning"] is not None and not given["completed"]:
        raise ApiError.params("warning", "must be beside completed: true")
    if given["phases"] is not None and (
        given["after"] is None or given["after"] >= given["phases"]
    ):
        raise ApiError.params("phases", "must be beside after, and more than it")


def _takes_reports(task: Task | None) -> bool:
    return (
        task is not None and task.definition.type == "report" and task.status is Status.IN_PROGRESS
    )


def _reported(task: Task, caller: Caller, given: Given) -> Observation:
    metadata = _facts(task, given)
    memory = _memory(task, caller, given)
    if given["error"] is not None:
        return Refused(Reason.CHECKER_ERROR, {"text": given["error"]}, metadata=metadata)
    if given["done"] is not None or given["phase"] is not None:
        reading = _counted(task, given)
    else:
        reading = _told(task, given)
    return replace(reading, complete=given["completed"], metadata=metadata, memory=memory)


def _facts(task: Task, given: Given) -> dict[str, Any]:
    found = {**task.live.metadata, **(given["metadata"] or {})}
    for name in ("pid", "startTime", "warning"):
        if given[name] is not None:
            found[name] = given[name]
    if len(found) > checks.FACTS:
        raise ApiError.params("metadata", f"must be at most {checks.FACTS} facts in all reports")
    return found


def _memory(task: Task, caller: Caller, given: Given) -> Mapping[str, Any]:
    """What is remembered of who reports: a process that can be seen, as the kernel names it."""
    known = task.live.memory.get(RUN)
    pid, told = given["pid"], given["startTime"]
    began = None if told is None else checks.moment("startTime", told, 0) / 1000
    if pid is None:
        return task.live.memory
    if known and known["pid"] != pid and not is_over(known):
        said = words.say("answer.reported-by-another", id=task.id, pid=known["pid"])
        raise ApiError.of("conflict", said, pid=known["pid"])
    if caller.pid != pid:  # of another namespace, or told by somebody else: it cannot be seen
        return {}
    if known and known["pid"] == pid:
        return task.live.memory
    return {RUN: {"pid": pid, "ticks": started(pid), "began": began}}


def _told(task: Task, given: Given) -> Reading:
    """A percentage, or that it works."""
    live = task.live
    if given["progress"] is None and live.detail is not None and live.detail.unit != "%":
        return _as_before(task, given)
    position = live.position if given["progress"] is None else given["progress"]
    return Reading(
        position=position,
        start=0.0,
        target=100.0,
        unit="%",
        basis="exact" if position is not None else "unknown",
        at_work=_at_work(given) if position is None else None,
    )


def _as_before(task: Task, given: Given) -> Reading:
    """What was counted, and nothing new of it."""
    live, plan = task.live, tuple(PlannedPhase(each.key, each.weight) for each in task.phases)
    assert live.detail is not None
    return Reading(
        phase=task.phase, plan=plan, position=live.position, start=0.0, target=live.target,
        unit=live.detail.unit, basis=live.detail.basis, at_work=given["atWork"] or None,
        eta_reason=_no_time(task.phase, given),
    )  # fmt: skip


def _counted(task: Task, given: Given) -> Reading:
    phase, plan = _way(task, given)
    done, total = given["done"], given["total"] or None
    growing = given["growing"]
    return Reading(
        phase=phase,
        plan=plan,
        position=done,
        start=0.0,
        target=None if growing or total is None else max(total, done),
        unit=given["unit"],
        basis="unknown" if done is None else "exact",
        at_work=_at_work(given) if done is None else None,
        eta_reason=_no_time(phase, given),
    )


def _at_work(given: Given) -> bool | None:
    """An answer is a sign of work, where nobody says what it is a sign of."""
    told: bool | None = given["atWork"]
    return told if told is not None or given["pid"] is not None else True


def _no_time(phase: str | None, given: Given) -> EtaReason | None:
    """Why the end of this phase is not the end."""
    after, phases = given["after"], given["phases"]
    last = phases is not None and after == phases - 1
    return None if phase is None or last else EtaReason.NO_TOTAL


def _way(task: Task, given: Given) -> tuple[str | None, tuple[PlannedPhase, ...]]:
    """The phase under way, and the plan: of one whose length nobody knows no phase has a weight."""
    before = [each.key for each in task.phases]
    named, after, phases = given["phase"], given["after"], given["phases"]
    if phases is None:
        if named is None:
            return None, ()
        keys = before if named in before else [*before, named][-PHASES:]
        return named, tuple(PlannedPhase(key, 0.0) for key in keys)
    keys = [
        before[place] if place < len(before) else f"step-{place + 1}" for place in range(phases)
    ]
    wanted = named or f"step-{after + 1}"
    others = keys[:after] + keys[after + 1 :]
    keys[after] = f"{wanted} {after + 1}" if wanted in others else wanted
    return keys[after], tuple(PlannedPhase(key) for key in keys)
