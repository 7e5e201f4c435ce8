"""Tasks are read, started, paused, ended, begun anew, removed, looked at and reported on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kaspad_taskd.core.observation import Reading, Refused, Unreachable
from kaspad_taskd.core.reason import Reason
from tests.api.house import ApiHouse

pytestmark = pytest.mark.looptime
WORK, NODE = "report-work", "node-sync-node"


async def work(house: ApiHouse, service: str = "work", **more: Any) -> str:
    answer = await house.ask("registerTask", type="report", service=service, **more)
    task_id: str = answer["taskId"]
    return task_id


async def node(house: ApiHouse, **more: Any) -> str:
    given = {"service": "node", "checkInterval": "10s", **more}
    task_id: str = (await house.ask("registerNodeSyncTask", **given))["taskId"]
    return task_id


def reading(position: float, **more: Any) -> Reading:
    return Reading(position=position, target=100.0, start=0.0, unit="blocks", **more)


# -- reading


async def test_getting_tasks(house: ApiHouse) -> None:
    """All in order of registration, by type, by service, each also by status; one, or null."""
    for service in ("c", "a", "b"):
        await work(house, service)
    await node(house)
    await house.ask("cancelTask", taskId="report-a")

    async def ids(method: str, **given: Any) -> list[str]:
        return [task["id"] for task in await house.ask(method, **given)]

    assert await ids("getAllTasks") == ["report-c", "report-a", "report-b", NODE]
    assert await ids("getAllTasks", status="cancelled") == ["report-a"]
    assert await ids("getTasksByType", type="node-sync") == [NODE]
    assert await ids("getTasksByType", type="report", status="in-progress") == [
        "report-c",
        "report-b",
    ]
    assert await ids("getTasksByService", service="a") == ["report-a"]
    assert await ids("getTasksByService", service="a", status="error") == []
    assert await ids("getTasksByType", type="nothing") == []
    assert await house.ask("getTask", taskId="nothing") is None
    assert (await house.ask("getTask", "report-a"))["status"] == "cancelled"


@pytest.mark.parametrize(
    ("method", "given", "parameter"),
    [
        ("getTask", {}, "taskId"),
        ("getTask", {"taskId": 7}, "taskId"),
        ("getTask", {"taskId": ""}, "taskId"),
        ("getTask", {"taskId": "x", "colour": 1}, "colour"),
        ("getAllTasks", {"status": "done"}, "status"),
        ("getTasksByType", {}, "type"),
        ("getTasksByService", {"service": ["a"]}, "service"),
        ("cancelTask", {"taskId": None}, "taskId"),
        ("completeTask", {"taskId": "x", "finalStatus": 7}, "finalStatus"),
        ("completeTask", {"taskId": "x", "finalStatus": {"progress": 7}}, "finalStatus"),
        ("completeTask", {"taskId": "x", "finalStatus": {"metadata": [1]}}, "finalStatus"),
        ("errorTask", {"taskId": "x"}, "error"),
        ("errorTask", {"taskId": "x", "error": ""}, "error"),
        ("cleanupOldTasks", {"maxAge": -1}, "maxAge"),
        ("cleanupOldTasks", {"maxAge": "1h"}, "maxAge"),
        ("waitTask", {"taskId": "x", "revision": 1.5}, "revision"),
        ("waitTask", {"taskId": "x", "timeout": -1}, "timeout"),
        ("reportTask", {"taskId": "x", "progress": 101}, "progress"),
        ("reportTask", {"taskId": "x", "progress": True}, "progress"),
        ("reportTask", {"taskId": "x", "completed": 1}, "completed"),
        ("reportTask", {"taskId": "x", "metadata": {"a": {}}}, "metadata"),
        ("reportTask", {"taskId": "x", "metadata": {"a": "x" * 201}}, "metadata"),
        ("reportTask", {"taskId": "x", "metadata": {str(n): 1 for n in range(65)}}, "metadata"),
    ],
)
async def test_bad_parameters(
    house: ApiHouse, method: str, given: dict[str, Any], parameter: str
) -> None:
    """-32602 names the parameter and what it must be."""
    no = await house.no(method, **given)
    assert (no.code, no.reason) == (-32602, "invalid-params")
    assert no.data["parameter"] == parameter
    assert no.message.startswith(f"{parameter}: ")


async def test_too_many_parameters_by_position(house: ApiHouse) -> None:
    """They are counted, not guessed at."""
    no = await house.no("getTask", "a", "b")
    assert (no.code, no.data["parameter"]) == (-32602, "params")


@pytest.mark.parametrize(
    "method",
    ["startMonitoring", "stopMonitoring", "pauseTask", "resumeTask", "retryTask", "cancelTask",
     "completeTask", "removeTask", "checkTaskStatus", "waitTask", "reportTask", "getHistory",
     "getSyncStrategy"],
)  # fmt: skip
async def test_a_task_that_is_not_there(house: ApiHouse, method: str) -> None:
    """not-found names it."""
    no = await house.no(method, taskId="nothing")
    assert (no.code, no.reason, no.data["taskId"]) == (-32001, "not-found", "nothing")
    assert "nothing" in no.message


# -- the lifecycle


async def status(house: ApiHouse, task_id: str = WORK) -> str:
    task = await house.ask("getTask", taskId=task_id)
    return str(task["status"])


async def test_start_and_stop_may_be_asked_twice(house: ApiHouse) -> None:
    """They bring a task where it shall be, and are content if it is there."""
    await work(house, start=False, checkInterval=2500)
    for _ in range(2):
        answer = await house.ask("startMonitoring", taskId=WORK)
        assert answer == {"success": True, "taskId": WORK, "checkInterval": 2500}
        assert await status(house) == "in-progress"
    for _ in range(2):
        assert await house.ask("stopMonitoring", taskId=WORK) == {"success": True, "taskId": WORK}
        assert await status(house) == "paused"
    await house.ask("startMonitoring", taskId=WORK)
    assert await status(house) == "in-progress"


async def test_start_is_no_lie_when_the_disk_fails(house: ApiHouse) -> None:
    """Who asks for what another's failing change would have made is told that it is not so."""
    await work(house)
    await house.ask("pauseTask", taskId=WORK)
    house.store.fail_next("the disk is full")
    both = await asyncio.gather(
        house.no("resumeTask", taskId=WORK), house.ask("startMonitoring", taskId=WORK)
    )
    assert both[0].reason == "store-unavailable"
    assert await status(house) == "in-progress"


