"""A real daemon whose state is removed under it: nothing acknowledged is lost, and it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fakes.taskd_process import Line, Refusal, Taskd, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


async def registered(line: Line, service: str) -> bool:
    """Whether it was acknowledged; refused with the documented reason else."""
    try:
        await line.call("registerTask", type="report", service=service)
    except Refusal as no:
        if no.reason != "store-unavailable":
            raise
        return False
    return True


async def test_what_is_acknowledged_survives_a_removal_and_a_kill(tmp_path: Path) -> None:
    """Changes go on all the time while the state is removed again and again; then it is killed."""
    async with Taskd(tmp_path) as daemon:
        line = await daemon.start()
        journal = await identity(line)
        taken: set[str] = set()
        for number in range(60):
            if number % 6 == 2:
                (daemon.state / "state.db").unlink(missing_ok=True)
            if await registered(line, f"s{number}"):
                taken.add(f"report-s{number}")
        await until(lambda: durable(line))
        assert len(taken) > 20
        assert await until(lambda: codes(line)) == {"state-recreated"}  # at the next turn
        await until(lambda: differs(line, journal))
        await daemon.kill()
        line = await daemon.start()
        assert {each["id"] for each in await line.call("getAllTasks")} == taken


async def test_another_file_in_its_place_is_said_everywhere(tmp_path: Path) -> None:
    """GetInfo names it, a warning names both; when it is gone, all goes on without a restart."""
    async with Taskd(tmp_path) as daemon:
        line = await daemon.start()
        assert await registered(line, "first")
        other = daemon.state / "other"
        other.write_bytes(b"somebody's")
        other.rename(daemon.state / "state.db")
        store = await until(lambda: trouble(line))
        assert store["durable"] is False
        assert "is left alone" in store["problem"]
        assert not await registered(line, "second")
        assert (await line.call("getTask", taskId="report-first"))["status"] == "in-progress"
        (daemon.state / "state.db").unlink()
        await until(lambda: durable(line))  # though nobody has tried to change anything
        assert await registered(line, "second")
        (told,) = (await line.call("getWarnings"))["warnings"][:1]
        assert told["code"] in ("state-replaced", "state-recreated")
        await daemon.kill()
        line = await daemon.start()
        tasks = {each["id"] for each in await line.call("getAllTasks")}
        assert tasks == {"report-first", "report-second"}


async def codes(line: Line) -> set[str]:
    return {each["code"] for each in (await line.call("getWarnings"))["warnings"]}


async def identity(line: Line) -> Any:
    return (await line.call("getInfo")).get("journal")


async def differs(line: Line, before: Any) -> bool:
    return before is None or await identity(line) != before


async def durable(line: Line) -> bool:
    return bool((await line.call("getInfo"))["store"]["durable"])


async def trouble(line: Line) -> Any:
    store = (await line.call("getInfo"))["store"]
    return store if store["problem"] else None
