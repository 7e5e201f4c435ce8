"""What a program that counts says of itself, and what is made of it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import Any

import pytest

from kaspad_taskd.api.method import Caller
from tests.api.house import ApiHouse

pytestmark = pytest.mark.looptime
WORK = "report-work"


async def work(house: ApiHouse) -> None:
    await house.ask("registerTask", type="report", service="work")


async def told(house: ApiHouse, **said: Any) -> dict[str, Any]:
    answer = await house.ask("reportTask", taskId=WORK, **said)
    task: dict[str, Any] = answer["task"]
    return task


async def test_done_of_a_total(house: ApiHouse) -> None:
    """It is the share of the whole, in its own unit, and never all of it before the end."""
    await work(house)
    task = await told(house, done=25, total=100, unit="bytes")
    assert (task["progress"], task["progressBasis"]) == (25.0, "exact")
    assert task["progressDetail"] == {"done": 25, "total": 100, "unit": "bytes", "basis": "exact"}
    assert (await told(house, done=100, total=100, unit="bytes"))["progress"] == 99.9
    assert (await told(house, completed=True))["progress"] == 100


async def test_a_total_that_grows_makes_no_share(house: ApiHouse) -> None:
    """Of what is not known yet in all there is a count, no percentage, no time left."""
    await work(house)
    for done in range(1, 40):
        await asyncio.sleep(2)
        task = await told(house, done=done * 10, total=done * 10 + 5, unit="files", growing=True)
    assert (task["progress"], task["progressBasis"]) == (0, "unknown")
    assert (task["progressDetail"]["done"], task["progressDetail"]["total"]) == (390, None)
    assert (task["estimatedTimeRemaining"], task["etaReason"]) == (None, "no-total")


async def test_phases_of_unknown_number(house: ApiHouse) -> None:
    """The share is of the phase; how far the whole is nobody knows."""
    await work(house)
    await told(house, phase="counting", done=9, total=10, unit="objects")
    task = await told(house, phase="receiving", done=1, total=4, unit="objects")
    assert (task["progress"], task["progressBasis"]) == (0, "unknown")
    assert [(each["key"], each["state"], each["progress"]) for each in task["phases"]] == [
        ("counting", "done", 100.0), ("receiving", "current", 25.0)]  # fmt: skip
    assert (await told(house, phase="receiving", done=1, total=9))["phases"][1]["progress"] == 25


async def test_phases_of_a_known_number(house: ApiHouse) -> None:
    """All count alike; one that nobody named has its number."""
    await work(house)
    task = await told(house, phase="inodes", done=1, total=2, after=1, phases=4)
    assert (task["progress"], task["progressBasis"]) == (37.5, "estimated")
    assert [each["key"] for each in task["phases"]] == ["step-1", "inodes", "step-3", "step-4"]
    task = await told(house, phase="inodes", done=0, total=2, after=2, phases=4)
    assert [each["key"] for each in task["phases"]] == ["step-1", "inodes", "inodes 3", "step-4"]
    assert task["progress"] == 50


async def test_what_was_counted_stays_while_nothing_is(house: ApiHouse) -> None:
    """A report of facts, or of an end, takes nothing back."""
    await work(house)
    await told(house, phase="reading", done=3, total=12, unit="files")
    task = await told(house, metadata={"file": "a"})
    assert task["progressDetail"]["done"] == 3
    assert task["phase"] == "reading"


async def test_nothing_that_shows_work_is_no_standstill(house: ApiHouse) -> None:
    """A run that says that nothing can show it is well, and so noted; one that can is stalled."""
    await work(house)
    for _ in range(90):
        await asyncio.sleep(10)
        task = await told(house, pid=1)
    assert (task["health"], task["reason"]) == ("ok", "movement-unseen")
    for _ in range(90):
        await asyncio.sleep(10)
        task = await told(house, pid=1, atWork=False)
    assert (task["health"], task["reason"]) == ("stalled", "no-movement")


async def test_facts_beside_an_error_are_kept(house: ApiHouse) -> None:
    """How it ended is told with it."""
    await work(house)
    await told(house, metadata={"tool": "rsync"})
    task = await told(house, error="it broke", metadata={"exit": 23})
    assert (task["error"], task["metadata"]) == ("it broke", {"tool": "rsync", "exit": 23})


async def test_a_warning_is_of_a_good_end(house: ApiHouse) -> None:
    """It is a fact of what is complete."""
    await work(house)
    task = await told(house, completed=True, warning="files vanished")
    assert (task["status"], task["metadata"]["warning"]) == ("complete", "files vanished")


@pytest.mark.parametrize(
    ("given", "parameter"),
    [
        ({"done": 1, "progress": 1}, "done"),
        ({"total": 1}, "total"),
        ({"phases": 3}, "phases"),
        ({"phases": 3, "after": 3}, "phases"),
        ({"warning": "x"}, "warning"),
        ({"done": -1}, "done"),
        ({"phase": ""}, "phase"),
        ({"pid": 0}, "pid"),
        ({"pid": 5, "startTime": "noon"}, "startTime"),
        ({"atWork": 1}, "atWork"),
    ],
)
async def test_what_cannot_be(house: ApiHouse, given: dict[str, Any], parameter: str) -> None:
    """-32602 names the parameter."""
    await work(house)
    no = await house.no("reportTask", taskId=WORK, **given)
    assert (no.code, no.data["parameter"]) == (-32602, parameter)


async def reported_by(house: ApiHouse, process: subprocess.Popen[bytes]) -> None:
    """Let a process report itself, as the kernel would name it."""
    caller = Caller("rpc", process.pid, os.getuid(), os.getgid())
    method = house.methods["reportTask"]
    bound = method.bind((), {"taskId": WORK, "pid": process.pid})
    await method.handler(caller, bound)


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    )


async def test_one_that_is_killed_has_failed(house: ApiHouse) -> None:
    """Not at once, for its last word may be under way; within seconds, and that it is not known."""
    await work(house)
    with sleeper() as process:
        await reported_by(house, process)
        await asyncio.sleep(60)
        assert (await house.ask("getTask", taskId=WORK))["status"] == "in-progress"
        process.kill()
        process.wait()
    await asyncio.sleep(12)
    assert (await house.ask("getTask", taskId=WORK))["status"] == "in-progress"
    await asyncio.sleep(40)
    task = await house.ask("getTask", taskId=WORK)
    assert task["status"] == "error"
    assert str(process.pid) in task["error"]


async def test_a_task_is_reported_by_one_process(house: ApiHouse) -> None:
    """While it runs; who comes after it takes over."""
    await work(house)
    with sleeper() as first, sleeper() as second:
        await reported_by(house, first)
        with pytest.raises(Exception, match="reported by process") as no:
            await reported_by(house, second)
        assert getattr(no.value, "data", {}).get("pid") == first.pid
        first.kill()
        first.wait()
        await reported_by(house, second)
        second.kill()


async def test_of_a_process_that_cannot_be_seen_nothing_is_made(house: ApiHouse) -> None:
    """A number that the kernel does not confirm may be of another namespace."""
    await work(house)
    await work(house)
    await told(house, pid=2**31 - 1)
    await asyncio.sleep(300)
    assert (await house.ask("getTask", taskId=WORK))["status"] == "in-progress"