async def test_pause_and_resume_change_something(house: ApiHouse) -> None:
    """Or they are not allowed; the answer has the task."""
    await work(house)
    no = await house.no("resumeTask", taskId=WORK)
    assert (no.code, no.reason, no.data["status"]) == (-32003, "not-allowed", "in-progress")
    assert no.message == "Not possible now: resume has no place in status in-progress."
    paused = await house.ask("pauseTask", taskId=WORK)
    assert (paused["taskId"], paused["task"]["status"]) == (WORK, "paused")
    assert paused["task"]["actions"] == ["start", "cancel", "remove"]
    no = await house.no("pauseTask", taskId=WORK)
    assert no.data["status"] == "paused"
    assert (await house.ask("resumeTask", taskId=WORK))["task"]["status"] == "in-progress"


async def test_what_waits_is_not_resumed(house: ApiHouse) -> None:
    """A pending task was never paused; but it can be started over what it waits for."""
    await work(house, after=["missing"])
    no = await house.no("resumeTask", taskId=WORK)
    assert (no.reason, no.data["status"]) == ("not-allowed", "pending")
    await house.ask("startMonitoring", taskId=WORK)
    assert await status(house) == "in-progress"


async def test_the_ends(house: ApiHouse) -> None:
    """Cancelled, complete and error: each once, with its moment; retry begins the next attempt."""
    await work(house)
    assert await house.ask("cancelTask", taskId=WORK) == {"success": True, "taskId": WORK}
    task = await house.ask("getTask", taskId=WORK)
    assert (task["status"], task["actions"]) == ("cancelled", ["retry", "remove"])
    assert task["cancelledAt"] is not None
    for method in ("cancelTask", "completeTask", "pauseTask", "startMonitoring", "stopMonitoring"):
        no = await house.no(method, taskId=WORK)
        assert (no.reason, no.data["status"]) == ("not-allowed", "cancelled"), method
    task = (await house.ask("retryTask", taskId=WORK))["task"]
    assert (task["status"], task["attempt"], task["cancelledAt"]) == ("in-progress", 2, None)

    answer = await house.ask(
        "completeTask", taskId=WORK, finalStatus={"metadata": {"blocks": 12, "by": "hand"}}
    )
    task = await house.ask("getTask", taskId=WORK)
    assert answer == {"success": True, "taskId": WORK, "completedAt": task["completedAt"]}
    assert (task["status"], task["progress"]) == ("complete", 100)
    assert task["metadata"] == {"blocks": 12, "by": "hand"}
    assert task["formattedTimeRemaining"] == "Complete"

    await house.ask("retryTask", taskId=WORK)
    answer = await house.ask("errorTask", taskId=WORK, error="it broke")
    assert answer == {"success": True, "taskId": WORK, "error": "it broke"}
    task = await house.ask("getTask", taskId=WORK)
    assert (task["status"], task["error"], task["attempt"]) == ("error", "it broke", 3)
    assert task["erroredAt"] is not None
    no = await house.no("reportTask", taskId=WORK, progress=1)
    assert (no.reason, no.data["status"]) == ("not-allowed", "error")


