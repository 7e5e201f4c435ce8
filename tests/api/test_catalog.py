"""Which methods there are, and their description."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry
from referencing.jsonschema import DRAFT7

from tests.api.house import ApiHouse

SCHEMAS = Path(__file__).parents[1] / "data/openrpc"

FIFTEEN: dict[str, list[str] | None] = {
    "registerTask": None,
    "registerNodeSyncTask": None,
    "registerIndexerSyncTask": None,
    "startMonitoring": ["taskId"],
    "stopMonitoring": ["taskId"],
    "checkTaskStatus": ["taskId"],
    "getTask": ["taskId"],
    "getAllTasks": ["status"],
    "getTasksByType": ["type", "status"],
    "getTasksByService": ["service", "status"],
    "cancelTask": ["taskId"],
    "completeTask": ["taskId", "finalStatus"],
    "errorTask": ["taskId", "error"],
    "cleanupOldTasks": ["maxAge", "watched"],
    "shutdown": [],
}
"""The task manager's, with their parameters in order; None is one object."""
MORE: dict[str, list[str] | None] = {
    "explainTask": ["taskId"],
    "pauseTask": ["taskId"],
    "resumeTask": ["taskId"],
    "retryTask": ["taskId"],
    "removeTask": ["taskId"],
    "updateTask": [
        "taskId",
        *("checkInterval", "timeout", "stallAfter", "giveUpAfter", "confirmations", "after"),
        *("autoSwitch", "keepWatching", "watchInterval", "behindAfter", "relapseAfter"),
    ],
    "waitTask": ["taskId", "revision", "timeout"],
    "reportTask": [
        "taskId",
        "progress",
        "completed",
        "error",
        "metadata",
        "phase",
        "done",
        "total",
        "unit",
        "growing",
        "after",
        "phases",
        "atWork",
        "pid",
        "startTime",
        "warning",
    ],
    "getEvents": ["after", "before", "taskId", "limit", "journal"],
    "getHistory": ["taskId", "from", "to", "points"],
    "getRecord": ["taskId", "days"],
    "getIncidents": ["taskId", "from", "to", "limit"],
    "subscribe": ["after", "tasks", "journal"],
    "unsubscribe": [],
    "recordDecision": ["decision", "context"],
    "getDecisions": [],
    "getSyncStrategy": ["taskId"],
    "listDefinitions": [],
    "reload": [],
    "getServices": [],
    "getWarnings": [],
    "acknowledgeWarning": ["id"],
    "switchService": ["service", "to"],
    "getSwitchPlan": ["service", "to"],
    "holdService": ["service", "hold"],
    "backup": [],
    "newToken": [],
    "getInfo": [],
    "ping": [],
    "rpc.discover": [],
}
READING = {
    *("checkTaskStatus", "getTask", "getAllTasks", "getTasksByType", "getTasksByService"),
    *(
        "explainTask",
        "waitTask",
        "getEvents",
        "getHistory",
        "getRecord",
        "getIncidents",
        "subscribe",
        "unsubscribe",
        "getDecisions",
    ),
    *(
        "getSyncStrategy",
        "listDefinitions",
        "getServices",
        "getSwitchPlan",
        "getWarnings",
        "getInfo",
        "ping",
        "rpc.discover",
    ),
}
"""Those that change nothing: the bridge asks no token for them."""
NOT_FOR_BROWSERS = {"shutdown", "reload", "backup", "newToken", "subscribe"}


@pytest.mark.looptime
async def test_exactly_these_methods_are_there(house: ApiHouse) -> None:
    """The fifteen of the task manager and the further ones, parameters in their order."""
    expected = {**FIFTEEN, **MORE}
    assert set(house.methods) == set(expected)
    for name, method in house.methods.items():
        assert (method.body is not None) == (expected[name] is None), name
        assert [param.name for param in method.params] == (expected[name] or []), name


@pytest.mark.looptime
async def test_which_change_something(house: ApiHouse) -> None:
    """What changes something is marked so, and what only a program on the socket may ask."""
    assert {name for name, each in house.methods.items() if not each.changes} == READING
    local = {name for name, each in house.methods.items() if each.local}
    assert local - {"unsubscribe"} == NOT_FOR_BROWSERS


@pytest.mark.looptime
async def test_the_description_is_openrpc(house: ApiHouse) -> None:
    """By the official schema, and so is each JSON Schema in it."""
    house.described("ping")
    document = json.loads((SCHEMAS / "openrpc.json").read_text())
    schema = json.loads((SCHEMAS / "json-schema.json").read_text())
    place = schema["$id"].rstrip("/")
    registry: Any = Registry().with_resources(
        [(url, DRAFT7.create_resource(schema)) for url in (place, place + "/")]
    )
    validator = Draft7Validator(document, registry=registry)
    assert [error.message for error in validator.iter_errors(house.document)] == []
    broken = {**house.document, "methods": [{"name": "x"}]}
    assert not validator.is_valid(broken)


@pytest.mark.looptime
async def test_every_method_is_described_in_words(house: ApiHouse) -> None:
    """A summary for each, a schema for each result, a code for each error."""
    house.described("ping")
    for each in house.document["methods"]:
        assert each["summary"].endswith("."), each["name"]
        assert each["result"]["schema"] is not None
        for error in each.get("errors", []):
            assert -32008 <= error["code"] <= -32001


@pytest.mark.looptime
async def test_an_unknown_method(house: ApiHouse) -> None:
    """-32601, which says where all methods are listed."""
    answer = await house.raw("getTsak", {})
    assert answer["error"]["code"] == -32601
    assert "rpc.discover" in answer["error"]["message"]
