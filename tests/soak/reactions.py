"""Tasks whose end runs a command: each end once, and no more once that is on record."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from pathlib import Path
from typing import Any

from tests.fakes.taskd_process import Gone, Line, Refusal, Taskd
from tests.soak.promises import Promises

TASKS = 4
SETTLED = 3.0
"""Seconds after which a command that ran, and its cursor, are on record for certain."""

COMMAND = """
import sys, time
with open(sys.argv[1], "a") as file:
    file.write(f"{sys.argv[2]} {time.monotonic()}\\n")
"""


class Reacting:
    """Completes and retries tasks of files; counts what was run after each end."""

    def __init__(self, place: Path, promises: Promises, dice: random.Random) -> None:
        self._ran = place / "ran"
        self._ran.touch()
        self._promises = promises
        self._dice = dice
        self._ends: dict[str, list[float]] = {}
        self._kills: list[float] = []

    def define(self, taskd: Taskd) -> None:
        """Write the definitions."""
        command = [sys.executable, "-c", COMMAND, str(self._ran), "{id}"]
        words = ", ".join(f"'''{word}'''" for word in command)
        for number in range(TASKS):
            taskd.define(
                f"reacting-{number}",
                f'type = "report"\nservice = "reacting"\n[on_complete]\ncommand = [{words}]\n',
            )

    def killed(self) -> None:
        """The daemon was killed now: what was under way may happen again."""
        self._kills.append(time.monotonic())

    async def run(self, line: Line) -> None:
        """Complete and retry until the daemon is gone."""
        while True:
            try:
                await self._one(line, f"reacting-{self._dice.randrange(TASKS)}")
            except Gone:
                return
            except Refusal as refusal:
                if refusal.reason not in ("store-unavailable", "not-allowed"):
                    raise
            await asyncio.sleep(self._dice.uniform(2.0, 12.0))

    async def _one(self, line: Line, name: str) -> None:
        task: dict[str, Any] | None = await line.call("getTask", taskId=name)
        if task is None:  # its disk was full when it started
            return
        if task["status"] != "complete":
            began = time.monotonic()
            await line.call("completeTask", taskId=name)
            self._ends.setdefault(name, []).append(began)
        else:
            await line.call("retryTask", taskId=name)

    def check(self) -> None:
        """Judge all that ran so far: each run has an end of its own, but for kills amid it."""
        ran: dict[str, list[float]] = {}
        for row in self._ran.read_text().splitlines():
            name, at = row.split()
            ran.setdefault(name, []).append(float(at))
        for name, moments in ran.items():
            ends = len(self._ends.get(name, ()))
            excused = sum(
                any(0 <= kill - at <= SETTLED or 0 <= at - kill <= SETTLED for kill in self._kills)
                for at in moments
            )
            account = f"{name}: {len(moments)} runs, {ends} ends, {excused} beside a kill"
            self._promises.reactions.held(len(moments) - ends <= excused, account)
        self._promises.reactions.measured["runs"] = sum(map(len, ran.values()))
