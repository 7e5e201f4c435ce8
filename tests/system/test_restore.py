"""A backup of a running daemon, put back: what people type, with real processes."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.taskd_process import Taskd

pytestmark = pytest.mark.system


async def restore(daemon: Taskd, copy: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kaspad_taskd", "restore", str(copy)]
    return await asyncio.to_thread(
        subprocess.run,
        [*command, "--state-dir", str(daemon.state)],
        capture_output=True,
        text=True,
        timeout=120,
    )


async def test_a_backup_is_put_back(tmp_path: Path) -> None:
    """Refused while the daemon runs; then tasks are as they were, and events go on above all."""
    async with Taskd(tmp_path) as daemon:
        line = await daemon.start()
        for service in ("one", "two"):
            await line.call("registerTask", type="report", service=service)
        copy = Path((await line.call("backup"))["path"])
        await line.call("cancelTask", taskId="report-one")
        await line.call("removeTask", taskId="report-two")
        last = (await line.call("ping"))["seq"]

        refused = await restore(daemon, copy)
        assert refused.returncode == 1
        assert daemon.process is not None
        assert f"a running kaspad-taskd (process {daemon.process.pid}) uses" in refused.stderr
        assert refused.stderr.endswith("stop it first; nothing was changed\n")
        assert (await line.call("getTask", taskId="report-one"))["status"] == "cancelled"

        await daemon.end()
        done = await restore(daemon, copy)
        assert (done.returncode, done.stderr) == (0, "")
        first, before, following = done.stdout.splitlines()
        assert first.startswith("restored: 2 tasks, the last event 2")
        assert before.startswith(f"the state before: kept: {daemon.state}/state.db.before-")
        assert following == f"next: kaspad-taskd --state-dir {daemon.state}"

        line = await daemon.start()
        assert (await line.call("getTask", taskId="report-one"))["status"] == "in-progress"
        assert (await line.call("getTask", taskId="report-two"))["status"] == "in-progress"
        assert (await line.call("ping"))["seq"] > last
        story = await line.call("getEvents", taskId="report-two")
        assert [each["event"] for each in story["events"]][:2] == ["task:added", "sync:start"]


async def test_after_a_kill_nothing_of_the_log_is_lost(tmp_path: Path) -> None:
    """The state of a killed daemon is kept with its log, and can itself be put back."""
    async with Taskd(tmp_path) as daemon:
        line = await daemon.start()
        copy = Path((await line.call("backup"))["path"])
        await line.call("registerTask", type="report", service="late")
        await daemon.end(signal.SIGKILL)
        done = await restore(daemon, copy)
        assert done.stdout.startswith("restored: 0 tasks, from ")
        (kept,) = daemon.state.glob("state.db.before-*Z")
        assert (await restore(daemon, kept)).stdout.startswith("restored: 1 task, the last event")
        line = await daemon.start()
        assert (await line.call("getTask", taskId="report-late"))["status"] == "in-progress"


async def test_no_file_is_a_sentence(tmp_path: Path) -> None:
    """Exit 1, no traceback."""
    async with Taskd(tmp_path) as daemon:
        await daemon.start()
        await daemon.end()
        done = await restore(daemon, tmp_path / "none.db")
        assert done.returncode == 1
        said = f"kaspad-taskd: {tmp_path}/none.db cannot be read: No such file or directory"
        assert done.stderr == f"{said}; nothing was changed\n"
