"""Why a task is shown as it is, as both doors tell it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kaspad_taskd.core.observation import (
    Condition,
    Done,
    Leg,
    PlannedPhase,
    Reading,
    Route,
    Unreachable,
)
from kaspad_taskd.core.reason import Reason
from tests.api.house import ApiHouse

pytestmark = pytest.mark.looptime
NODE = "node-sync-node"
FOUND = (
    Condition("synced", True),
    Condition("no-download", False, 1, 0),
    Condition("young-block", False, 412.0, 60.0),
)
AT_BLOCKS = Reading(
    phase="blocks",
    plan=(PlannedPhase("headers", 20), PlannedPhase("blocks", 80)),
    position=1_250.0,
    start=1_000.0,
    target=2_000.0,
    drift=10.0,
    unit="blocks",
    basis="estimated",
    done=Done("blocks", 1_250.0),
    route=Route((Leg("blocks", 750.0),), 10.0, ("blocks",), {"blocks": 25.0}, 4.0),
    conditions=FOUND,
    metadata={"peers": 8},
)


async def node(house: ApiHouse, seen: Any) -> dict[str, Any]:
    """The explanation of a node, 3 s after a look that brought this."""
    house.probe(NODE).default = seen
    await house.ask("registerNodeSyncTask", service="node", checkInterval="1h")
    await house.settle()
    await house.ask("checkTaskStatus", taskId=NODE)
    await asyncio.sleep(3.0)
    said: dict[str, Any] = await house.ask("explainTask", NODE)
    return said


async def test_all_of_it_in_numbers(house: ApiHouse) -> None:
    """Each condition with what was found and a sentence, each number with its rule and age."""
    said = await node(house, AT_BLOCKS)
    complete = said["complete"]
    assert (complete["holds"], complete["rule"], complete["failing"]) == (False, "conditions", 3)
    assert [each["note"] for each in complete["conditions"]] == [
        "it says that it is synced",
        "it downloads from 1 of its peers",
        "its newest block is 412 s old, and must be younger than 60 s",
        "good looks in a row: 0, needed are 2",
    ]
    assert said["percent"] == {
        "shown": 40.0, "basis": "estimated", "rule": "weights", "counted": 40.0, "held": False,
        "share": 0.25,
    }  # fmt: skip
    step = said["step"]
    assert (step["phase"], step["number"], step["of"], step["pass"]) == ("blocks", 2, 2, 1)
    assert said["health"]["rule"] == "answers"
    assert said["movement"]["reached"] == {"blocks": 1_250.0}
    assert said["timeLeft"]["walk"] == {
        "legs": [{"phase": "blocks", "amount": 750.0, "rate": 25.0, "seconds": 30.0}],
        "grown": 310.0, "pace": 25.0, "drift": 10.0, "pause": 4.0,
    }  # fmt: skip
    assert said["timeLeft"]["seconds"] == pytest.approx(30 + 310 / 15 + 4, abs=0.1)
    readings = said["readings"]
    assert 3.0 <= readings["reading"]["age"] < 4.0
    assert readings["facts"] == {"peers": 8}
    assert (readings["position"], readings["target"]) == (1_250.0, 2_000.0)
    assert said["task"] == await house.ask("getTask", NODE)


async def test_what_nobody_answers_is_not_made_up(house: ApiHouse) -> None:
    """Before the first answer there are no conditions, and nothing has an age."""
    said = await node(house, Unreachable(Reason.REFUSED))
    assert (said["complete"]["rule"], said["complete"]["conditions"]) == ("unread", [])
    assert said["readings"]["reading"] == {"at": None, "age": None}
    assert said["readings"]["look"]["age"] >= 3.0
    assert (said["health"]["rule"], said["health"]["reason"]) == ("unreachable", "refused")
    assert said["step"] is None


async def test_it_says_complete_when_the_task_is(house: ApiHouse) -> None:
    """The last looks proved it; it stays explained afterwards."""
    house.probe(NODE).default = Reading(complete=True)
    await house.ask("registerNodeSyncTask", service="node", checkInterval="1s")
    await asyncio.sleep(5.0)
    said = await house.ask("explainTask", NODE)
    assert said["task"]["status"] == "complete"
    assert (said["complete"]["holds"], said["complete"]["rule"]) == (True, "proven")
    assert [(each["key"], each["holds"]) for each in said["complete"]["conditions"]] == [
        ("says-complete", True),
        ("confirmed", True),
    ]


async def test_a_plain_report(house: ApiHouse) -> None:
    """Whatever type it is, there is an explanation."""
    task_id = (await house.ask("registerTask", type="report", service="work"))["taskId"]
    await house.ask("reportTask", taskId=task_id, progress=42)
    said = await house.ask("explainTask", taskId=task_id)
    assert (said["percent"]["rule"], said["percent"]["counted"]) == ("counted", 42.0)
    assert [each["note"] for each in said["complete"]["conditions"]] == [
        "it does not say that it is complete"
    ]


async def test_an_unknown_task(house: ApiHouse) -> None:
    """As everywhere: not-found, naming the id."""
    refusal = await house.no("explainTask", "nothing")
    assert refusal.reason == "not-found"
