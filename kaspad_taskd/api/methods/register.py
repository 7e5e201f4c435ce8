"""Registering: a definition comes in as an object, as TOML would have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from kaspad_taskd.api import checks
from kaspad_taskd.api.context import Api, answering
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.method import Caller, Method
from kaspad_taskd.api.schemas import TASK, done

Json: TypeAlias = Any
Table: TypeAlias = Mapping[str, Json]

HEADER = frozenset(
    {"id", "type", "service", "checkInterval", "timeout", "confirmations", "stallAfter",
     "giveUpAfter", "after", "start", "autoSwitch", "onComplete"}
)  # fmt: skip
"""Keys of a definition that stand beside `config` (contract section 5, in camelCase)."""


def methods(api: Api) -> list[Method]:
    """The methods of this page."""
    plain = {
        "type": "object",
        "properties": {"type": {"type": "string"}, "service": {"type": "string"}},
        "required": ["type", "service"],
    }
    node = {"type": "object", "properties": {"service": {"type": "string"}}}
    indexer = {
        "type": "object",
        "properties": {"service": {"type": "string"}, "indexerUrl": {"type": "string"}},
        "required": ["indexerUrl"],
    }
    says = (
        ("registerTask", "Register a task.", _as_it_is, plain),
        ("registerNodeSyncTask", "Register the sync of a node.", _node_sync, node),
        ("registerIndexerSyncTask", "Register the sync of an indexer.", _indexer_sync, indexer),
    )
    return [_method(api, *each) for each in says]


def _method(
    api: Api, name: str, summary: str, table: Callable[[Table], Table], body: Table
) -> Method:
    async def handler(_caller: Caller, given: dict[str, Any]) -> Json:
        return await _register(api, table(given["body"]))

    answer = done(task=TASK, created={"type": "boolean"})
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
    if "indexerUrl" in config:
        config["url"] = config.pop("indexerUrl")
    return {**table, "config": config}


def _typed(body: Table, kind: str) -> dict[str, Json]:
    header = {key: value for key, value in body.items() if key in HEADER}
    config = {key: value for key, value in body.items() if key not in HEADER and key != "config"}
    given = body.get("config")
    if given is not None and not isinstance(given, dict):
        raise ApiError.params("config", "must be an object")
    return {**header, "type": kind,
            "config": {**(given or {}), **config}}  # fmt: skip
