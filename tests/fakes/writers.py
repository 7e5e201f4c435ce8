"""Programs that change things for ever, and know exactly what they were told."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Any

from tests.fakes.taskd_process import Gone, Line, Refusal


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

    def __init__(self, number: int, dice: random.Random, pause: float = 0.0) -> None:
        self._prefix = f"w{number}"
        self._dice = dice
        self._pause = pause
        self._count = 0
        self.known: dict[str, Known] = {}
        self.decisions = 0
        self.changes = 0
        self.refusals = 0

    async def run(self, line: Line) -> None:
        """Change things until the daemon is gone; what its disk refuses is not changed."""
        while True:
            try:
                await self._change(line)
            except Gone:
                return
            except Refusal as refusal:
                if refusal.reason != "store-unavailable":
                    raise
                self._refused()
                await asyncio.sleep(0.1)
                continue
            self.changes += 1
            if self._pause:
                await asyncio.sleep(self._dice.uniform(0.0, self._pause))

    def begin_anew(self, tasks: dict[str, dict[str, Any]]) -> None:
        """Take for granted what is there: what was lost has been counted."""
        for name in list(self.known):
            if name in tasks:
                self.known[name].take(tasks[name])
                self.known[name].gone = False
            else:
                self.known[name].gone = True

    def _refused(self) -> None:
        """What was refused was not done, unless it is the state of an odd moment."""
        self.refusals += 1
        for known in self.known.values():
            known.unsure = False
        for name in [name for name, known in self.known.items() if known.revision == 0]:
            del self.known[name]

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


def check_tasks(
    writer: Writer, tasks: dict[str, dict[str, Any]], *, statuses_alone: bool = False
) -> None:
    """Each task is as its writer was told, or one unanswered change further.

    `statuses_alone`: its state was damaged; what a task is has to be known all the same.
    """
    for name, known in writer.known.items():
        task = tasks.get(name)
        if task is None:
            assert known.gone or known.unsure, name
            known.gone = True
            continue
        assert not known.gone or statuses_alone, name
        if statuses_alone:
            same = (task["status"], task["attempt"]) == (known.status, known.attempt)
            assert same or known.unsure or known.gone, (name, task["status"], known)
            known.take(task)
            continue
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
