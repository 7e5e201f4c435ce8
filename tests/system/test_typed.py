"""What people type, and a real daemon: several tasks, narrowed lists and events, waits."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from tests.fakes.patience import PATIENCE
from tests.fakes.taskd_process import Taskd, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

REPORT = 'type = "report"\nservice = "{}"\n'


async def begun(taskd: Taskd, *words: str) -> Process:
    command = ["-m", "kaspad_taskd.cli", "--socket", str(taskd.socket), *words]
    return await asyncio.create_subprocess_exec(sys.executable, *command, stdout=PIPE, stderr=PIPE)


async def ended(process: Process) -> tuple[int, str, str]:
    async with asyncio.timeout(2 * PATIENCE):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_several_are_acted_on_found_and_waited_for(tmp_path: Path) -> None:
    """By names, by --all; who waits hears each end, though the daemon is killed meanwhile."""
    async with Taskd(tmp_path) as taskd:

        async def ctl(*words: str) -> tuple[int, str, str]:
            return await ended(await begun(taskd, *words))

        async def followed() -> None:
            """Until both clients have a second connection, on which they hear what happens."""
            line = await taskd.line()

            async def so() -> bool:
                ours = 2
                return bool((await line.call("getInfo"))["connections"] >= ours + 2 * 2)

            await until(so)

        for name in ("a", "b", "c"):
            taskd.define(name, REPORT.format(f"service-{name}"))
        await taskd.start()

        code, out, err = await ctl("pause", "service-a", "b", "a", "nope")
        assert (code, len(out.splitlines())) == (1, 2)
        assert "there is no task nope" in err
        assert (await ctl("ls", "--status", "paused", "--ids"))[1].split() == ["a", "b"]
        assert (await ctl("resume", "--all"))[0] == 0
        code, out, _err = await ctl("events", "--since", "1h", "--type", "sync:resumed", "--json")
        told = [json.loads(line)["data"]["taskId"] for line in out.splitlines()]
        assert (code, told) == (0, ["a", "b"])

        every, first = (
            await begun(taskd, "wait", "--all"),
            await begun(taskd, "wait", "a", "service-b", "--any", "--json"),
        )
        await followed()
        await taskd.kill()
        await taskd.start()
        await ctl("report", "service-b", "--complete")
        code, out, _err = await ended(first)
        assert (code, json.loads(out)["id"]) == (0, "b")
        assert (await ctl("cancel", "a"))[0] == 0
        assert (await ctl("report", "c", "--error", "disk full"))[0] == 0
        code, out, _err = await ended(every)
        assert (code, len(out.splitlines())) == (4, 3)
        assert "service-c failed: disk full" in out
        assert (await ctl("list", "--failed", "--ids"))[1] == "c\n"
        assert (await ctl("call", "getTask", "taskId=c"))[0] == 0
        assert (await ctl("wait", "--all"))[0] == 0
