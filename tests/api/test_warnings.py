"""Warnings over the API: listed while they stand, acknowledged, and told to everybody."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from kaspad_taskd.systemd.story import Story

if TYPE_CHECKING:
    from tests.api.house import ApiHouse

pytestmark = pytest.mark.looptime
CODE, PARAMS = "restart-needed", {"path": "/usr/bin/python3.11"}


async def warned(house: ApiHouse) -> int:
    """Let one stand and return its id."""
    house.engine.warn(CODE, PARAMS)
    await asyncio.sleep(1)
    (one,) = (await house.ask("getWarnings"))["warnings"]
    return int(one["id"])


async def test_it_is_listed_with_note_and_cure_until_it_was_seen(house: ApiHouse) -> None:
    """Acknowledged, it stands no more; a second time is no error; its event stays."""
    number = await warned(house)
    (one,) = (await house.ask("getWarnings"))["warnings"]
    assert (one["code"], one["params"]) == (CODE, PARAMS)
    assert one["note"].startswith("/usr/bin/python3.11 was replaced")
    assert "systemctl restart" in one["cure"]
    assert (await house.ask("getInfo"))["warnings"] == 1
    for _ in range(2):
        answer = await house.ask("acknowledgeWarning", id=number)
        assert answer["warning"]["id"] == number
    assert (await house.ask("getWarnings"))["warnings"] == []
    assert (await house.ask("getInfo"))["warnings"] == 0
    events = (await house.ask("getEvents"))["events"]
    assert [each["data"]["code"] for each in events if each["event"] == "warning"] == [CODE]


async def test_one_that_was_never_there_is_not_found(house: ApiHouse) -> None:
    """With the command that lists them."""
    answer = await house.raw("acknowledgeWarning", {"id": 7})
    assert answer["error"]["data"]["reason"] == "not-found"
    assert "kaspad-taskctl warnings" in answer["error"]["message"]


async def test_what_the_disk_does_not_take_stands_all_the_same(house: ApiHouse) -> None:
    """It is listed at once, cannot be acknowledged, and is an event once it is written."""
    house.store.fail_next("the disk is full")
    number = await warned(house)
    assert (await house.ask("getEvents"))["events"] == []
    house.store.fail_next("the disk is full")
    refused = await house.raw("acknowledgeWarning", {"id": number})
    assert refused["error"]["data"]["reason"] == "store-unavailable"
    house.engine.warnings.write()
    await asyncio.sleep(1)
    (event,) = (await house.ask("getEvents"))["events"]
    assert event["data"]["id"] == number
    house.engine.warnings.write()  # nothing is left to be written
    await asyncio.sleep(1)
    assert len((await house.ask("getEvents"))["events"]) == 1


async def test_a_cause_that_is_gone_takes_its_warning_along(house: ApiHouse) -> None:
    """On record or on its way there; others stand."""
    await warned(house)
    house.engine.warn("journal-gap", {"follower": "reactions", "after": 1, "oldest": 9})
    house.engine.warn(CODE, {"path": "/usr/lib/x"})
    await asyncio.sleep(1)
    house.engine.warnings.clear(CODE)
    await asyncio.sleep(1)
    found = (await house.ask("getWarnings"))["warnings"]
    assert [each["code"] for each in found] == ["journal-gap"]


async def test_it_has_no_task_for_anybody_who_follows(
    house: ApiHouse, caplog: pytest.LogCaptureFixture
) -> None:
    """Told with null for task, service and type; the log has a warning; tasks go on."""
    caplog.set_level(logging.INFO, "kaspad_taskd.systemd")
    Story(house.engine)
    number = await warned(house)
    (event,) = (await house.ask("getEvents"))["events"]
    data = event["data"]
    assert (data["taskId"], data["service"], data["type"]) == (None, None, None)
    assert data["id"] == number
    (record,) = caplog.records
    assert (record.levelname, record.getMessage()) == ("WARNING", data["note"])
    answer = await house.ask("registerTask", type="report", service="after")
    assert answer["success"]


async def test_who_acknowledged_it_is_in_the_log_and_no_task_is_named(
    house: ApiHouse, caplog: pytest.LogCaptureFixture
) -> None:
    """Its number is a warning's, not a task's."""
    caplog.set_level(logging.INFO, "kaspad_taskd.api")
    number = await warned(house)
    await house.ask("acknowledgeWarning", id=number)
    (record,) = caplog.records
    assert record.getMessage() == f"acknowledgeWarning id={number} by rpc uid=2 pid=1"
    assert vars(record)["task"] is None
