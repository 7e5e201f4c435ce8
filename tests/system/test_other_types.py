"""JSON over HTTP, commands and reports through the real daemon and its doors, killed in between."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load
from tests.fakes.doors import opened
from tests.fakes.held_clock import HeldClock
from tests.fakes.taskd_process import Refusal
from tests.fakes.website import Reply, Website

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]
PACE = 'interval = "250ms"\ntimeout = "5s"\n'


async def test_json_over_http_from_absent_to_complete(tmp_path: Path) -> None:
    """Refused, half, killed, half still, done."""
    site = Website({"/s": Reply({"done": 5, "total": 10, "secret": "x"})})
    await site.start()
    await site.stop()
    async with opened(tmp_path) as doors:
        doors.taskd.define(
            "web",
            f'type = "http-json"\nservice = "web"\n{PACE}[checker]\nurl = "{site.url}/s"\n'
            'done = "done"\ntotal = "total"\nunit = "rows"\n',
        )
        await doors.start()
        await doors.shown("web", health="unreachable", reason="refused")
        await site.start()
        half = await doors.shown("web", progress=50.0, health="ok")
        assert half["progressDetail"]["unit"] == "rows"
        assert "secret" not in repr(half)
        await doors.again()
        await doors.shown("web", progress=50.0, health="ok")
        site.replies["/s"] = Reply({"done": 10, "total": 10})
        done = await doors.shown("web", status="complete")
        assert (done["progress"], done["attempt"]) == (100, 1)
        await doors.taskd.end()
    await site.stop()


async def test_a_command_from_absent_to_complete(tmp_path: Path) -> None:
    """No program yet, half, killed, done; over the API it is forbidden."""
    program = tmp_path / "check.py"
    async with opened(tmp_path) as doors:
        doors.taskd.define(
            "job",
            f'type = "command"\nservice = "job"\n{PACE}[checker]\n'
            f'command = ["{sys.executable}", "-S", "{program}"]\n',
        )
        await doors.start()
        await doors.shown("job", health="unreachable", reason="bad-answer")
        program.write_text('print(\'{"progress": 42, "metadata": {"step": "import"}}\')')
        half = await doors.shown("job", progress=42.0, health="ok")
        assert half["metadata"] == {"step": "import"}
        await doors.again(lambda: program.write_text("print('{\"completed\": true}')"))
        done = await doors.shown("job", status="complete")
        assert (done["progress"], done["attempt"]) == (100, 1)
        with pytest.raises(Refusal) as no:
            await doors.line.call(
                "registerTask", type="command", service="x", config={"command": ["true"]}
            )
        assert no.value.reason == "forbidden"
        await doors.taskd.end()


async def test_a_report_from_silent_to_complete(tmp_path: Path) -> None:
    """Nothing said, half, killed, half still, silent, done."""
    async with opened(tmp_path) as doors:
        doors.taskd.define("work", f'type = "report"\nservice = "work"\n{PACE}stall_after = "2s"\n')
        await doors.start()
        await doors.shown("work", status="in-progress", progress=0)
        await doors.line.call("reportTask", taskId="work", progress=50, metadata={"part": 3})
        await doors.again()
        half = await doors.shown("work", status="in-progress", progress=50)
        assert half["metadata"] == {"part": 3}
        await doors.shown("work", health="stalled", reason="silent-report", progress=50)
        await doors.line.call("reportTask", taskId="work", completed=True)
        done = await doors.shown("work", status="complete", progress=100)
        assert done["attempt"] == 1
        await doors.taskd.end()


async def test_a_type_of_another_package_from_absent_to_complete(tmp_path: Path) -> None:
    """The one of docs/checkers.md, installed by itself and named in the settings; killed, too."""
    page = (Path(__file__).parents[2] / "docs" / "checkers.md").read_text()
    (source,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    packages = tmp_path / "packages"
    about = packages / "file_size-1.0.dist-info"
    about.mkdir(parents=True)
    (packages / "file_size.py").write_text(source)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: file-size\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[kaspad_taskd.probes]\nfile-size = file_size:TYPE\n")
    file = tmp_path / "download"
    async with opened(tmp_path / "d") as doors:
        doors.taskd.env["PYTHONPATH"] = f"{packages}:{os.environ.get('PYTHONPATH', '')}"
        doors.taskd.settings.write_text('probes = ["file-size"]\n')
        doors.taskd.define(
            "load",
            f'type = "file-size"\nservice = "load"\n{PACE}[checker]\npath = "{file}"\nsize = 10\n',
        )
        await doors.start()
        await doors.shown("load", health="unreachable", reason="not-ready")
        file.write_text("12345")
        await doors.shown("load", progress=50, metadata={"bytes": 5})
        await doors.again(lambda: file.write_text("123456"))
        await doors.shown("load", progress=60, health="ok")
        file.write_text("1234567890")
        done = await doors.shown("load", status="complete")
        assert (done["attempt"], done["endpoint"]) == (1, str(file))
        await doors.taskd.end()


async def test_a_node_from_its_sync_to_complete(tmp_path: Path) -> None:
    """A recorded one; every door tells the same. More kills of it are in test_recorded_sync."""
    clock, recording = HeldClock.make(tmp_path / "clock", time.time()), load()
    playing = PlayingNode(recording, monotonic=clock.monotonic, wall_ms=lambda: clock.wall() * 1000)
    async with playing as node, opened(tmp_path / "d") as doors:
        doors.taskd.program = ("tests.fakes.held_clock", str(tmp_path / "clock"))

        async def play(until: Callable[[dict[str, Any]], bool]) -> None:
            """Time passes with each look, and stands still then."""
            while not until(await doors.line.call("getTask", taskId="node")):
                assert node.played < 2 * recording.duration
                clock.pass_time(2.0)
                await node.turn()
                await doors.line.call("checkTaskStatus", taskId="node")

        doors.taskd.define(
            "node", f'type = "node-sync"\nservice = "node"\n{PACE}[checker]\nurl = "{node.url}"\n'
        )
        await doors.start()
        await play(lambda task: task["progress"] > 0)
        before = await doors.shown("node", health="ok", status="in-progress")
        await doors.again()
        after = await doors.shown("node", health="ok", status="in-progress", attempt=1)
        assert after["progress"] >= before["progress"]
        await play(lambda task: task["status"] == "complete")
        done = await doors.shown("node", status="complete", progress=100)
        assert (done["attempt"], done["metadata"]["isSynced"]) == (1, True)
        await doors.taskd.end()
