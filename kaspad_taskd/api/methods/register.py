"""Registering: a definition comes in as an object, as TOML has it; its pace may change later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from kaspad_taskd import words
from kaspad_taskd.api import checks
from kaspad_taskd.api.context import Api, answering, not_found
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.method import Caller, Made, Method
from kaspad_taskd.api.registrations import (
    HEADER,
    INDEXER_URL,
    changeable,
    indexer_registration,
    node_registration,
    registration,
)
from kaspad_taskd.api.schemas import CHANGED, FLAG, TASK, done
from kaspad_taskd.core.model import Definition, Origin, Task

Json: TypeAlias = Any
Table: TypeAlias = Mapping[str, Json]


def methods(api: Api) -> list[Method]:
    """The methods of this page."""
    says = (
        ("registerTask", "Register a task.", _as_it_is, registration),
        ("registerNodeSyncTask", "Register the sync of a node.", _node_sync, node_registration),
        ("registerIndexerSyncTask", "Register the sync of an indexer.", _indexer_sync,
         indexer_registration),
    )  # fmt: skip
    return [*(_method(api, *each) for each in says), _update(api)]


def _method(
    api: Api, name: str, summary: str, table: Callable[[Table], Table], body: Made
) -> Method:
    async def handler(_caller: Caller, given: dict[str, Any]) -> Json:
        return await _register(api, table(given["body"]))

    answer = done("Registered", task=TASK, created=FLAG)
    errors = ("invalid-definition", "forbidden", "conflict", "busy", "store-unavailable")
    return Method(
        name, summary, answering(handler), result=answer, changes=True, body=body, errors=errors
    )


async def _register(api: Api, table: Table) -> Json:
    rest = {key: value for key, value in table.items() if key != "id"}
    task_id = table.get("id")
    if task_id is not None and not (isinstance(task_id, str) and checks.ID.match(task_id)):
        raise ApiError.params("id", "must be letters, digits, ., _ and -, at most 100")
    definition = api.definitions.parse(rest, task_id)
    register = api.roster.again if task_id is None else api.roster.register
    task, created = await register(definition)
    return {
        "success": True,
        "taskId": task.id,
        "task": api.shapes.task(task),
        "created": created,
    }


def _update(api: Api) -> Method:
    async def handler(_caller: Caller, given: dict[str, Any]) -> Json:
        task_id, wanted = given["taskId"], {k: v for k, v in given.items() if k != "taskId"}
        if all(value is None for value in wanted.values()):
            raise ApiError.params("params", f"must name what to change: {', '.join(wanted)}")
        task = api.engine.newest(task_id)
        if task is None:
            raise not_found(task_id)
        if task.definition.origin is not Origin.API:
            raise _of_a_file(api, task)

        def change(definition: Definition) -> Definition:
            return api.definitions.changed(definition, wanted)

        watch = wanted.get("keepWatching") is True
        task = await api.roster.update(task_id, change, watch=watch)
        return {"success": True, "taskId": task.id, "task": api.shapes.task(task)}

    no = ("not-found", "not-allowed", "invalid-definition", "store-unavailable")
    return Method("updateTask", "Change pace and patience of a task that came over an API.",
                  answering(handler), (checks.task_id(), *changeable()), CHANGED, changes=True,
                  errors=no)  # fmt: skip


def _of_a_file(api: Api, task: Task) -> ApiError:
    """Who defines it decides its pace: what the file says would be back at the next reload."""
    file = api.definitions.file_of(task.id)
    said = words.say("answer.update-file", id=task.id, file=file)
    return ApiError.of("not-allowed", said, status=task.status.value, file=file)


def _as_it_is(body: Table) -> Table:
    return body


def _node_sync(body: Table) -> Table:
    """Keys beside the header are the checker's: host, port, protocol, network, maxLag."""
    return _typed(body, "node-sync")


def _indexer_sync(body: Table) -> Table:
    table = _typed(body, "indexer-sync")
    config = dict(table["config"])
    if INDEXER_URL in config:
        config["url"] = config.pop(INDEXER_URL)
    return {**table, "config": config}


def _typed(body: Table, kind: str) -> dict[str, Json]:
    header = {key: value for key, value in body.items() if key in HEADER}
    config = {key: value for key, value in body.items() if key not in HEADER and key != "config"}
    given = body.get("config")
    if given is not None and not isinstance(given, dict):
        raise ApiError.params("config", "must be an object")
    return {**header, "type": kind,
            "config": {**(given or {}), **config}}  # fmt: skip