async def test_a_live_task_is_not_retried(house: ApiHouse) -> None:
    """There is nothing to begin anew."""
    await work(house)
    no = await house.no("retryTask", taskId=WORK)
    assert (no.reason, no.data["status"]) == ("not-allowed", "in-progress")


async def test_removing(house: ApiHouse) -> None:
    """A live one is cancelled first; its copy goes; a file's task is not removed over an API."""
    await work(house)
    assert WORK in house.mirror.kept
    answer = await house.ask("removeTask", taskId=WORK)
    assert (answer["success"], answer["taskId"], answer["task"]["id"]) == (True, WORK, WORK)
    assert await house.ask("getTask", taskId=WORK) is None
    assert WORK not in house.mirror.kept
    names = [event["event"] for event in (await house.ask("getEvents"))["events"]]
    assert names == ["task:added", "sync:start", "sync:cancelled", "task:removed"]


async def test_cleaning_up(house: ApiHouse) -> None:
    """What ended longer ago than maxAge (an hour by itself) goes, nothing else."""
    for service in ("old", "new", "live"):
        await work(house, service)
    await house.ask("completeTask", taskId="report-old")
    await asyncio.sleep(3000)
    await house.ask("cancelTask", taskId="report-new")
    await asyncio.sleep(601)
    assert await house.ask("cleanupOldTasks") == {"success": True, "cleaned": 1}
    assert [task["id"] for task in await house.ask("getAllTasks")] == ["report-new", "report-live"]
    assert (await house.ask("cleanupOldTasks", maxAge=0))["cleaned"] == 1
    assert [task["id"] for task in await house.ask("getAllTasks")] == ["report-live"]


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("pauseTask", {}),
        ("cancelTask", {}),
        ("completeTask", {}),
        ("errorTask", {"error": "x"}),
        ("reportTask", {"progress": 5}),
        ("removeTask", {}),
        ("stopMonitoring", {}),
    ],
)
async def test_a_disk_that_fails(house: ApiHouse, method: str, given: dict[str, Any]) -> None:
    """store-unavailable: the change is not made, the same one later is."""
    await work(house)
    before = await house.ask("getTask", taskId=WORK)
    house.store.fail_next("the disk is full")
    no = await house.no(method, taskId=WORK, **given)
    assert (no.code, no.reason) == (-32006, "store-unavailable")
    after = await house.ask("getTask", taskId=WORK)
    assert after == before
    await house.ask(method, taskId=WORK, **given)


# -- looking


async def test_a_look_is_taken_now(house: ApiHouse) -> None:
    """The answer of checkTaskStatus has what the look brought."""
    probe = house.probe(NODE)
    probe.default = reading(10.0)
    await node(house, checkInterval="1h")
    await asyncio.sleep(5)
    probe.default = reading(30.0, metadata={"peers": 3, "text": "x" * 300})
    answer = await house.ask("checkTaskStatus", taskId=NODE)
    assert answer["completed"] is False
    assert answer["status"]["completed"] is False
    assert answer["status"]["progress"] == answer["task"]["progress"] > 0
    assert answer["status"]["metadata"] == {"peers": 3, "text": "x" * 200}
    assert probe.looks == 2


