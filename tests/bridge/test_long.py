"""Long lists for browsers: made in pages, in the order of an answer made at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.api.listed import PAGE
from kaspad_taskd.bridge.outbox import LIMIT, Outbox
from kaspad_taskd.bridge.packets import event
from tests.bridge.house import Bridged, Visitor, bridged

MANY = 20 * PAGE


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Bridged]:
    async with bridged(tmp_path) as built:
        for number in range(MANY):
            await built.add(f"job-{number}")
        yield built


async def settled(visitor: Visitor) -> None:
    """Take what a browser is told when it comes."""
    while visitor.names().count("sync:progress") < MANY:
        await visitor.event()
    visitor.told.clear()


async def until(condition: Callable[[], Any]) -> None:
    """Look at every turn of the loop, so that it is seen when it is so and no later."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0)


def shaped(house: Bridged) -> list[str]:
    """The ids of the tasks whose rows are made, as they are."""
    made: list[str] = []
    shapes = house.house.api.shapes
    plain = shapes._shape

    def shape(task: Any, awaited: Any) -> Any:
        made.append(task.id)
        return plain(task, awaited)

    shapes._shape = shape  # type: ignore[method-assign]
    return made


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("tasks:list", {}),
        ("rpc", {"method": "getAllTasks"}),
        ("rpc", {"method": "getTasksByType", "params": {"type": "report"}}),
    ],
)
async def test_a_list_is_of_one_moment_and_what_happens_meanwhile_follows_it(
    house: Bridged, name: str, given: dict[str, Any]
) -> None:
    """Others are answered between two pages; the answer is not older than what was told before."""
    visitor, other = await house.visit(), await house.visit()
    await settled(visitor)
    await settled(other)
    made = shaped(house)
    asking = asyncio.create_task(visitor.ask(name, given))
    await until(lambda: made)
    assert (await other.rpc("ping"))["result"]
    await house.house.ask("pauseTask", taskId=f"job-{MANY - 1}")
    assert len(made) < MANY
    answer = await asking
    listed = answer["tasks"] if name == "tasks:list" else answer["result"]
    assert [task["id"] for task in listed] == [f"job-{number}" for number in range(MANY)]
    assert {task["status"] for task in listed} == {"in-progress"}
    assert "sync:paused" not in visitor.names()
    assert (await visitor.event("sync:paused"))["taskId"] == f"job-{MANY - 1}"
    if name == "tasks:list":
        assert answer["seq"] == house.house.engine.seq - 1
        assert visitor.told[0] == ("tasks:list:response", answer)


async def test_the_bytes_of_a_list_are_those_of_one_made_at_once(house: Bridged) -> None:
    """Whoever polls reads the same text as on a WebSocket."""
    visitor = await house.visit()
    await settled(visitor)
    await visitor.emit("tasks:list")
    while not (packet := await visitor.read()).startswith('2["tasks:list:response"'):
        pass
    name, data = json.loads(packet[1:])
    assert packet == "2" + json.dumps([name, data], separators=(",", ":"), ensure_ascii=False)


async def test_pausing_every_node_reads_a_long_list(house: Bridged) -> None:
    """Of many nodes those that run are found, though none of the others is one."""
    visitor = await house.visit()
    await settled(visitor)
    assert (await visitor.ask("sync:pause"))["reason"] == "not-allowed"
    await house.add("node", type="node-sync")
    assert await visitor.ask("sync:pause") == {"taskIds": ["node"]}


async def test_one_browser_has_one_list_made_at_a_time(house: Bridged) -> None:
    """So what they take is bounded, however many it asks for."""
    visitor = await house.visit()
    await settled(visitor)
    made = shaped(house)
    for _ in range(3):
        await visitor.emit("tasks:list")
    for _ in range(3):
        await visitor.event("tasks:list:response")
    assert made == 3 * [f"job-{number}" for number in range(MANY)]


def test_what_is_held_is_bounded() -> None:
    """A browser for which too much is held is lost as one that is too far behind."""
    box = Outbox()
    lost: list[bool] = []
    box.lost = lambda: lost.append(True)
    box.hold()
    for _ in range(LIMIT // 1000):
        box.tell(event("x", "y" * 1000))
        if lost:
            break
    assert lost
    assert box.empty()
    assert all(each.frame for each in box.let_go())
    assert box.let_go() == []


async def test_a_page_is_of_one_moment_and_others_are_answered_meanwhile(house: Bridged) -> None:
    """What it shows is as of the `seq` it goes on from, whatever has happened since."""
    made = shaped(house)
    seq = house.house.engine.seq
    asking = asyncio.create_task(house.get("/"))
    await until(lambda: made)
    await house.house.ask("pauseTask", taskId=f"job-{MANY - 1}")
    assert len(made) < MANY
    _, text = await asking
    snapshot = json.loads(text.removeprefix("<!doctype html>"))["snapshot"]
    assert snapshot["seq"] == seq
    assert [task["id"] for task in snapshot["tasks"]] == [f"job-{n}" for n in range(MANY)]
    assert {task["status"] for task in snapshot["tasks"]} == {"in-progress"}


async def test_metrics_of_many_tasks_are_one_text(house: Bridged) -> None:
    """Made a page at a time, each family stands once with the samples of all tasks in order."""
    _, text = await house.get("/metrics", Accept="application/openmetrics-text")
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    attempts = [line for line in text.splitlines() if line.startswith("kaspad_taskd_task_attempt{")]
    assert [line.split('"')[1] for line in attempts] == [f"job-{number}" for number in range(MANY)]
    assert text.endswith("# EOF\n")


async def test_definitions_of_many_tasks_are_listed_in_pages(house: Bridged) -> None:
    """As those of few are."""
    visitor = await house.visit()
    await settled(visitor)
    listed = (await visitor.rpc("listDefinitions"))["result"]
    assert [each["id"] for each in listed] == [f"job-{number}" for number in range(MANY)]
    assert listed == list(house.house.api.definitions.listing())
