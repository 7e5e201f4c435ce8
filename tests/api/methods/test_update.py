"""Another pace or patience for a registered task: kept, applied at once, or refused with a cure."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from kaspad_taskd.config.allowance import Allowance
from kaspad_taskd.core.observation import Reading
from tests.api.house import ApiHouse

pytestmark = pytest.mark.looptime
CONFIG = {"url": "http://localhost:1/", "progress": "p", "completed": "c"}
HTTP: dict[str, Any] = {"type": "http-json", "service": "work", "config": CONFIG}
ID = "http-json-work"


async def _registered(house: ApiHouse, **more: Any) -> dict[str, Any]:
    answer = await house.ask("registerTask", **HTTP, **more)
    await asyncio.sleep(1)
    task: dict[str, Any] = await house.ask("getTask", taskId=answer["taskId"])
    return task


async def test_every_key_is_changed_and_nothing_else(house: ApiHouse) -> None:
    """The task, its history and its copy stay; the answer is the task as it is then."""
    before = await _registered(house)
    await house.ask("registerTask", type="report", service="first")
    answer = await house.ask(
        "updateTask", taskId=ID, checkInterval="20s", timeout=7000, stallAfter="5min",
        giveUpAfter="2h", confirmations=3, after=["report-first"], autoSwitch=False,
    )  # fmt: skip
    task = answer["task"]
    assert (answer["success"], answer["taskId"]) == (True, ID)
    wanted = {
        "checkInterval": 20_000, "timeout": 7000, "stallAfter": 300_000, "giveUpAfter": 7_200_000,
        "after": ["report-first"], "autoSwitch": False,
    }  # fmt: skip
    assert {key: task[key] for key in wanted} == wanted
    assert task["confirmations"]["need"] == 3
    kept = ("attempt", "createdAt", "startedAt", "status", "config", "service", "type", "origin")
    assert {key: task[key] for key in kept} == {key: before[key] for key in kept}
    copy = house.mirror.kept[ID]
    assert (copy.interval, copy.give_up_after) == (20.0, 7200.0)
    assert await house.ask("getTask", taskId=ID) == task
    back = await house.ask("updateTask", taskId=ID, giveUpAfter="never")
    assert (back["task"]["giveUpAfter"], back["task"]["checkInterval"]) == (None, 20_000)


async def test_by_position_in_the_documented_order(house: ApiHouse) -> None:
    """taskId, checkInterval, timeout, stallAfter, giveUpAfter; null leaves as it is."""
    await _registered(house)
    task = (await house.ask("updateTask", ID, None, "3s", None, "1h"))["task"]
    assert (task["checkInterval"], task["timeout"]) == (10_000, 3000)
    assert (task["stallAfter"], task["giveUpAfter"]) == (600_000, 3_600_000)


async def test_it_is_one_change_and_none_where_nothing_differs(house: ApiHouse) -> None:
    """One revision and one `task:changed`; the same once more tells nothing."""
    before = await _registered(house)
    after = (await house.ask("getEvents"))["seq"]
    for _ in range(2):
        task = (await house.ask("updateTask", taskId=ID, stallAfter="5min"))["task"]
        assert task["revision"] == before["revision"] + 1
    told = (await house.ask("getEvents", after=after))["events"]
    assert [each["event"] for each in told] == ["task:changed"]


async def test_a_new_interval_holds_from_now_on(house: ApiHouse) -> None:
    """Who waits for tomorrow's look gets one now, and the next in the new time."""
    await _registered(house, checkInterval="1d")
    await asyncio.sleep(60)
    assert house.probe(ID).looks == 1
    await house.ask("updateTask", taskId=ID, checkInterval="2s")
    await asyncio.sleep(20.5)
    assert house.probe(ID).looks == 12


async def test_a_new_timeout_holds_for_the_next_question(house: ApiHouse) -> None:
    """The probe shares its time out between questions: another one is made for the new time."""
    house.probe(ID).takes = 3.0
    await _registered(house, timeout="1s", checkInterval="1d")
    await asyncio.sleep(60)
    assert (await house.ask("getTask", taskId=ID))["health"] == "unreachable"
    await house.ask("updateTask", taskId=ID, timeout="10s")
    await asyncio.sleep(10)
    assert house.probe(ID).closed == 1
    assert (await house.ask("getTask", taskId=ID))["health"] == "ok"


