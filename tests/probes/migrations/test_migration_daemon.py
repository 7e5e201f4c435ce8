"""A migration followed by a whole daemon, killed in the middle."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakes.doors import opened
from tests.fakes.patience import PATIENCE
from tests.fakes.postgres import Postgres
from tests.fakes.taskd_process import Line, until
from tests.probes.migrations.databases import drop

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

DEFINITION = """
type = "database-migration"
service = "explorer-db"
interval = "250ms"
[checker]
dsn = "explorer"
tool = "simply-kaspa"
"""
TASK = "explorer-db"


async def test_a_killed_daemon_goes_on_in_the_step_where_it_was(
    postgres: Postgres, tmp_path: Path
) -> None:
    """From an absent database to complete; the password stands nowhere."""
    name, file = "followed", tmp_path / "explorer.dsn"
    file.write_text(postgres.dsn(name, user="follower"))
    first = await postgres.admin()
    await first.execute(
        "CREATE ROLE follower LOGIN PASSWORD 'right word' IN ROLE pg_read_all_stats"
    )
    async with opened(tmp_path / "taskd") as doors:
        taskd = doors.taskd
        taskd.settings.write_text(f'[databases.explorer]\ndsn_file = "{file}"\n')
        taskd.define(TASK, DEFINITION)
        await doors.start()
        await doors.shown(TASK, reason="bad-answer")  # there is no such database yet
        await first.execute(f"CREATE DATABASE {name}")
        root = await postgres.admin(name)
        await root.execute(
            "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO follower;"
            "CREATE TABLE vars (key text, value text);"
            "INSERT INTO vars VALUES ('schema_version', '22');"
            "CREATE TABLE blocks (hash int PRIMARY KEY);"
            "CREATE TABLE transactions (transaction_id int PRIMARY KEY, block_time bigint)"
        )
        worker = await postgres.admin(name)
        gate = "SELECT pg_advisory_lock(1)"
        await root.execute(gate)
        await worker.execute("SET application_name = 'worker'")
        pending = worker.execute(
            "CREATE TABLE blocks_new AS SELECT n FROM generate_series(1, 9) n"
            " WHERE pg_advisory_lock_shared(1) IS NOT NULL"
        )
        work = asyncio.create_task(pending)
        before = await until(lambda: waiting(doors.line), PATIENCE)
        assert before["progress"] > 0
        await doors.shown(TASK, phase="v23_blocks", progress=before["progress"])
        await doors.again()
        after = await until(lambda: waiting(doors.line), PATIENCE)
        assert after["progress"] >= before["progress"]
        await root.execute("SELECT pg_advisory_unlock(1)")
        await work
        await worker.execute("SELECT pg_advisory_unlock_all()")
        assert (await doors.shown(TASK))["status"] == "in-progress"
        await worker.execute("DROP TABLE blocks_new; UPDATE vars SET value = '23'")
        shown = str(await doors.shown(TASK, status="complete", progress=100)) + taskd.said()
        await taskd.end()
        kept = b"".join(each.read_bytes() for each in taskd.state.rglob("*") if each.is_file())
        assert "right" not in shown
        assert b"right word" not in kept
        assert b"right%20word" not in kept
    for session in (worker, root):
        session.terminate()
    await drop(first, name)
    await first.execute("DROP ROLE follower")
    first.terminate()


async def waiting(line: Line) -> dict[str, object] | None:
    """The task once its step waits for a lock, by a look of this daemon's."""
    await line.call("checkTaskStatus", taskId=TASK)
    task: dict[str, object] = await line.call("getTask", taskId=TASK)
    here = (task["phase"], task["health"], task["reason"])
    return task if here == ("v23_blocks", "ok", "lock-wait") else None
