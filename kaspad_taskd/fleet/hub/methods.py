"""What may be asked of a host at a hub: the reading half of the API, answered from the mirror."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.listed import Listed, answer
from kaspad_taskd.api.method import Caller, Method, Param
from kaspad_taskd.api.schemas import TEXT, WHOLE
from kaspad_taskd.fleet.host import Host
from kaspad_taskd.fleet.hub.archive import Archive
from kaspad_taskd.fleet.hub.source import HostSource
from kaspad_taskd.fleet.laid import Shown
from kaspad_taskd.words import say

Json: TypeAlias = Any
Given: TypeAlias = dict[str, Any]

EVENTS: Final = 1000
LONGEST: Final = 1000


def of_host(host: Host, source: HostSource, archive: Archive) -> Mapping[str, Method]:
    """Return the methods that answer of one host, by name."""

    def task(_caller: Caller, given: Given) -> Json:
        return host.task(given["taskId"])

    def tasks(_caller: Caller, _given: Given) -> Json:
        known = list(host.tasks.values())
        return answer(len(known), lambda: Listed(known, Shown.task))

    def events(_caller: Caller, given: Given) -> Json:
        after = source.seq if given["after"] is None else given["after"]
        found = [each for each in host.events(after) if given["taskId"] in (None, _task(each.data))]
        told = [{"seq": e.seq, "event": e.name, "data": e.data} for e in found[: given["limit"]]]
        return {
            "events": told, "oldest": host.oldest, "seq": source.seq, "journal": source.journal,
        }  # fmt: skip

    async def incidents(_caller: Caller, given: Given) -> Json:
        return {"incidents": (await archive.past(host, _known(host, given))).incidents}

    async def record(_caller: Caller, given: Given) -> Json:
        return (await archive.past(host, _known(host, given))).record

    return _named(
        Method("ping", "Whether the hub is there.", lambda *_: {"pong": True, "seq": source.seq}),
        Method("getTask", "One task, or null.", task, (_id(),)),
        Method("getAllTasks", "All tasks.", tasks),
        Method("getEvents", "What happened, as far as a hub has it.", events, _span()),
        Method("getServices", "Switched services.", lambda *_: host.services or []),
        Method("getWarnings", "Standing warnings.", lambda *_: host.warnings or {"warnings": []}),
        Method("getIncidents", "The newest 20 of a task.", incidents, (_id(),)),
        Method("getRecord", "The totals of a task's record, or null.", record, (_id(),)),
    )


def of_fleet(number: Callable[[], int], hosts: Callable[[], Json]) -> Mapping[str, Method]:
    """Return the methods that answer of all hosts, by name.

    Args:
        number: of the newest `host:news`.
        hosts: all rows.
    """
    return _named(
        Method("ping", "Whether the hub is there.", lambda *_: {"pong": True, "seq": number()}),
        Method("getHosts", "All hosts with their verdicts.", lambda *_: hosts()),
    )


def _named(*methods: Method) -> Mapping[str, Method]:
    return {method.name: method for method in methods}


def _task(data: Mapping[str, Json]) -> Json:
    return data.get("taskId")


def _known(host: Host, given: Given) -> str:
    task_id = str(given["taskId"])
    if task_id not in host.tasks:
        raise ApiError.of("not-found", say("answer.not-found", id=task_id), taskId=task_id)
    return task_id


def _id(*, required: bool = True) -> Param:
    return Param("taskId", TEXT, _text, required, summary="id of the task")


def _span() -> tuple[Param, ...]:
    after = Param("after", WHOLE, _whole, required=False, summary="the number before the first")
    limit = Param("limit", WHOLE, _few, required=False, default=100)
    return (after, limit, _id(required=False))


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST:
        raise ValueError(f"must be a text of {LONGEST} characters at most")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("must be a whole number, 0 at least")
    return value


def _few(value: Any) -> int:
    if type(value) is not int or not 0 < value <= EVENTS:
        raise ValueError(f"must be a whole number from 1 to {EVENTS}")
    return value