async def test_less_patience_is_judged_at_once(house: ApiHouse) -> None:
    """Not at the next look, which may be hours away."""
    house.probe(ID).answers = [Reading(position=1.0, target=10.0)]
    await _registered(house, checkInterval="1h", stallAfter="3h")
    await asyncio.sleep(7300)
    assert (await house.ask("getTask", taskId=ID))["health"] == "ok"
    await house.ask("updateTask", taskId=ID, stallAfter="1h")
    await asyncio.sleep(1)
    assert (await house.ask("getTask", taskId=ID))["health"] == "stalled"


@pytest.mark.parametrize("kind", ["http-json", "report"])
async def test_what_the_new_patience_bears_is_not_stalled(house: ApiHouse, kind: str) -> None:
    """From the last movement on, not from the change: the rest of the new patience is left."""
    if kind == "report":
        await house.ask("registerTask", type="report", service="work", stallAfter="5min")
        await house.ask("reportTask", taskId="report-work", progress=4)
    else:
        await _registered(house, stallAfter="5min")
    task_id = f"{kind}-work"
    await asyncio.sleep(400)
    assert (await house.ask("getTask", taskId=task_id))["health"] == "stalled"
    await house.ask("updateTask", taskId=task_id, stallAfter="6min")  # over already
    assert (await house.ask("getTask", taskId=task_id))["health"] == "stalled"
    await house.ask("updateTask", taskId=task_id, stallAfter="15min")
    await asyncio.sleep(1)
    task = await house.ask("getTask", taskId=task_id)
    assert (task["health"], task["reason"]) == ("ok", None)
    await asyncio.sleep(460)
    assert (await house.ask("getTask", taskId=task_id))["health"] == "ok"
    await asyncio.sleep(60)
    assert (await house.ask("getTask", taskId=task_id))["health"] == "stalled"


async def test_fewer_confirmations_end_it_with_a_look_now(house: ApiHouse) -> None:
    """`confirmations` counts looks; the one that is enough is taken at once."""
    house.probe(ID).default = Reading(complete=True, position=10.0, target=10.0)
    await _registered(house, checkInterval="1h", confirmations=50)
    await asyncio.sleep(1)
    await house.ask("updateTask", taskId=ID, confirmations=2)
    await asyncio.sleep(1)
    assert (await house.ask("getTask", taskId=ID))["status"] == "complete"


async def test_a_pending_task_waits_for_others_now(house: ApiHouse) -> None:
    """`after` may be taken away: it starts; a ring is a fault."""
    await house.ask("registerTask", type="report", service="a", after=["missing"])
    await house.ask("registerTask", type="report", service="b", after=["report-a"])
    no = await house.no("updateTask", taskId="report-a", after=["report-b"])
    assert (no.reason, no.data["faults"][0]["key"]) == ("invalid-definition", "after")
    no = await house.no("updateTask", taskId="report-a", after=["report-a"])
    assert "itself" in no.message
    await house.ask("updateTask", taskId="report-a", after=[])
    await house.settle()
    task = await house.ask("getTask", taskId="report-a")
    assert (task["status"], task["waitingFor"]) == ("in-progress", [])


async def test_an_ended_or_paused_task_keeps_its_state(house: ApiHouse) -> None:
    """The pace is for when it is watched again."""
    await _registered(house)
    for act, status in (("pauseTask", "paused"), ("cancelTask", "cancelled")):
        await house.ask(act, taskId=ID)
        task = (await house.ask("updateTask", taskId=ID, timeout=f"{len(status)}s"))["task"]
        assert (task["status"], task["timeout"]) == (status, len(status) * 1000)
    looks = house.probe(ID).looks
    await asyncio.sleep(60)
    assert house.probe(ID).looks == looks


