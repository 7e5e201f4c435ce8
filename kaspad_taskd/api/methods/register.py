"""Registering: a definition comes in as an object, as TOML would have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from kaspad_taskd.api import checks
from kaspad_taskd.api.context import Api, answering
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.method import Caller, Made, Method
from kaspad_taskd.api.registrations import (
    HEADER,
    INDEXER_URL,
    indexer_registration,
    node_registration,
    registration,
)
from kaspad_taskd.api.schemas import FLAG, TASK, done

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
    return [_method(api, *each) for each in says]


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
