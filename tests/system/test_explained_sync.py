"""A recorded real sync over real gRPC, explained at every look: no explanation disagrees."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.taskd_process import Taskd
from tests.system.test_recorded_sync import DEFINITION, Play, look

pytestmark = pytest.mark.system

STEP = 4.0
"""Recorded seconds between two looks."""


async def typed(daemon: Taskd, *words: str) -> str:
    """What kaspad-taskctl says."""
    env = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    command = (sys.executable, "-m", "kaspad_taskd.cli", "--socket", str(daemon.socket), *words)
    run = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=env)
    out, _ = await run.communicate()
    assert run.returncode == 0
    return out.decode()


def agrees(said: dict[str, Any], task: dict[str, Any]) -> None:
    """The explanation is of this task, and comes to what it shows."""
    assert said["task"]["revision"] == task["revision"]
    complete = task["status"] == "complete"
    conditions = said["complete"]["conditions"]
    assert said["complete"]["holds"] == complete
    assert all(each["holds"] for each in conditions) == complete
    assert all(each["note"] != each["key"] for each in conditions)
    assert len(conditions) > 8
    assert said["percent"]["shown"] == task["progress"]
    if not complete:
        assert said["percent"]["counted"] <= task["progress"]
        assert said["percent"]["held"] == (said["percent"]["counted"] < task["progress"])
    walk, left = said["timeLeft"]["walk"], task["estimatedTimeRemaining"]
    assert (walk is not None) == (left is not None and not complete)
    if walk is not None:
        assert int(said["timeLeft"]["seconds"]) == pytest.approx(left, abs=1)


async def test_every_look_of_a_sync_is_explained(tmp_path: Path) -> None:
    """Verdict, percent and time left are what the rules kept; the terminal says it at the end."""
    log = tmp_path / "kaspad.log"
    play = Play(tmp_path, log)
    missing: set[str] = set()
    walked = 0
    async with play.node as recorded, Taskd(tmp_path / "d") as daemon:
        daemon.program = ("tests.fakes.held_clock", str(tmp_path / "clock"))
        daemon.define("node", DEFINITION.format(url=recorded.url, log=log))
        line = await daemon.start()
        task: dict[str, Any] = {"status": "in-progress"}
        while task["status"] == "in-progress":
            assert recorded.played < 600
            await play.go_on(STEP)
            task = await look(line)
            said = await line.call("explainTask", taskId="node")
            agrees(said, task)
            missing |= {each["key"] for each in said["complete"]["conditions"] if not each["holds"]}
            walked += said["timeLeft"]["walk"] is not None
        told = await typed(daemon, "explain", "node")
    assert missing >= {
        "synced",
        "no-download",
        "state-there",
        "young-block",
        "follows",
        "confirmed",
    }
    assert walked > 3
    assert "yes: its looks have proven it" in told
    assert "✗" not in told
