"""What those may call who only read."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from kaspad_taskd.api.reading import for_readers, may_read
from kaspad_taskd.rpc.dispatch import Dispatcher

if TYPE_CHECKING:
    from tests.api.house import ApiHouse

pytestmark = pytest.mark.looptime

READING = {
    *(
        "getAllTasks",
        "getTask",
        "getTasksByService",
        "getTasksByType",
        "getEvents",
        "getHistory",
        "getIncidents",
        "getRecord",
    ),
    *("getDecisions", "getSyncStrategy", "getServices", "getWarnings", "getInfo"),
    "getSwitchPlan",
    *("listDefinitions", "explainTask", "subscribe", "unsubscribe", "ping", "rpc.discover"),
}


async def said(house: ApiHouse, method: str, params: Any) -> dict[str, Any]:
    """The answer of the door for readers."""
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    door = Dispatcher(for_readers(house.methods))
    answer = door.answer(json.dumps(request).encode(), house.caller)
    if not isinstance(answer, bytes):
        answer = await answer.answer(asyncio.Semaphore(1))
    found: dict[str, Any] = json.loads(answer)
    return found


async def test_exactly_these_are_answered(house: ApiHouse) -> None:
    """A new method that changes something cannot slip in, whatever it is called."""
    assert {name for name, each in house.methods.items() if may_read(each)} == READING
    assert not any(house.methods[name].changes for name in READING)


@pytest.mark.parametrize("params", [{}, [], {"taskId": "a"}, ["a"], {"nothing": 1}])
async def test_every_other_is_forbidden_and_does_nothing(house: ApiHouse, params: Any) -> None:
    """Whatever its parameters: it is not even looked at them."""
    await house.ask("registerTask", type="report", service="a", id="a")
    before = await house.ask("getEvents")
    for name in sorted(set(house.methods) - READING):
        answer = await said(house, name, params)
        assert answer["error"]["data"] == {"reason": "forbidden"}, name
        assert "as root, or as a member of the group" in answer["error"]["message"]
    await asyncio.sleep(1)
    assert await house.ask("getEvents") == before


async def test_what_is_for_readers_is_answered_as_everywhere(house: ApiHouse) -> None:
    """The same answers and the same refusals."""
    await house.ask("registerTask", type="report", service="a", id="a")
    answer = await said(house, "getTask", {"taskId": "a"})
    assert answer["result"] == await house.ask("getTask", taskId="a")
    assert (await said(house, "getTask", {}))["error"]["code"] == -32602
    assert (await said(house, "getHistory", ["b"]))["error"]["data"]["reason"] == "not-found"
    assert (await said(house, "nothing", {}))["error"]["code"] == -32601
