"""What may be asked of tasks: register, look, act; reports are report.py."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

from kaspad_taskd import words
from kaspad_taskd.api import checks
from kaspad_taskd.api.context import Api, answering
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.explained import EXPLANATION, explanation_shape
from kaspad_taskd.api.listed import Listed, answer
from kaspad_taskd.api.method import Caller, Method
from kaspad_taskd.api.methods import report
from kaspad_taskd.api.schemas import (
    ACTED,
    CHANGED,
    FLAG,
    FREE,
    MAYBE_FLAG,
    MOMENT,
    NUMBER,
    STATUS,
    TASK,
    TASKS,
    TEXT,
    WHOLE,
    YES,
    done,
    maybe,
    record,
)
from kaspad_taskd.base.clock import iso
from kaspad_taskd.core.change import NotAllowed
from kaspad_taskd.core.explain import explain
from kaspad_taskd.core.inputs import Cancel, Complete, Fail, Input, Pause, Retry, Start
from kaspad_taskd.core.model import Origin, Status, Task, Watch
from kaspad_taskd.core.watching import in_sync
from kaspad_taskd.engine.engine import Engine

Json: TypeAlias = Any
Given: TypeAlias = dict[str, Any]

HOUR_MS = 3_600_000
LONGEST_WAIT_MS = 3_600_000
OFTEN = ("not-found", "store-unavailable")


def methods(api: Api) -> list[Method]:
    """The methods of this page."""
    return [*_reading(api), *_acting(api), *_ending(api), *_looking(api), *report.methods(api)]


def _reading(api: Api) -> list[Method]:
    engine, shape = api.engine, api.shapes.task

    def get(_caller: Caller, given: Given) -> Json:
        task = engine.get(given["taskId"])
        return None if task is None else shape(task)

    def why(_caller: Caller, given: Given) -> Json:
        task = api.task(given["taskId"])
        return explanation_shape(explain(task, task.definition, engine.now()), shape(task))

    def listed(keep: Callable[[Task, Given], bool]) -> Callable[[Caller, Given], Json]:
        def found(given: Given) -> Listed:
            status = given["status"]
            kept = [
                task
                for task in engine.tasks()
                if keep(task, given) and (status is None or task.status.value == status)
            ]
            return api.shapes.listed(kept)

        def handler(_caller: Caller, given: Given) -> Json:
            return answer(len(engine.tasks()), lambda: found(given))

        return handler

    status = checks.one_of("status", STATUS, required=False)
    kind, service = checks.text("type", maximum=64), checks.text("service", maximum=64)
    every = listed(lambda _task, _given: True)
    by_type = listed(lambda task, given: task.definition.type == given["type"])
    by_service = listed(lambda task, given: task.definition.service == given["service"])
    one = maybe(TASK)
    return [
        Method("getTask", "One task, or null.", get, (checks.task_id(),), one),
        Method("explainTask", "Why a task is shown as it is: rules, readings, their age.", why,
               (checks.task_id(),), EXPLANATION, errors=("not-found",)),
        Method("getAllTasks", "All tasks, in order of registration.", every, (status,), TASKS),
        Method("getTasksByType", "The tasks of a type.", by_type, (kind, status), TASKS),
        Method("getTasksByService", "The tasks of a service.", by_service, (service, status),
               TASKS),
    ]  # fmt: skip


def _acting(api: Api) -> list[Method]:
    engine = api.engine

    async def start(_caller: Caller, given: Given) -> Json:
        task = await _reach(engine, given["taskId"], _runs, Start())
        interval = round(task.definition.interval * 1000)
        return {"success": True, "taskId": task.id, "checkInterval": interval}

    async def stop(_caller: Caller, given: Given) -> Json:
        task = await _reach(engine, given["taskId"], _rests, Pause())
        return {"success": True, "taskId": task.id}

    def acting(given_input: Callable[[], Input]) -> Callable[[Caller, Given], Any]:
        async def handler(_caller: Caller, given: Given) -> Json:
            task = await engine.act(given["taskId"], given_input())
            return {"success": True, "taskId": task.id, "task": api.shapes.task(task)}

        return answering(handler)

    async def resume(_caller: Caller, given: Given) -> Json:
        task = engine.newest(given["taskId"])
        if task is not None and task.status is Status.PENDING:
            raise NotAllowed(task.status, "resume")
        try:
            task = await engine.act(given["taskId"], Start())
        except NotAllowed as no:
            raise NotAllowed(no.status, "resume") from None
        return {"success": True, "taskId": task.id, "task": api.shapes.task(task)}

    which = (checks.task_id(),)
    no = (*OFTEN, "not-allowed")
    return [
        Method("startMonitoring", "Watch a pending or paused task; fine if already so.",
               answering(start), which, done("MonitoringStarted", checkInterval=WHOLE),
               changes=True, errors=no),
        Method("stopMonitoring", "Pause the watching; fine if already so.",
               answering(stop), which, ACTED, changes=True, errors=no),
        Method("pauseTask", "Pause the watching; the work itself goes on.",
               acting(Pause), which, CHANGED, changes=True, errors=no),
        Method("resumeTask", "Watch a paused task again.",
               answering(resume), which, CHANGED, changes=True, errors=no),
        Method("retryTask", "Begin the next attempt of an ended task.",
               acting(Retry), which, CHANGED, changes=True, errors=no),
    ]  # fmt: skip


def _runs(task: Task) -> bool:
    return task.watched


def _rests(task: Task) -> bool:
    return task.status is Status.PAUSED or task.watch is Watch.PAUSED


async def _reach(engine: Engine, task_id: str, there: Callable[[Task], bool], way: Input) -> Task:
    """Return the task where it is to be: it is there already, or `way` brings it there."""
    await engine.settled(task_id)
    task = engine.get(task_id)
    if task is not None and there(task):
        return task
    try:
        return await engine.act(task_id, way)
    except NotAllowed:  # somebody else brought it there meanwhile
        task = engine.get(task_id)
        if task is None or not there(task):
            raise
        return task


def _ending(api: Api) -> list[Method]:
    engine = api.engine

    async def cancel(_caller: Caller, given: Given) -> Json:
        task = await engine.act(given["taskId"], Cancel())
        return {"success": True, "taskId": task.id}

    async def complete(_caller: Caller, given: Given) -> Json:
        task = await engine.act(given["taskId"], Complete(given["finalStatus"] or {}))
        ended = iso(task.ended_at or engine.now())
        return {"success": True, "taskId": task.id, "completedAt": ended}

    async def fail(_caller: Caller, given: Given) -> Json:
        task = await engine.act(given["taskId"], Fail(given["error"]))
        return {"success": True, "taskId": task.id, "error": given["error"]}

    async def remove(_caller: Caller, given: Given) -> Json:
        task = engine.newest(given["taskId"])
        if task is not None and task.definition.origin is not Origin.API:
            said = words.say("answer.remove-file", id=task.id)
            raise ApiError.of("not-allowed", said, status=task.status.value)
        task = await api.roster.remove(given["taskId"])
        return {"success": True, "taskId": task.id, "task": api.shapes.task(task)}

    async def cleanup(_caller: Caller, given: Given) -> Json:
        watched = bool(given["watched"])
        cleaned = await api.roster.cleanup(given["maxAge"], watched=watched)
        return {"success": True, "cleaned": cleaned}

    which = checks.task_id()
    final = checks.maybe_object("finalStatus", _final, "metadata: named facts to keep")
    watched = checks.flag("watched", summary="also those that are kept watch on")
    age = checks.number("maxAge", 0, 1e15, default=HOUR_MS, summary="ms since the end")
    no = (*OFTEN, "not-allowed")
    return [
        Method("cancelTask", "Stop watching a live task; the work itself goes on.",
               answering(cancel), (which,), ACTED, changes=True, errors=no),
        Method("completeTask", "Say that the work is done.", answering(complete),
               (which, final), done("TaskCompleted", completedAt=MOMENT), changes=True, errors=no),
        Method("errorTask", "Say that the work failed.", answering(fail),
               (which, checks.text("error", maximum=2000)), done("TaskFailed", error=TEXT),
               changes=True, errors=no),
        Method("removeTask", "Remove a task that came over an API.", answering(remove),
               (which,), CHANGED, changes=True, errors=no),
        Method("cleanupOldTasks", "Remove API tasks that ended longer ago than maxAge (ms).",
               answering(cleanup), (age, watched),
               record("CleanedUp", success=YES, cleaned=WHOLE), changes=True,
               errors=("store-unavailable",)),
    ]  # fmt: skip


def _final(value: dict[str, Any]) -> dict[str, Any]:
    if not value.keys() <= {"metadata"}:
        raise ValueError("must be {metadata}")
    return checks.metadata(value.get("metadata") or {})


def _looking(api: Api) -> list[Method]:
    async def check(_caller: Caller, given: Given) -> Json:
        api.task(given["taskId"])
        await api.monitors.check(given["taskId"])
        task = api.task(given["taskId"])
        shape = api.shapes.task(task)
        completed = task.status is Status.COMPLETE
        status = {"completed": completed, "progress": task.percent, "metadata": shape["metadata"]}
        return {
            "success": True, "completed": completed, "inSync": in_sync(task), "status": status,
            "task": shape,
        }  # fmt: skip

    async def wait(_caller: Caller, given: Given) -> Json:
        task = api.task(given["taskId"])
        known = task.revision if given["revision"] is None else given["revision"]
        try:
            async with asyncio.timeout(given["timeout"] / 1000):
                while task.revision <= known and task.status.live:
                    await api.waiters.wait(task.id)
                    task = api.task(task.id)
        except TimeoutError:
            task = api.task(task.id)
        return api.shapes.task(task)

    which = checks.task_id()
    status = record("CheckedStatus", completed=FLAG, progress=NUMBER, metadata=FREE)
    looked = record(
        "Checked", success=YES, completed=FLAG, inSync=MAYBE_FLAG, status=status, task=TASK
    )
    revision = checks.integer("revision", 0, 2**53, summary="the one already known")
    timeout = checks.number("timeout", 0, LONGEST_WAIT_MS, default=30_000, summary="ms")
    return [
        Method("checkTaskStatus", "Take a look now (or wait for the one in flight).",
               answering(check), (which,), looked, errors=("not-found",)),
        Method("waitTask", "The task at its next revision, at the timeout, or at once if ended.",
               answering(wait), (which, revision, timeout), TASK, errors=("not-found",)),
    ]  # fmt: skip
