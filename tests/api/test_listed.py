"""Lists of many tasks: one picture, whatever happens while it is written."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from kaspad_taskd.api.listed import PAGE, Listed, is_long, written
from kaspad_taskd.base import jsontext
from kaspad_taskd.core.inputs import Pause
from kaspad_taskd.rpc.calls import Pending
from tests.api.house import ApiHouse
from tests.fakes.house import definition

pytestmark = pytest.mark.looptime

MANY = 3 * PAGE + 1


async def crowd(house: ApiHouse, count: int = MANY) -> None:
    for number in range(count):
        await house.roster.register(definition(f"job-{number}", type="report", service="work"))


def asked(house: ApiHouse, method: str, **params: Any) -> asyncio.Task[bytes]:
    """The answer that a door makes, in a task of its own."""
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    pending = house._dispatcher.answer(json.dumps(request).encode(), house.caller)
    assert isinstance(pending, Pending)
    return asyncio.create_task(pending.answer(house._slots))


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("getAllTasks", {}),
        ("getAllTasks", {"status": "in-progress"}),
        ("getTasksByType", {"type": "report"}),
        ("getTasksByService", {"service": "work"}),
    ],
)
async def test_it_is_of_one_moment_though_all_changes_meanwhile(
    house: ApiHouse, method: str, params: dict[str, Any]
) -> None:
    """Every task is paused between two pages: the list has none of it, and all of them in order."""
    await crowd(house)
    made = asked(house, method, **params)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not made.done()
    for number in range(MANY):
        house.engine.submit(f"job-{number}", Pause())
    await house.engine.settled(f"job-{MANY - 1}")
    assert house.task("job-0").status == house.task(f"job-{MANY - 1}").status == "paused"
    listed = json.loads(await made)["result"]
    assert [task["id"] for task in listed] == [f"job-{number}" for number in range(MANY)]
    assert {task["status"] for task in listed} == {"in-progress"}


async def test_what_a_task_waits_for_is_of_that_moment_too(house: ApiHouse) -> None:
    """The sentence about it says what the list itself says of the other."""
    await crowd(house)
    await house.roster.register(definition("last", type="report", after=("job-0",)))
    before = (await house.ask("getTask", taskId="last"))["note"]
    made = asked(house, "getAllTasks")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await house.ask("errorTask", taskId="job-0", error="broken")
    assert (await house.ask("getTask", taskId="last"))["note"] != before
    assert json.loads(await made)["result"][-1]["note"] == before


async def test_a_subscription_begins_with_one_picture_and_misses_nothing_after_it(
    house: ApiHouse,
) -> None:
    """Its tasks are as of its `seq`, and what follows that is what it is told first."""
    await crowd(house)
    answer, reader = house.feed.open(None, None)
    assert answer["seq"] == house.engine.seq
    told: list[Any] = []

    async def send(events: Any) -> None:
        told.extend(events)

    making = asyncio.create_task(written(answer))
    await asyncio.sleep(0)
    await house.ask("pauseTask", taskId=f"job-{MANY - 1}")
    shown = json.loads(b"".join((await making).pieces))
    assert shown["tasks"][-1]["status"] == "in-progress"
    running = asyncio.create_task(reader.run(send))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (told[0]["seq"], told[0]["event"]) == (answer["seq"] + 1, "sync:paused")
    running.cancel()


async def test_others_have_their_turn_after_each_page(house: ApiHouse) -> None:
    """As many turns of the loop as there are pages, and no more rows in each."""
    turns: list[int] = []
    made = 0

    def row(number: int) -> int:
        nonlocal made
        made += 1
        return number

    async def another() -> None:
        while made < MANY:
            turns.append(made)
            await asyncio.sleep(0)

    _, listed = await asyncio.gather(another(), Listed(range(MANY), row).pieces())
    assert b"".join(listed) == jsontext.dumps(list(range(MANY)))
    assert turns == [0, PAGE, 2 * PAGE, 3 * PAGE]


@pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, PAGE + 1, 5 * PAGE])
async def test_pages_cannot_be_told_from_one_text(count: int) -> None:
    """Alone, or as a member of an object at any place."""
    rows = list(range(count))
    for around in (
        lambda x: x,
        lambda x: {"rows": x},
        lambda x: {"a": 1, "rows": x, "z": {"b": 2}},
    ):
        result = around(Listed(rows, lambda number: number))
        assert is_long(result)
        assert b"".join((await written(result)).pieces) == jsontext.dumps(around(rows))


async def test_followers_are_told_many_at_once_in_turns(house: ApiHouse) -> None:
    """Though all tasks have moved, nobody is given more than a page of them at a time."""
    await crowd(house)
    _, reader = house.feed.open(None, None)
    sizes: list[int] = []

    async def send(events: Any) -> None:
        sizes.append(len(events))

    running = asyncio.create_task(reader.run(send))
    await asyncio.sleep(0)
    for number in range(MANY):
        house.engine.submit(f"job-{number}", Pause())
    await asyncio.sleep(1)
    assert sum(sizes) == MANY
    assert 1 < max(sizes) <= PAGE
    running.cancel()