async def test_all_faults_are_told_and_nothing_is_changed(house: ApiHouse) -> None:
    """By the wire's keys, as at a registration."""
    before = await _registered(house)
    no = await house.no(
        "updateTask", taskId=ID, checkInterval="1ms", stallAfter="soon", confirmations=0,
        autoSwitch="no", timeout="20s",
    )  # fmt: skip
    assert (no.code, no.reason) == (-32004, "invalid-definition")
    keys = {each["key"] for each in no.data["faults"]}
    assert keys == {"checkInterval", "stallAfter", "confirmations", "autoSwitch"}
    now = await house.ask("getTask", taskId=ID)
    assert (now["revision"], now["timeout"]) == (before["revision"], before["timeout"])


async def test_what_cannot_be_changed_is_no_parameter(house: ApiHouse) -> None:
    """Another service, type or checker is another task."""
    await _registered(house)
    for key in ("service", "type", "config", "start", "onComplete", "id"):
        no = await house.no("updateTask", taskId=ID, **{key: "x"})
        assert (no.code, no.data["parameter"]) == (-32602, key)
    no = await house.no("updateTask", taskId=ID)
    assert no.code == -32602
    assert "checkInterval" in no.message
    assert (await house.no("updateTask", taskId="nobody", timeout="1s")).reason == "not-found"


async def test_a_task_of_a_file_is_its_files(house: ApiHouse) -> None:
    """`not-allowed`, which names the file and what to type."""
    file = house.tasks_d / "own.toml"
    file.write_text('type = "report"\nservice = "own"\n')
    await house.ask("reload")
    no = await house.no("updateTask", taskId="own", stallAfter="5min")
    assert (no.reason, no.data["file"]) == ("not-allowed", str(file))
    assert "kaspad-taskctl edit own" in no.message
    assert str(file) in no.message
    assert (await house.ask("getTask", taskId="own"))["stallAfter"] == 600_000


async def test_a_host_that_is_allowed_no_more_does_not_matter(house: ApiHouse) -> None:
    """Whom it asks was judged when it was registered; its looks are refused, its pace is not."""
    await _registered(house)
    nobody = Allowance((), ())
    house.api.definitions.allowance = nobody  # type: ignore[attr-defined]
    assert not nobody.host("localhost", 1)
    await house.ask("updateTask", taskId=ID, stallAfter="5min")


async def test_it_is_on_record_or_not_made(house: ApiHouse) -> None:
    """A store that cannot write: `store-unavailable`, and the task and its copy as they were."""
    before = await _registered(house)
    house.store.fail_next("the disk is full")
    no = await house.no("updateTask", taskId=ID, stallAfter="5min")
    assert no.reason == "store-unavailable"
    now = await house.ask("getTask", taskId=ID)
    assert (now["stallAfter"], now["revision"]) == (before["stallAfter"], before["revision"])
    assert house.mirror.kept[ID].stall_after == 600.0


async def test_two_at_once_both_hold(house: ApiHouse) -> None:
    """Each changes what it names."""
    await _registered(house)
    await asyncio.gather(
        house.ask("updateTask", taskId=ID, stallAfter="5min"),
        house.ask("updateTask", taskId=ID, timeout="9s"),
        house.ask("updateTask", taskId=ID, giveUpAfter="1d"),
    )
    task = await house.ask("getTask", taskId=ID)
    assert (task["stallAfter"], task["timeout"]) == (300_000, 9000)
    assert task["giveUpAfter"] == 86_400_000
    assert house.mirror.kept[ID].timeout == 9.0


async def test_the_log_says_who_changed_what(
    house: ApiHouse, caplog: pytest.LogCaptureFixture
) -> None:
    """With the values; the same keys again are one line a minute, and counted."""
    await _registered(house)
    caplog.set_level(logging.INFO, "kaspad_taskd.api.changed")
    caplog.clear()
    await house.ask("updateTask", taskId=ID, checkInterval="20s", after=["a", "b"])
    for seconds in range(3, 9):
        await house.ask("updateTask", taskId=ID, timeout=f"{seconds}s")
    await asyncio.sleep(61)
    await house.ask("updateTask", taskId=ID, timeout="9s")
    who = "by rpc uid=2 pid=1"
    assert [each.getMessage() for each in caplog.records] == [
        f"updateTask checkInterval=20s after=['a', 'b'] {who}",
        f"updateTask timeout=3s {who}",
        f"updateTask timeout=9s {who}, and 5 more",
    ]
    assert {vars(each)["task"] for each in caplog.records} == {ID}
