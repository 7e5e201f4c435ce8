"""A real daemon, killed at any moment while four programs change things, keeps every promise."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.taskd_process import Gone, Line, Taskd, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

ROUNDS, MOST_SECONDS = (100, 60.0) if os.environ.get("CI") else (25, 25.0)
WRITERS = 4
FEWEST = 10
"""Rounds that a slow machine has as well."""
LONGEST = 0.25
"""Seconds that a daemon may live after it answered, or longer, until it has made its changes."""
CHANGES = 40
"""Changes that are acknowledged before the kill, at most; in some rounds it is not waited for."""


@dataclass
class Known:
    """What one writer was told about one task; only it changes the task."""

    progress: float = 0.0
    status: str = "in-progress"
    attempt: int = 1
    revision: int = 0
    unsure: bool = False  # a change was asked for and not answered
    gone: bool = False

    def take(self, task: dict[str, Any]) -> None:
        self.progress, self.status = task["progress"], task["status"]
        self.attempt, self.revision = task["attempt"], task["revision"]
        self.unsure = False


class Writer:
    """Registers, reports, pauses, completes, retries and removes its own tasks for ever."""

    def __init__(self, number: int, dice: random.Random) -> None:
        self._prefix = f"w{number}"
        self._dice = dice
        self._count = 0
        self.known: dict[str, Known] = {}
        self.decisions = 0
        self.changes = 0

    async def run(self, line: Line) -> None:
        """Change things until the daemon is gone."""
        while True:
            try:
                await self._change(line)
            except Gone:
                return
            self.changes += 1

    async def _change(self, line: Line) -> None:
        live = [name for name, known in self.known.items() if not known.gone]
        if len(live) < 3:
            await self._register(line)
            return
        name = self._dice.choice(live)
        known = self.known[name]
        known.unsure = True
        if known.status == "in-progress":
            await self._work(line, name, known)
        elif known.status == "paused":
            await self._tell(line, "resumeTask", name, known)
        elif self._dice.random() < 0.5:
            await self._tell(line, "retryTask", name, known)
        else:
            await line.call("removeTask", taskId=name)
            known.gone, known.unsure = True, False

    async def _register(self, line: Line) -> None:
        self._count += 1
        name = f"{self._prefix}-{self._count}"
        known = self.known[name] = Known(unsure=True)
        answer = await line.call("registerTask", id=name, type="report", service=self._prefix)
        known.take(answer["task"])

    async def _work(self, line: Line, name: str, known: Known) -> None:
        kind = self._dice.choice(("report",) * 6 + ("pause", "complete", "cancel", "decide"))
        if kind == "report":
            more = min(99.0, known.progress + self._dice.choice((0.1, 1.0, 7.3)))
            given = {"progress": round(more, 1), "metadata": {"n": self.changes}}
            await self._tell(line, "reportTask", name, known, **given)
        elif kind == "pause":
            await self._tell(line, "pauseTask", name, known)
        elif kind == "decide":
            await line.call("recordDecision", decision=self._prefix, context=self._count)
            self.decisions += 1
            known.unsure = False
        else:
            await line.call(f"{kind}Task", taskId=name)
            known.take(await line.call("getTask", taskId=name))

    async def _tell(self, line: Line, method: str, name: str, known: Known, **given: Any) -> None:
        known.take((await line.call(method, taskId=name, **given))["task"])


def check_tasks(writer: Writer, tasks: dict[str, dict[str, Any]]) -> None:
    """Each task is as its writer was told, or one unanswered change further."""
    for name, known in writer.known.items():
        task = tasks.get(name)
        if task is None:
            assert known.gone or known.unsure, name
            known.gone = True
            continue
        assert not known.gone, name
        if not known.unsure:
            assert (task["status"], task["attempt"]) == (known.status, known.attempt), name
            assert (task["progress"], task["revision"]) == (known.progress, known.revision), name
        assert known.revision <= task["revision"] <= known.revision + 1 or known.revision == 0
        if task["attempt"] == known.attempt:
            assert task["progress"] >= known.progress, name
        known.take(task)


async def all_events(line: Line) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    while True:
        after = events[-1]["seq"] if events else 0
        page = (await line.call("getEvents", after=after))["events"]
        if not page:
            return events
        events += page


def check_events(events: list[dict[str, Any]], tasks: dict[str, dict[str, Any]]) -> None:
    """No hole, no number twice; the story of each task ends as its row says."""
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    last: dict[str, str] = {}
    begun: dict[str, int] = {}
    for event in events:
        data, name = event["data"], event["event"]
        assert data["seq"] == event["seq"]
        if name == "sync:start":
            begun[data["taskId"]] = begun.get(data["taskId"], 0) + 1
            assert data["attempt"] == begun[data["taskId"]]
        if name != "sync:health":
            last[data["taskId"]] = name
    ends = {
        "in-progress": {"sync:start", "sync:resumed"},
        "paused": {"sync:paused"},
        "complete": {"sync:complete"},
        "cancelled": {"sync:cancelled"},
    }
    for name, told in last.items():
        if name in tasks:
            assert told in ends[tasks[name]["status"]], (name, told, tasks[name]["status"])
            assert begun[name] == tasks[name]["attempt"]
        else:
            assert told == "task:removed"


def changes_of(writers: list[Writer]) -> int:
    return sum(writer.changes for writer in writers)


async def live_and_die(daemon: Taskd, writers: list[Writer], life: float, enough: int) -> None:
    """Let the writers change things for so many seconds, and so many changes; kill it."""
    lines = [await daemon.line() for _ in writers]
    running = [
        asyncio.create_task(writer.run(own)) for writer, own in zip(writers, lines, strict=True)
    ]
    before = changes_of(writers)

    async def has_lived() -> bool:
        return changes_of(writers) - before >= enough or any(each.done() for each in running)

    await asyncio.sleep(life)
    await until(has_lived)
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGKILL)
    await asyncio.gather(*running)
    await daemon.ended()


async def test_whatever_was_acknowledged_is_there_after_any_kill(
    tmp_path: Path, record_property: Any
) -> None:
    """Rounds of four writers and a kill -9: no promise broken, no hole, no fall of progress."""
    dice = random.Random(7)
    writers = [Writer(number, dice) for number in range(WRITERS)]
    rounds, wanted, began = 0, 0, time.monotonic()
    async with Taskd(tmp_path) as daemon:
        while rounds < ROUNDS and (rounds < FEWEST or time.monotonic() - began < MOST_SECONDS):
            rounds += 1
            line = await daemon.start()
            tasks = {task["id"]: task for task in await line.call("getAllTasks")}
            for writer in writers:
                check_tasks(writer, tasks)
            life = dice.uniform(0.0, LONGEST)
            enough = dice.randint(1, CHANGES) if life > LONGEST / 5 else 0
            wanted += enough
            await live_and_die(daemon, writers, life, enough)
        line = await daemon.start()
        tasks = {task["id"]: task for task in await line.call("getAllTasks")}
        for writer in writers:
            check_tasks(writer, tasks)
        check_events(await all_events(line), tasks)
        decided = len(await line.call("getDecisions"))
        assert sum(writer.decisions for writer in writers) <= decided
    changes = changes_of(writers)
    record_property("rounds", rounds)
    record_property("changes", changes)
    print(f"{rounds} kills, {changes} acknowledged changes")
    assert changes >= wanted > rounds
