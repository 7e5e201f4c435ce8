"""`kaspad-taskctl set` and `edit` and a real daemon: on record, in files, over a kill."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.fakes.patience import PATIENCE
from tests.fakes.taskd_process import Taskd, until
from tests.system.test_backup import ctl

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


async def test_another_pace_outlives_a_kill(tmp_path: Path) -> None:
    """Answered is on disk; the copy for reading follows; events, log and history stay whole."""
    async with Taskd(tmp_path) as taskd:
        line = await taskd.start()
        await line.call("registerTask", type="report", service="import", checkInterval="1d")
        done = await ctl(taskd, "set", "import", "interval=20s", "stall_after=5min")
        assert (done.returncode, done.stderr) == (0, "")
        assert "interval is 20 s, was 1 day, stall_after is 5 min, was 10 min" in done.stdout
        await taskd.kill()
        line = await taskd.start()
        task = await line.call("getTask", taskId="report-import")
        assert (task["checkInterval"], task["stallAfter"]) == (20_000, 300_000)
        told = [each["event"] for each in (await line.call("getEvents"))["events"]]
        assert told == ["task:added", "sync:start", "task:changed"]
        copy = taskd.state / "tasks.d/report-import.toml"

        async def followed() -> bool:
            return copy.exists() and "20s" in copy.read_text()

        await until(followed)
        assert tomllib.loads(copy.read_text())["stall_after"] == "5min"
        assert (
            "task=report-import updateTask checkInterval=20s stallAfter=5min by rpc uid="
            in taskd.said()
        )


async def test_a_files_task_is_changed_in_its_file(tmp_path: Path) -> None:
    """The refusal names the file and what to type; nothing changes."""
    async with Taskd(tmp_path) as taskd:
        taskd.define("own", 'type = "report"\nservice = "own"\n')
        line = await taskd.start()
        done = await ctl(taskd, "set", "own", "interval=20s")
        assert done.returncode == 1
        assert str(taskd.tasks / "own.toml") in done.stderr
        assert done.stderr.splitlines()[-1] == "  kaspad-taskctl edit own"
        assert (await line.call("getTask", taskId="own"))["checkInterval"] == 10_000


async def test_an_edited_file_is_in_force_at_once(tmp_path: Path) -> None:
    """At a terminal a fault is told and the editor opened again, on what was typed."""
    editor = tmp_path / "editor"
    editor.write_text(
        '#!/bin/sh\nif grep -q never-ever "$1"; then sed -i s/never-ever/5min/ "$1"; '
        """else printf 'stall_after = "never-ever"\\n' >> "$1"; fi\n"""
    )
    editor.chmod(0o755)
    async with Taskd(tmp_path) as taskd:
        taskd.define("own", 'type = "report"\nservice = "own"\n')
        line = await taskd.start()
        command = [sys.executable, "-m", "kaspad_taskd.cli", "--socket", str(taskd.socket)]
        ours, theirs = os.openpty()
        os.write(ours, b"y\n")
        done = await asyncio.to_thread(
            subprocess.run, [*command, "edit", "own"], stdin=theirs, capture_output=True,
            text=True, timeout=2 * PATIENCE, env={**os.environ, "VISUAL": str(editor)},
        )  # fmt: skip
        os.close(ours)
        os.close(theirs)
        assert done.returncode == 0, done.stderr
        assert "own.toml: stall_after: " in done.stderr
        assert "changed own" in done.stdout
        assert (await line.call("getTask", taskId="own"))["stallAfter"] == 300_000
        assert [path.name for path in taskd.tasks.iterdir()] == ["own.toml"]
