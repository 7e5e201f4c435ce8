"""The description of the browsers' door says what really passes it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from kaspad_taskd.bridge import wizard
from kaspad_taskd.core.fact import EventName
from tests.bridge.house import Bridged, bridged
from tests.fakes import npm

NODE = "node-sync-kaspa-node"
ASKED: tuple[tuple[str, Any], ...] = (
    ("task:register", {"type": "node-sync", "service": "kaspa-node", "config": {}}),
    ("task:status", {"taskId": NODE}),
    ("tasks:list", None),
    ("sync:pause", None),
    ("sync:resume", {"taskId": NODE}),
    ("task:cancel", {"taskId": NODE}),
    ("task:retry", {"taskId": NODE}),
    ("sync:strategy-chosen", {"choice": "wait"}),
    ("events:since", {"seq": 0}),
    ("rpc", {"method": "ping"}),
)
REFUSED: tuple[tuple[str, Any], ...] = (
    ("task:status", {"taskId": "none"}),
    ("events:since", {"seq": 99}),
    ("rpc", {"method": "none"}),
)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Bridged]:
    async with bridged(tmp_path) as built:
        yield built


async def described(house: Bridged) -> Any:
    status, text = await house.get("/asyncapi.json")
    assert status == 200
    return json.loads(text)


def judge(document: Any, name: str, payload: Any) -> None:
    """Hold a payload against what the document says of its message."""
    schema = document["channels"]["socket"]["messages"][name]["payload"]
    faults = Draft7Validator({**schema, "components": document["components"]}).iter_errors(payload)
    assert [f"{name}: {fault.message}" for fault in faults] == []


async def test_all_that_passes_is_as_described(house: Bridged) -> None:
    """Every request of a wizard, what acknowledges it, every event told meanwhile, every no."""
    assert {name for name, _ in ASKED} == {*wizard.REQUESTS, wizard.RPC, wizard.EVENTS_SINCE}
    document = await described(house)
    visitor = await house.visit()
    for request, given in (*ASKED, *REFUSED):
        judge(document, request, given)
        judge(document, f"{request}:ack", await visitor.ask(request, given))
    house.fanout.all("server:stopping", {"reason": "test"})
    await visitor.event("server:stopping")
    for name, data in visitor.told:
        judge(document, name, data)
    told = set(visitor.names())
    assert {"hello", "task:error", "task:added", "sync:start", "sync:cancelled"} <= told


async def test_nothing_is_left_out(house: Bridged) -> None:
    """Each event on record is a message, each request an operation, no reference dangles."""
    document = await described(house)
    messages = document["channels"]["socket"]["messages"]
    assert {each.value for each in EventName} <= messages.keys()
    operations = document["operations"]
    assert {name for name, _ in ASKED} == operations.keys() - {"tell"}
    for operation in operations.values():
        for ref in (*operation["messages"], *operation.get("reply", {}).get("messages", ())):
            assert ref["$ref"].removeprefix("#/channels/socket/messages/") in messages


async def test_the_document_is_asyncapi(house: Bridged) -> None:
    """By the official schema of version 3."""
    folder = npm.modules() / "node_modules/@asyncapi/specs/schemas"
    schema = json.loads((folder / "3.0.0-without-$id.json").read_text())
    validator = Draft7Validator(schema)
    document = await described(house)
    assert [fault.message for fault in validator.iter_errors(document)] == []
    assert not validator.is_valid({**document, "channels": {"socket": {"messages": []}}})
