"""What subscribers are told, made once for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from kaspad_taskd.api.feed import REMEMBERED, Feed
from kaspad_taskd.core.observation import Reading
from kaspad_taskd.engine.follow import Progress
from tests.api.house import ApiHouse
from tests.fakes.house import definition

pytestmark = pytest.mark.looptime


async def listening(feed: Feed, told: list[Mapping[str, Any]]) -> asyncio.Task[None]:
    """A subscriber that keeps what it is told."""
    _, reader = feed.open(None, None)

    async def send(events: Sequence[Mapping[str, Any]]) -> None:
        told.extend(events)

    running = asyncio.create_task(reader.run(send))
    await asyncio.sleep(0)
    return running


async def test_two_subscribers_are_told_the_same_and_it_is_made_once(house: ApiHouse) -> None:
    """Events and progress alike are one object for both, in the same order."""
    first: list[Mapping[str, Any]] = []
    second: list[Mapping[str, Any]] = []
    running = [await listening(house.feed, each) for each in (first, second)]
    await house.roster.register(definition(interval=1.0))
    for position in range(1, 6):
        house.probe("work").default = Reading(position=float(position), target=10.0)
        await asyncio.sleep(1.1)
    kinds = {each["event"] for each in first}
    assert {"task:added", "sync:start", "sync:progress"} <= kinds
    assert len(first) == len(second)
    assert all(mine is theirs for mine, theirs in zip(first, second, strict=True))
    for each in running:
        each.cancel()


async def test_a_new_state_or_a_later_moment_is_made_anew(house: ApiHouse) -> None:
    """What was made for an older state is never told of a newer one."""
    await house.roster.register(definition())
    await asyncio.sleep(1)
    old = house.task("work")
    before = house.feed.shape(Progress(old, 5))
    assert house.feed.shape(Progress(old, 6))["seq"] == 6
    house.probe("work").default = Reading(position=7.0, target=10.0)
    await asyncio.sleep(11)
    after = house.feed.shape(Progress(house.task("work"), 6))
    assert (before["data"]["progress"], after["data"]["progress"]) == (10.0, 70.0)


async def test_no_more_is_kept_than_a_batch(house: ApiHouse) -> None:
    """Beyond that many tasks, shapes are simply made again."""
    await house.roster.register(definition())
    task = house.task("work")
    first = house.feed.shape(Progress(task, 1))
    for number in range(REMEMBERED):
        await house.roster.register(definition(f"other-{number}"))
        house.feed.shape(Progress(house.task(f"other-{number}"), 1))
    again = house.feed.shape(Progress(task, 1))
    assert again is not first
    assert again["data"]["taskId"] == "work"
