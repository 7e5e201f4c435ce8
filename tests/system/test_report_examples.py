"""The examples of work that reports by itself, run as they are against the real daemon."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.bridged import free_port, listening
from tests.fakes.node_packages import Missing, install
from tests.fakes.taskd_process import Line, Taskd, until

FOLDER = Path(__file__).parents[2] / "docs" / "examples" / "report"
WAYS = {
    "bash": ("bash", "report.sh"),
    "python": (sys.executable, "report.py"),
    "node": ("node", "report.mjs"),
    "bridge": ("node", "report.mjs"),
}
pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


class Job:
    """A task of type report, and the example that reports on it, its command given."""

    def __init__(self, way: str, place: Path) -> None:
        program, script = WAYS[way]
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
        self.command = [program, str(FOLDER / script), "import"]
        self.taskd = Taskd(place)
        self.taskd.runtime = place / "run" / "kaspad-taskd"
        self.taskd.socket = self.taskd.runtime / "rpc.sock"
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.env = {**os.environ, "PATH": path, "XDG_RUNTIME_DIR": str(place / "run")}
        self.port = 0
        if way == "bridge":
            self._by_bridge(place)

    def _by_bridge(self, place: Path) -> None:
        try:
            modules = install("report", {"socket.io-client": "4"}) / "node_modules"
        except Missing as why:
            pytest.skip(str(why))
        (place / "node_modules").symlink_to(modules)  # packages are looked for beside the script
        self.command[1] = str(shutil.copy(self.command[1], str(place)))
        self.port = free_port()
        self.taskd.arguments = ("--bridge", f"127.0.0.1:{self.port}")
        token = str(place / "state" / "bridge.token")
        self.env |= {"TASKD": f"http://127.0.0.1:{self.port}", "TASKD_TOKEN_FILE": token}

    async def start(self, stall_after: str = "10min") -> Line:
        self.taskd.runtime.parent.mkdir(parents=True, exist_ok=True)
        self.taskd.define(
            "import",
            f'type = "report"\nservice = "import"\nstall_after = "{stall_after}"\n'
            'interval = "250ms"\n',
        )
        line = await self.taskd.start()
        if self.port:
            await until(lambda: listening(self.port))
        return line

    @asynccontextmanager
    async def run(self, parts: int, *command: str) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await asyncio.create_subprocess_exec(
            *self.command, str(parts), *command, env=self.env, stdin=asyncio.subprocess.DEVNULL
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


@pytest.fixture(params=WAYS)
async def job(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Job]:
    job = Job(request.param, tmp_path)
    async with job.taskd:
        yield job


async def shown(line: Line, **want: Any) -> Any:
    """The task, once it is as wanted."""

    async def found() -> Any:
        task = await line.call("getTask", taskId="import")
        return task if all(task[key] == value for key, value in want.items()) else None

    return await until(found, 60)


async def test_a_job_that_is_done(job: Job, tmp_path: Path) -> None:
    """Each part is told, then that it is complete."""
    line = await job.start()
    gate = tmp_path / "gate"
    wait = f'until [ "$1" = 1 ] || [ -e {gate} ]; do sleep 0.05; done'
    async with job.run(4, "sh", "-c", wait, "part") as process:
        half = await shown(line, progress=25)
        assert (half["status"], half["metadata"]["part"]) == ("in-progress", 1)
        gate.touch()
        done = await shown(line, status="complete")
        assert (done["progress"], done["metadata"]["part"]) == (100, 4)
        assert await process.wait() == 0
    await job.taskd.end()


async def test_a_job_that_fails_and_is_run_again(job: Job) -> None:
    """The task fails with its words; the next run is the next attempt."""
    line = await job.start()
    async with job.run(2, "sh", "-c", 'exit "$(($1 - 1))"', "part") as process:
        failed = await shown(line, status="error")
        assert failed["error"] == "ended with 1 at part 2 of 2"
        assert await process.wait() == 1
    async with job.run(2, "true") as process:
        done = await shown(line, status="complete")
        assert done["attempt"] == 2
        assert await process.wait() == 0
    await job.taskd.end()


async def test_a_job_that_is_ended_by_a_signal(job: Job, tmp_path: Path) -> None:
    """It says so, at once, and takes the running part along."""
    line = await job.start()
    pid = tmp_path / "pid"
    work = f"echo $$ > {pid}; exec sleep 60"
    async with job.run(2, "sh", "-c", work) as process:
        await until(lambda: filled(pid), 60)
        process.send_signal(signal.SIGTERM)
        failed = await shown(line, status="error")
        assert re.fullmatch(r"ended with (SIGTERM|143) at part 1 of 2", failed["error"])
        async with asyncio.timeout(30):
            assert await process.wait() != 0
            await until(lambda: gone(pid), 30)
    await job.taskd.end()


async def filled(file: Path) -> bool:
    return text(file) != ""


async def gone(file: Path) -> bool:
    """Whether the process whose number is in a file has ended (a zombie has)."""
    stat = text(Path(f"/proc/{text(file)}/stat"))
    return stat == "" or stat.rpartition(")")[2].split()[0] == "Z"


def text(file: Path) -> str:
    """What a file holds, "" where it is not there."""
    try:
        return file.read_text().strip()
    except OSError:
        return ""


async def test_a_job_that_is_silent_is_stalled(job: Job) -> None:
    """Killed so that no trap could tell, or stuck: both are silence; nothing is failed."""
    line = await job.start("2s")
    async with job.run(1, "sleep", "60") as process:
        await shown(line, health="ok")
        process.kill()
        silent = await shown(line, health="stalled")
        assert (silent["status"], silent["reason"]) == ("in-progress", "silent-report")
    await job.taskd.end()


async def test_it_says_how_it_is_used(job: Job) -> None:
    """Where there is no command."""
    process = await asyncio.create_subprocess_exec(
        *job.command, "1", env=job.env, stderr=asyncio.subprocess.PIPE
    )
    said = (await process.communicate())[1]
    assert b"TASK PARTS COMMAND [ARG...]" in said
    assert b"Traceback" not in said
    assert process.returncode in (1, 2)


async def test_a_job_without_a_daemon_is_done_all_the_same(job: Job, tmp_path: Path) -> None:
    """Nobody takes its reports, and it works on."""
    told = tmp_path / "told"
    async with asyncio.timeout(90), job.run(2, "sh", "-c", f"echo $1 >> {told}", "part") as process:
        assert await process.wait() == 0
    assert told.read_text().split() == ["1", "2"]