async def test_the_look_in_flight_is_waited_for(house: ApiHouse) -> None:
    """Two who ask and the monitor itself take one look together."""
    probe = house.probe(NODE)
    probe.takes = 2.0
    await node(house)
    await asyncio.sleep(0.5)
    await asyncio.gather(*(house.ask("checkTaskStatus", taskId=NODE) for _ in range(3)))
    assert (probe.looks, probe.most_at_once) == (1, 1)


async def test_a_task_at_rest_is_not_looked_at(house: ApiHouse) -> None:
    """What is known of it is the answer."""
    await node(house)
    await asyncio.sleep(1)
    await house.ask("pauseTask", taskId=NODE)
    looks = house.probe(NODE).looks
    answer = await house.ask("checkTaskStatus", taskId=NODE)
    assert answer["task"]["status"] == "paused"
    assert house.probe(NODE).looks == looks


async def test_what_looks_bring(house: ApiHouse) -> None:
    """Unreachable is health with a reason and a note; refused for long is error with a sentence."""
    probe = house.probe(NODE)
    probe.default = Unreachable(Reason.REFUSED, {"address": "localhost:16110"})
    await node(house)
    answer = await house.ask("checkTaskStatus", taskId=NODE)
    task = answer["task"]
    assert (task["status"], task["health"], task["reason"]) == (
        "in-progress",
        "unreachable",
        "refused",
    )
    assert task["note"]
    assert task["etaReason"] is not None
    probe.default = Refused(Reason.WRONG_NETWORK, {"network": "simnet", "expected": "mainnet"})
    for _ in range(3):
        answer = await house.ask("checkTaskStatus", taskId=NODE)
    assert answer["task"]["status"] == "in-progress"
    await asyncio.sleep(60)
    answer = await house.ask("checkTaskStatus", taskId=NODE)
    assert answer["task"]["status"] == "error"
    assert "simnet" in answer["task"]["error"]


async def test_a_look_that_crashes_says_nothing_of_it(house: ApiHouse) -> None:
    """The task says under which incident the log has more; no text of the crash goes out."""
    house.probe(NODE).default = RuntimeError("secret /etc/shadow")
    await node(house)
    task = (await house.ask("checkTaskStatus", taskId=NODE))["task"]
    assert (task["status"], task["reason"]) == ("in-progress", "checker-fault")
    assert "secret" not in str(task)


# -- waiting


async def test_waiting_for_a_change(house: ApiHouse) -> None:
    """The answer comes with the next revision, at once if there is a newer one already."""
    await work(house)
    known = (await house.ask("getTask", taskId=WORK))["revision"]
    waiting = asyncio.create_task(house.ask("waitTask", taskId=WORK))
    await asyncio.sleep(5)
    assert not waiting.done()
    await house.ask("reportTask", taskId=WORK, progress=7)
    assert (await waiting)["progress"] == 7
    began = asyncio.get_running_loop().time()
    assert (await house.ask("waitTask", taskId=WORK, revision=known))["progress"] == 7
    assert asyncio.get_running_loop().time() == began


async def test_waiting_ends(house: ApiHouse) -> None:
    """At the timeout (30 s by itself), at once where the task has ended, and when it goes."""
    await work(house)
    loop = asyncio.get_running_loop()
    for given, lasts in (({}, 30.0), ({"timeout": 1500}, 1.5), ({"timeout": 0}, 0.0)):
        began = loop.time()
        assert (await house.ask("waitTask", taskId=WORK, **given))["status"] == "in-progress"
        assert loop.time() - began == pytest.approx(lasts, abs=0.01)
    going = asyncio.create_task(house.no("waitTask", taskId=WORK))
    await asyncio.sleep(1)
    await house.ask("removeTask", taskId=WORK)
    assert (await going).reason == "not-found"
    await work(house)
    await house.ask("cancelTask", taskId=WORK)
    began = loop.time()
    assert (await house.ask("waitTask", taskId=WORK, revision=99))["status"] == "cancelled"
    assert loop.time() == began


# -- reporting


async def test_reporting(house: ApiHouse) -> None:
    """Progress, metadata that adds up, and the end; progress never falls."""
    await work(house)
    task = (await house.ask("reportTask", taskId=WORK, progress=12.34))["task"]
    assert (task["progress"], task["health"], task["progressBasis"]) == (12.3, "ok", "exact")
    await house.ask("reportTask", taskId=WORK, metadata={"a": 1, "b": "x"})
    task = (await house.ask("reportTask", taskId=WORK, progress=5, metadata={"a": 2}))["task"]
    assert task["progress"] == 12.3
    assert task["metadata"] == {"a": 2, "b": "x"}
    task = (await house.ask("reportTask", taskId=WORK, progress=100))["task"]
    assert (task["status"], task["progress"] < 100) == ("in-progress", True)
    task = (await house.ask("reportTask", taskId=WORK, completed=True))["task"]
    assert (task["status"], task["progress"]) == ("complete", 100)


