"""A real daemon whose state directory takes nothing at its start: it looks, it serves, it heals."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.taskd_process import Line, Refusal, Taskd, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

REPORT = 'type = "report"\nservice = "{service}"\n'


def run(*command: str) -> int:
    return subprocess.run(command, capture_output=True, check=False).returncode


@pytest.fixture
def bound(tmp_path: Path) -> Iterator[Path]:
    """A state directory that is bound to itself, so that it can be made read-only."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount, and mount has to be there")
    state = tmp_path / "state"
    state.mkdir()
    if run("mount", "--bind", str(state), str(state)) != 0:
        pytest.skip("this machine lets nobody mount")
    yield state
    subprocess.run(["umount", "-l", str(state)], check=True)


async def durable(line: Line) -> bool:
    return bool((await line.call("getInfo"))["store"]["durable"])


async def test_a_read_only_bind_mount_is_served_and_heals(tmp_path: Path, bound: Path) -> None:
    """READY; getInfo says why; reads go on; changes are refused; then all without a restart."""
    async with Taskd(tmp_path) as daemon:
        daemon.define("work", REPORT.format(service="work"))
        line = await daemon.start()
        await line.call("registerTask", type="report", service="mine")
        events = (await line.call("getEvents"))["events"]
        await daemon.kill()
        daemon.define("later", REPORT.format(service="later"))
        assert run("mount", "-o", "remount,bind,ro", str(bound)) == 0

        line = await daemon.start()
        store = (await line.call("getInfo"))["store"]
        assert store["durable"] is False
        assert f"{bound} is read-only" in store["problem"]
        ids = {each["id"] for each in await line.call("getAllTasks")}
        assert ids == {"work", "report-mine"}
        assert (await line.call("getEvents"))["events"] == events
        with pytest.raises(Refusal) as refused:
            await line.call("cancelTask", taskId="work")
        assert refused.value.reason == "store-unavailable"
        assert "read-only" in refused.value.message
        assert "ready: cannot save" in daemon.said()
        assert "Traceback" not in daemon.said()

        assert run("mount", "-o", "remount,bind,rw", str(bound)) == 0
        await until(lambda: durable(line))
        await line.call("cancelTask", taskId="work")

        async def knows_later() -> bool:
            return any(each["id"] == "later" for each in await line.call("getAllTasks"))

        await until(knows_later)  # its file was read, and could not be put on record before
        await daemon.kill()
        line = await daemon.start()
        assert (await line.call("getTask", taskId="work"))["status"] == "cancelled"
