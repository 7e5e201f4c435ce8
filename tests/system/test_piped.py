"""`kaspad-taskctl report TASK -` in a real pipe to a real daemon, over its restart."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.patience import PATIENCE
from tests.fakes.taskd_process import Taskd, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.fixture
async def taskd(tmp_path: Path) -> AsyncIterator[Taskd]:
    async with Taskd(tmp_path) as made:
        made.define("import", 'type = "report"\nservice = "snapshot"\n')
        await made.start()
        yield made


async def piped(taskd: Taskd, *words: str) -> Process:
    command = ["-m", "kaspad_taskd.cli", "--socket", str(taskd.socket), "report", "snapshot", "-"]
    return await asyncio.create_subprocess_exec(
        sys.executable, *command, *words, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )


async def write(pipe: Process, text: str) -> None:
    assert pipe.stdin is not None
    pipe.stdin.write(text.encode())
    await pipe.stdin.drain()


async def seen(taskd: Taskd, **wanted: Any) -> None:
    """Wait until the task is so."""
    line = await taskd.line()

    async def so() -> bool:
        task = await line.call("getTask", taskId="import")
        known = {**task, **task["metadata"]}
        return all(known.get(key) == value for key, value in wanted.items())

    await until(so)


async def ended(pipe: Process, code: int) -> str:
    assert pipe.stdin is not None
    pipe.stdin.close()
    async with asyncio.timeout(2 * PATIENCE):
        out, err = await pipe.communicate()
    assert (pipe.returncode, b"Traceback" in err) == (code, False), err
    return out.decode()


async def test_a_pipe_is_reported_over_a_restart(taskd: Taskd) -> None:
    """What was written while there was no daemon is there afterwards; 100 % at the end is it."""
    pipe = await piped(taskd)
    await write(pipe, "3 %\nfile=blk1.dat\n")
    await seen(taskd, progress=3.0, file="blk1.dat")
    await taskd.kill()
    await write(pipe, "7/10\ncopying\n" * 20_000)  # more than a pipe holds
    await taskd.start()
    await seen(taskd, progress=70.0, note="copying", file="blk1.dat", status="in-progress")
    await write(pipe, "100 %\n")
    assert "reported" in await ended(pipe, 0)
    await seen(taskd, status="complete", progress=100.0)


async def test_the_end_of_a_pipe_is_not_the_end_of_the_work(taskd: Taskd) -> None:
    """Unless who calls has said so."""
    pipe = await piped(taskd)
    await write(pipe, "41 %\n42 %")
    out = await ended(pipe, 0)
    assert "kaspad-taskctl report import --complete" in " ".join(out.split())
    await seen(taskd, status="in-progress", progress=42.0)
    await ended(await piped(taskd, "--complete-at-end"), 0)
    await seen(taskd, status="complete")
