"""JSON over HTTP and commands followed through the real daemon, killed in the middle."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.taskd_process import Line, Refusal, Taskd, until
from tests.fakes.website import Reply, Website

pytestmark = pytest.mark.system
PACE = 'interval = "250ms"\ntimeout = "5s"\n'


def task_where(line: Line, task_id: str, **want: Any) -> Callable[[], Awaitable[Any]]:
    async def found() -> Any:
        task = await line.call("getTask", taskId=task_id)
        return task if all(task[key] == value for key, value in want.items()) else None

    return found


async def test_json_over_http_from_absent_to_complete(tmp_path: Path) -> None:
    """Refused, half, killed, half still, done."""
    site = Website({"/s": Reply({"done": 5, "total": 10, "secret": "x"})})
    await site.start()
    await site.stop()
    async with Taskd(tmp_path) as taskd:
        taskd.define(
            "web",
            f'type = "http-json"\nservice = "web"\n{PACE}[checker]\nurl = "{site.url}/s"\n'
            'done = "done"\ntotal = "total"\nunit = "rows"\n',
        )
        line = await taskd.start()
        await until(task_where(line, "web", health="unreachable", reason="refused"))
        await site.start()
        half = await until(task_where(line, "web", progress=50.0, health="ok"))
        assert half["progressDetail"]["unit"] == "rows"
        assert "secret" not in repr(half)
        await taskd.kill()
        line = await taskd.start()
        assert (await line.call("getTask", taskId="web"))["progress"] == 50
        site.replies["/s"] = Reply({"done": 10, "total": 10})
        done = await until(task_where(line, "web", status="complete"))
        assert (done["progress"], done["attempt"]) == (100, 1)
        await taskd.end()
    await site.stop()


async def test_a_command_from_absent_to_complete(tmp_path: Path) -> None:
    """No program yet, half, killed, done; over the API it is forbidden."""
    program = tmp_path / "check.py"
    async with Taskd(tmp_path) as taskd:
        taskd.define(
            "job",
            f'type = "command"\nservice = "job"\n{PACE}[checker]\n'
            f'command = ["{sys.executable}", "-S", "{program}"]\n',
        )
        line = await taskd.start()
        await until(task_where(line, "job", health="unreachable", reason="bad-answer"))
        program.write_text('print(\'{"progress": 42, "metadata": {"step": "import"}}\')')
        half = await until(task_where(line, "job", progress=42.0, health="ok"))
        assert half["metadata"] == {"step": "import"}
        await taskd.kill()
        program.write_text("print('{\"completed\": true}')")
        line = await taskd.start()
        await until(task_where(line, "job", status="complete"))
        with pytest.raises(Refusal) as no:
            await line.call(
                "registerTask", type="command", service="x", config={"command": ["true"]}
            )
        assert no.value.reason == "forbidden"
        await taskd.end()