async def test_reporting_an_error(house: ApiHouse) -> None:
    """The work's own word ends the task at once, in its words."""
    await work(house)
    task = (await house.ask("reportTask", taskId=WORK, error="disk gone"))["task"]
    assert (task["status"], task["error"]) == ("error", "disk gone")


@pytest.mark.parametrize("more", [{}, {"progress": 100}, {"metadata": {"a": 1}}])
async def test_a_report_cannot_mean_both_ends(house: ApiHouse, more: dict[str, Any]) -> None:
    """Completed and failed at once: -32602 names both, and nothing changes."""
    await work(house)
    before = await house.ask("getTask", taskId=WORK)
    no = await house.no("reportTask", taskId=WORK, completed=True, error="disk gone", **more)
    assert (no.code, no.reason) == (-32602, "invalid-params")
    assert "completed" in no.message
    assert "error" in no.message
    assert no.data["parameter"] in ("completed", "error")
    assert await house.ask("getTask", taskId=WORK) == before
    task = (await house.ask("reportTask", taskId=WORK, completed=False, error="gone"))["task"]
    assert task["status"] == "error"


async def test_completed_beside_an_error_that_is_null(house: ApiHouse) -> None:
    """Null is nothing said: some writers of JSON send every member."""
    await work(house)
    task = (await house.ask("reportTask", taskId=WORK, completed=True, error=None))["task"]
    assert task["status"] == "complete"


async def test_a_silent_report_is_stalled(house: ApiHouse) -> None:
    """For stallAfter; a report that brings it forward makes it well again, the same number not."""
    await work(house, stallAfter="1min", checkInterval="10s")
    await house.ask("reportTask", taskId=WORK, progress=5)
    await asyncio.sleep(50)
    assert (await house.ask("getTask", taskId=WORK))["health"] == "ok"
    await asyncio.sleep(30)
    assert (await house.ask("getTask", taskId=WORK))["health"] == "stalled"
    again = (await house.ask("reportTask", taskId=WORK, progress=5))["task"]
    assert (again["health"], again["reason"]) == ("stalled", "no-movement")
    assert (await house.ask("reportTask", taskId=WORK, progress=6))["task"]["health"] == "ok"


async def test_only_reports_are_reported_on(house: ApiHouse) -> None:
    """A node is looked at; nobody may speak for it."""
    await node(house)
    no = await house.no("reportTask", taskId=NODE, progress=50)
    assert (no.reason, no.data["status"]) == ("not-allowed", "in-progress")
    assert no.message == f"{NODE} is of type node-sync: only the type report is reported on."


async def test_64_reports_at_once(house: ApiHouse) -> None:
    """Each builds on the one before it, none is lost, and each answer shows its own."""
    await work(house)
    answers = await asyncio.gather(
        *(house.ask("reportTask", taskId=WORK, progress=n / 2, metadata={f"n{n}": n})
          for n in range(1, 65))
    )  # fmt: skip
    assert [answer["task"]["progress"] for answer in answers] == [n / 2 for n in range(1, 65)]
    task = await house.ask("getTask", taskId=WORK)
    assert len(task["metadata"]) == 64


async def test_an_answered_report_is_on_disk(house: ApiHouse) -> None:
    """Also if it brought nothing but metadata; one that failed is shown nowhere."""
    await work(house)
    await house.ask("reportTask", taskId=WORK, progress=10, metadata={"a": 1})
    await house.ask("reportTask", taskId=WORK, metadata={"a": 2})
    (stored,) = house.store.open().tasks
    assert stored.live.metadata == {"a": 2}
    house.store.fail_next("the disk is full")
    await house.no("reportTask", taskId=WORK, progress=50, metadata={"a": 3})
    task = await house.ask("getTask", taskId=WORK)
    assert (task["progress"], task["metadata"], task["progressDetail"]["done"]) == (
        10,
        {"a": 2},
        10,
    )
