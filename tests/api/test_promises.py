"""Whatever is asked at once, and whenever the disk fails: what was answered is so, no more."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from kaspad_taskd.core.model import Task
from kaspad_taskd.core.observation import Reading
from kaspad_taskd.store.memory import MemoryStore
from tests.api.house import ApiHouse, api_house
from tests.fakes.taskd_process import Refusal

pytestmark = pytest.mark.looptime

IDS = ("a", "b", "node")
ENDS = {"sync:complete": "complete", "sync:error": "error", "sync:cancelled": "cancelled"}
EVENTS_OF = {
    "pauseTask": "sync:paused",
    "cancelTask": "sync:cancelled",
    "completeTask": "sync:complete",
    "errorTask": "sync:error",
    "retryTask": "sync:start",
    "removeTask": "task:removed",
}
"""What each success has put on record, once."""
ALSO = {
    "pauseTask": ("stopMonitoring",),
    "cancelTask": ("removeTask",),
    "retryTask": ("registerTask", "startMonitoring"),
}
"""What else puts the same on record, or nothing."""
ALLOWED = {"not-found", "not-allowed", "conflict", "store-unavailable"}


METHODS = (
    *EVENTS_OF,
    *("registerTask", "reportTask", "retryTask") * 4,
    *("startMonitoring", "stopMonitoring", "resumeTask", "checkTaskStatus"),
)


def question(dice: Random) -> tuple[str, dict[str, Any]]:
    """Return a method and its parameters, of one of three tasks."""
    task_id = dice.choice(IDS)
    method = dice.choice(METHODS)
    given: dict[str, Any] = {"taskId": task_id}
    if method == "registerTask":
        kind = "node-sync" if task_id == "node" else "report"
        given = {"id": task_id, "type": kind, "service": task_id, "checkInterval": "1s"}
    elif method == "errorTask":
        given["error"] = "broken"
    elif method == "reportTask":
        given |= {"progress": dice.uniform(0, 99.9), "metadata": {"n": dice.randrange(9)}}
    return method, given


def durable(task: Task) -> tuple[Any, ...]:
    return (task.status, task.health, task.percent, task.phase, task.attempt, task.revision)


class Play:
    """Rounds of questions asked together, checked after each."""

    def __init__(self, house: ApiHouse, dice: Random) -> None:
        self._house, self._dice = house, dice
        self._shown: dict[tuple[str, int, str], float] = {}
        self.done: Counter[str] = Counter()

    async def round(self) -> None:
        house, dice = self._house, self._dice
        at = dice.uniform(0, 100)
        house.probe("node").default = Reading(position=at, target=100.0, start=0.0)
        before = (await house.ask("ping"))["seq"]
        if dice.random() < 0.25:
            house.store.fail_next("the disk is full")
        asked = [question(dice) for _ in range(dice.randint(1, 6))]
        answers = await asyncio.gather(
            *(house.ask(method, **given) for method, given in asked), return_exceptions=True
        )
        await house.settle()
        done: Counter[tuple[str, str]] = Counter()
        for (method, given), answer in zip(asked, answers, strict=True):
            if isinstance(answer, Refusal):
                assert answer.reason in ALLOWED, answer
            else:
                assert not isinstance(answer, BaseException), answer
                done[method, given.get("taskId") or given["id"]] += 1
                self.done[method] += 1
        await self._check_events(before, done)
        self._check_tasks()
        await asyncio.sleep(dice.choice((0.0, 0.3, 2.0)))

    async def _check_events(self, before: int, done: Counter[tuple[str, str]]) -> None:
        """Exactly one event for each success that makes one, none for a refusal."""
        answer = await self._house.ask("getEvents", after=before)
        told = Counter((event["event"], event["data"]["taskId"]) for event in answer["events"])
        for method, name in EVENTS_OF.items():
            for task_id in IDS:
                least, more = (
                    done[method, task_id],
                    sum(done[other, task_id] for other in ALSO.get(method, ())),
                )
                assert least <= told[name, task_id] <= least + more, (method, told, done)

    def _check_tasks(self) -> None:
        """The table is what is on disk, nothing is left under way, progress never falls."""
        house = self._house
        stored = {task.id: task for task in house.store.open().tasks}
        shown = {task.id: task for task in house.engine.tasks()}
        assert {key: durable(each) for key, each in shown.items()} == {
            key: durable(each) for key, each in stored.items()
        }
        assert not house.engine._tips.ids()
        assert not house.engine._under_way
        for task in shown.values():
            life = (task.id, task.attempt, str(task.created_at))
            assert task.percent >= self._shown.get(life, 0.0)
            assert (task.percent == 100) == (task.status == "complete")
            self._shown[life] = task.percent


def check_story(events: list[dict[str, Any]]) -> None:
    """No hole; of each task: one end for each attempt and nothing of it after that."""
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    ended: dict[str, bool] = {}
    for event in events:
        task_id, name = event["data"]["taskId"], event["event"]
        if name in ("task:added", "sync:start"):
            ended[task_id] = False
        elif name in ENDS:
            assert not ended[task_id], event
            ended[task_id] = True
        elif name.startswith("sync:"):
            assert not ended[task_id], event


@pytest.mark.parametrize("seed", range(12))
async def test_answers_are_true(tmp_path: Path, seed: int) -> None:
    """Questions asked together of three tasks, a disk that fails now and then, a restart."""
    dice = Random(seed)
    store: MemoryStore | None = None
    total: Counter[str] = Counter()
    for _ in range(2):
        async with api_house(tmp_path, store=store) as house:
            store = house.store
            play = Play(house, dice)
            play._check_tasks()
            for _ in range(40):
                await play.round()
            total += play.done
            check_story((await house.ask("getEvents"))["events"])
    assert total["registerTask"] > 5
    assert sum(total.values()) > 40
