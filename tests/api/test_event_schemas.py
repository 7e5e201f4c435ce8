"""The events' schemas: every event that the engine can make is as its schema says, no less."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from kaspad_taskd.api.event_schemas import event_schemas
from kaspad_taskd.api.wire import progress_event
from kaspad_taskd.core.attention import ServiceState, Sight
from kaspad_taskd.core.fact import EventName
from kaspad_taskd.core.observation import Reading, Refused, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.switch import SwitchReason
from kaspad_taskd.switching.hands import Bad
from tests.api.house import ApiHouse
from tests.fakes.hands import service

NODE = "node-sync-n"


def faults(name: str, data: dict[str, Any]) -> list[str]:
    """What a payload breaks; fields that the schema does not know are a fault too."""
    closed = {**event_schemas()[name], "additionalProperties": False}
    return [f"{name}: {each.message}" for each in Draft202012Validator(closed).iter_errors(data)]


async def live(house: ApiHouse) -> None:
    """Make every event there is."""
    probe = house.probe(NODE)
    probe.answers = [
        Reading(position=1.0, target=10.0),
        Unreachable(Reason.REFUSED, {"address": "a:1"}),
        Reading(position=2.0, target=10.0),
        Reading(position=0.0, target=10.0, epoch="db-reset"),
    ]
    await house.ask("registerTask", type="node-sync", service="n", checkInterval=1000)
    for _ in range(4):
        await house.ask("checkTaskStatus", taskId=NODE)
    await house.ask("pauseTask", taskId=NODE)
    await house.ask("resumeTask", taskId=NODE)
    await house.ask("cancelTask", taskId=NODE)
    await house.ask("retryTask", taskId=NODE)
    probe.default = Refused(Reason.CHECKER_ERROR, {"text": "no"})
    for wait in (0, 0, 300):
        await asyncio.sleep(wait)
        await house.ask("checkTaskStatus", taskId=NODE)
    await house.ask("retryTask", taskId=NODE)
    probe.default = Reading(position=10.0, target=10.0, complete=True)
    for _ in range(2):
        await house.ask("checkTaskStatus", taskId=NODE)
    await house.settle()
    await switches(house)
    await house.ask("registerTask", type="report", service="w")
    await house.ask("removeTask", taskId="report-w")


async def switches(house: ApiHouse) -> None:
    """A node's switch that succeeds, and somebody's that is undone."""
    house.services["kasia"] = service()
    await house.ask("registerTask", type="node-sync", service="k", config={"port": 16110})
    await house.ask("completeTask", taskId="node-sync-k")
    await asyncio.sleep(5)
    house.hands.bad["verify public"] = Bad(SwitchReason.NO_ANSWER)
    await house.ask("switchService", service="kasia", to="public")
    await house.switcher.idle("kasia")
    for state in (ServiceState.FAILED, ServiceState.RUNNING):
        house.hands.sights["kasia"] = Sight(house.now(), state, facts={"unit": "k.service"})
        await house.ask("getServices")


@pytest.mark.looptime
async def test_every_event_is_as_described(house: ApiHouse) -> None:
    """Each event on record passes its schema, and each name comes up."""
    await live(house)
    house.engine.warn("state-repaired", {"why": "a page", "aside": "state.db.1"})
    await asyncio.sleep(1)
    events = (await house.ask("getEvents"))["events"]
    assert [fault for each in events for fault in faults(each["event"], each["data"])] == []
    told = {each["event"] for each in events}
    named = {each.value for each in EventName}
    assert named - told <= {"sync:progress", "task:changed"}


@pytest.mark.looptime
async def test_progress_is_as_described(house: ApiHouse) -> None:
    """Before the first answer, under way and complete; the blocks come with the answer."""
    house.probe(NODE).default = Reading(position=1.0, target=10.0)
    await house.ask("registerTask", type="node-sync", service="n", checkInterval=1000)
    for wanted in ("retry", "check"):
        task = house.engine.get(NODE)
        assert task is not None
        assert faults("sync:progress", progress_event(task, 1, house.now())) == [], wanted
        await house.ask("checkTaskStatus", taskId=NODE)


def test_every_name_has_a_schema() -> None:
    """A new event cannot be forgotten."""
    assert list(event_schemas()) == [each.value for each in EventName]
