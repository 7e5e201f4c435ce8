"""A real daemon whose state was damaged, cut or lost: what had ended stays so, once."""

# ruff: noqa: ASYNC240 - a test may block

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.taskd_process import Line, Taskd, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

REPORT = """
type = "report"
service = "{service}"
[on_complete]
command = ["/bin/sh", "-c", "echo {service} >>{ran}"]
"""


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Taskd]:
    async with Taskd(tmp_path) as daemon:
        yield daemon


async def lived(daemon: Taskd, ran: Path) -> Line:
    """A daemon with a task in each status, whose commands have run."""
    for service in ("done", "stopped", "resting", "running"):
        daemon.define(service, REPORT.format(service=service, ran=ran))
    line = await daemon.start()
    await line.call("registerTask", type="report", service="api")
    await line.call("completeTask", taskId="done")
    await line.call("completeTask", taskId="report-api")
    await line.call("cancelTask", taskId="stopped")
    await line.call("pauseTask", taskId="resting")
    await line.call("recordDecision", decision="wait", context={"why": "test"})

    async def has_run() -> bool:
        with closing(sqlite3.connect(daemon.state / "state.db")) as db:
            ended = "SELECT max(seq) FROM journal WHERE document ->> '$.name' = 'sync:complete'"
            (last,) = db.execute(ended).fetchone()
            found = db.execute("SELECT seq FROM cursors WHERE name = 'reactions'").fetchone()
        return ran.exists() and found is not None and found[0] >= last - 4

    await until(has_run)
    return line


def zero_head(state: Path) -> None:
    """The first page, through which SQLite finds everything."""
    with closing(sqlite3.connect(state)) as db:  # else the log has another image of it
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with state.open("r+b") as file:
        file.write(bytes(4096))


def garbage(state: Path) -> None:
    state.write_bytes(b"this is no database" * 1000)
    state.with_name("state.db-wal").unlink(missing_ok=True)


def gone(state: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        state.with_name(state.name + ending).unlink(missing_ok=True)


def emptied(state: Path) -> None:
    gone(state)
    state.write_bytes(b"")


def log_cut(state: Path) -> None:
    state.with_name("state.db-wal").write_bytes(b"")


@pytest.mark.parametrize("harm", [zero_head, garbage, gone, emptied, log_cut])
async def test_what_had_ended_stays_so_and_nothing_happens_twice(
    daemon: Taskd, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    """After a kill and the loss of a page, or of all; and it is told."""
    ran = tmp_path / "ran"
    line = await lived(daemon, ran)
    last = (await line.call("ping"))["seq"]
    journal = (await line.call("getInfo")).get("journal")
    await daemon.kill()
    harm(daemon.state / "state.db")
    line = await daemon.start()
    statuses = {each["id"]: each["status"] for each in await line.call("getAllTasks")}
    assert statuses == {
        "done": "complete", "stopped": "cancelled", "resting": "paused",
        "running": "in-progress", "report-api": "complete",
    }  # fmt: skip
    decisions = await line.call("getDecisions")
    assert [each["decision"] for each in decisions] == ["wait"]
    assert (await line.call("ping"))["seq"] > last
    told: list[dict[str, Any]] = (await line.call("getWarnings"))["warnings"]
    assert {each["code"] for each in told} & {"state-repaired", "history-lost"}
    assert all(each["note"] for each in told)
    await line.call("completeTask", taskId="running")  # what comes now does happen
    await until(lambda: has(ran, "running"))
    assert ran.read_text().splitlines() == ["done", "running"]
    if journal is not None:
        assert (await line.call("getInfo"))["journal"] != journal


async def has(ran: Path, word: str) -> bool:
    return word in ran.read_text()
