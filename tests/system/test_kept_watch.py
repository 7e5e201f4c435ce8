"""A real daemon that keeps watch: over health, kills and what people do, told each once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.base.clock import parse_iso as moment
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd_process import Line, Taskd, until
from tests.fakes.website import Reply, Website

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
DEFINITION = """\
type = "http-json"
service = "work"
interval = "250ms"
watch_interval = "250ms"
behind_after = "1s"
keep_watching = true
[checker]
url = "{url}/status"
completed = "done"
"""


async def now(taskd: Taskd) -> tuple[int, str]:
    """What `kaspad-taskctl wait --now` answers, a process of its own."""
    command = [sys.executable, "-m", "kaspad_taskd.cli", "--socket", str(taskd.socket)]
    ran = await asyncio.to_thread(
        subprocess.run, [*command, "wait", "--now", "work"], capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    return ran.returncode, ran.stdout


async def task_when(line: Line, **values: Any) -> dict[str, Any]:
    """The task as soon as it has these values."""

    async def there() -> dict[str, Any] | None:
        task: dict[str, Any] = await line.call("getTask", taskId="work")
        return task if {key: task[key] for key in values} == values else None

    found: dict[str, Any] = await until(there, PATIENCE, 0.1)
    return found


async def test_a_watch_over_kills_and_pauses_tells_each_change_once(tmp_path: Path) -> None:
    """Behind stays behind when the daemon is killed; one completion, and health alone after it."""
    async with Website({"/status": Reply({"done": True})}) as site, Taskd(tmp_path) as taskd:
        taskd.define("work", DEFINITION.format(url=site.url))
        line = await taskd.start()
        done = await task_when(line, status="complete", watch="on", health="ok")
        assert await now(taskd) == (0, "work is in sync now\n")
        site.replies["/status"] = Reply({"done": False})
        assert (await now(taskd))[0] == 7
        await task_when(line, status="complete", health="behind", progress=100)
        await taskd.kill()
        line = await taskd.start()
        await task_when(line, health="behind", watch="on")
        site.replies["/status"] = Reply({"done": True})
        well = await task_when(line, health="ok")
        assert well["completedAt"] == done["completedAt"]
        await line.call("pauseTask", taskId="work")
        await taskd.kill()
        line = await taskd.start()
        await task_when(line, watch="paused", health="unknown", nextCheck=None)
        assert (await now(taskd))[0] == 7
        site.replies["/status"] = Reply({}, status=503)
        await line.call("resumeTask", taskId="work")
        await task_when(line, watch="on", health="unreachable")
        events = (await line.call("getEvents", taskId="work"))["events"]
    names = [each["event"] for each in events]
    assert names.count("sync:complete") == names.count("sync:start") == 1
    after = events[names.index("sync:complete") + 1 :]
    assert [each["data"].get("health") for each in after] == [
        "behind", "ok", "unknown", "unreachable",
    ]  # fmt: skip


async def test_the_record_over_kills_tells_what_was_seen_and_no_more(tmp_path: Path) -> None:
    """An incident from its first bad look to its end; of a dead daemon's time nothing is known."""
    async with Website({"/status": Reply({"done": True})}) as site, Taskd(tmp_path) as taskd:
        taskd.define("work", DEFINITION.format(url=site.url))
        line = await taskd.start()
        await task_when(line, status="complete", watch="on", health="ok")
        site.replies["/status"] = Reply({}, status=503)
        await task_when(line, health="unreachable")
        await taskd.kill()
        await asyncio.sleep(2)
        line = await taskd.start()
        (lasts,) = (await line.call("getIncidents"))["incidents"]
        assert (lasts["health"], lasts["ended"]) == ("unreachable", None)
        site.replies["/status"] = Reply({"done": True})
        await task_when(line, health="ok")
        await taskd.end()
        line = await taskd.start()
        (over,) = (await line.call("getIncidents", taskId="work"))["incidents"]
        assert (over["id"], over["began"], over["ending"]) == (lasts["id"], lasts["began"], "ok")
        record = await line.call("getRecord", taskId="work", days=1)
        seconds = record["seconds"]
        assert seconds["unknown"] >= 2
        assert record["incidents"]["count"] == 1
        spent = moment(record["to"]) - moment(record["from"])
        assert sum(seconds.values()) == round(spent / 1000)
        command = [sys.executable, "-m", "kaspad_taskd.cli", "--socket", str(taskd.socket)]
        told = await asyncio.to_thread(
            subprocess.run, [*command, "incidents", "work"], capture_output=True, text=True,
            timeout=PATIENCE, check=True,
        )  # fmt: skip
        assert "not reachable for" in told.stdout
