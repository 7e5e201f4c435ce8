"""What may be asked of the time of what is kept watch on: its record, its incidents."""

from __future__ import annotations

from typing import Any, TypeAlias

from kaspad_taskd.api import checks, records
from kaspad_taskd.api.context import Api, answering
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.method import Caller, Method
from kaspad_taskd.api.record_schemas import INCIDENT, RECORD
from kaspad_taskd.api.schemas import listed, record
from kaspad_taskd.core.incidents import INCIDENTS_KEPT
from kaspad_taskd.core.model import Moment
from kaspad_taskd.core.seen import Slot
from kaspad_taskd.core.watch_record import joined

Json: TypeAlias = Any
Given: TypeAlias = dict[str, Any]

MONTH_DAYS = 30
LONGEST_DAYS = 90
FOR_EVER = 2**62
PAGE = 1000
TRIES = 8
"""Readings of the store, amid which something was written, until one is taken as it is."""


def methods(api: Api) -> list[Method]:
    """The methods of this page."""

    async def told(_caller: Caller, given: Given) -> Json:
        return await record_of(api, given["taskId"], given["days"])

    async def incidents(_caller: Caller, given: Given) -> Json:
        start = checks.moment("from", given["from"], 0)
        end = checks.moment("to", given["to"], FOR_EVER)
        if start >= end:
            raise ApiError.params("to", "must be later than from")
        return {"incidents": await incidents_of(api, given["taskId"], start, end, given["limit"])}

    days = checks.integer("days", 1, LONGEST_DAYS, default=MONTH_DAYS, summary="up to now")
    span = (
        checks.text("taskId", required=False, maximum=1000, summary="else of all tasks"),
        checks.text("from", required=False, maximum=40, summary="ISO 8601"),
        checks.text("to", required=False, maximum=40, summary="ISO 8601"),
        checks.integer("limit", 1, PAGE, default=100),
    )
    return [
        Method("getRecord", "How long what is kept watch on was in which state.", answering(told),
               (checks.task_id(), days), RECORD, errors=("not-found", "store-unavailable")),
        Method("getIncidents", "When it was not in sync, newest first.", answering(incidents),
               span, record("Incidents", incidents=listed("IncidentList", INCIDENT)),
               errors=("store-unavailable",)),
    ]  # fmt: skip


async def record_of(api: Api, task_id: str, days: int) -> dict[str, Json]:
    """What `getRecord` answers; raises what it refuses with."""
    kept = api.engine.records.get(task_id)
    head = {"taskId": task_id, "days": days}
    if kept is None:
        service = api.task(task_id).definition.service
        empty = records.incidents_told((), 0, 0)
        return {**head, "service": service, **records.nothing_told(), "incidents": empty}
    now = api.engine.now()
    start, end = records.reach(kept, days, now)
    slots = await _slots(api, task_id, start, end, now)
    found = await _incidents(api, task_id, start, end, INCIDENTS_KEPT)
    shape = records.record_told(kept, slots, days, now)
    totals = records.incidents_told(found, start, end)
    return {**head, "service": kept.service, **shape, "incidents": totals}


async def incidents_of(
    api: Api, task_id: str | None, start: Moment, end: Moment, limit: int
) -> list[Json]:
    """Incidents that reach into a time, newest first, as `getIncidents` lists them."""
    found = await _incidents(api, task_id, start, end, limit)
    return [records.incident_shape(each) for each in found]


async def _slots(api: Api, task_id: str, start: Moment, end: Moment, now: Moment) -> list[Slot]:
    """What is on record and what is not yet, of one moment: nothing is missing or there twice."""
    kept = api.engine.records
    for _ in range(TRIES):
        before, pending = kept.changes, kept.pending(task_id)
        slots = await api.engine.store.seen(task_id, start, end)
        if kept.changes == before:
            break
    return joined(slots, pending, now)


async def _incidents(
    api: Api, task_id: str | None, start: Moment, end: Moment, limit: int
) -> list[Any]:
    """Those on record, and over them what is not yet: an incident that has just begun or ended."""
    newer = {
        each.id: each
        for each in api.engine.records.unwritten()
        if task_id is None or each.task_id == task_id
    }
    stored = await api.engine.store.incidents(task_id, start, end, limit)
    found = {each.id: each for each in stored} | newer
    reaching = [
        each
        for _, each in sorted(found.items(), reverse=True)
        if each.began < end and (each.ended is None or each.ended >= start)
    ]
    return reaching[:limit]
