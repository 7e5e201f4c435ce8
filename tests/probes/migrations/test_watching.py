"""Who is taken for the migration on real servers, and who beside it is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kaspad_taskd.core import inputs
from kaspad_taskd.core.model import Health
from kaspad_taskd.core.reason import Reason
from tests.core.play import Story, pending
from tests.fakes.patience import PATIENCE
from tests.probes.migrations.databases import GATE, Place, run, until

SQLX = (
    "CREATE TABLE _sqlx_migrations (version bigint, success boolean)",
    "INSERT INTO _sqlx_migrations VALUES (1, true)",
    "CREATE TABLE big AS SELECT n::bigint FROM generate_series(1, 60000) n",
    GATE,
)
LOOKS = 5


@asynccontextmanager
async def running(place: Place, text: str) -> AsyncIterator[asyncio.Task[Any]]:
    """A statement in a session of its own, until the end of its time."""
    work = asyncio.create_task((await place.session()).execute(text))
    try:
        yield work
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def test_others_work_is_no_movement(place: Place) -> None:
    """A pg_dump, an index of another schema, a writer: the migration only waits, and is stalled."""
    await run(place.root, (*SQLX, "CREATE SCHEMA other",
                           "CREATE TABLE other.big AS SELECT * FROM big", "CREATE TABLE t (n int)",
                           "INSERT INTO t VALUES (1)"))  # fmt: skip
    holder = await place.session()
    await holder.execute("BEGIN; SELECT FROM t")
    await place.hold(1)
    probe = place.probe(tool="sqlx", version="2")
    dump = "COPY (SELECT gate(n, 1) FROM big) TO '/dev/null'"
    async with (
        running(place, "ALTER TABLE t ADD m int"),
        running(place, f"SET application_name = 'pg_dump'; {dump}"),
        running(place, dump),
        running(place, "CREATE INDEX ON other.big (gate(n, 1))"),
        running(place, "CREATE TEMP TABLE own AS SELECT gate(n, 1) FROM big"),
        running(place, "UPDATE big SET n = gate(n, 1)"),
    ):
        await until(place, probe, lambda each: each.reason is Reason.LOCK_WAIT)
        seen = [await place.look(probe) for _ in range(LOOKS)]
        assert [(each.at_work, each.done, each.complete) for each in seen] == [
            (False, None, False)
        ] * LOOKS
        assert {each.metadata["statement"] for each in seen} == {"ALTER TABLE"}
        assert stalls(seen)
        await place.release(1)


async def test_its_own_work_is_movement(place: Place) -> None:
    """It is not stalled, whatever the text says, as long as its server works for it."""
    await run(place.root, SQLX)
    await place.hold(1)
    probe = place.probe(tool="sqlx", version="2")
    text = "SET lock_timeout = '9s'; CREATE TABLE x AS SELECT gate(n, 1) FROM big"
    async with running(place, text):
        await until(place, probe, lambda each: "statement" in each.metadata)
        seen = [await place.look(probe) for _ in range(LOOKS)]
        assert {each.at_work for each in seen} == {True}
        assert not stalls(seen)
        await place.release(1)


def stalls(seen: list[Any]) -> bool:
    """Whether a task stands still after these looks, an hour from one to the next."""
    story = Story(pending(stall_after=60.0)).play("start")
    for reading in seen:
        story.now += 3_600_000
        story.give(inputs.Look(story.task.attempt, reading))
    return story.task.health is Health.STALLED


async def test_an_ordinary_writer_does_not_keep_what_is_reached_from_being_complete(
    place: Place,
) -> None:
    """It has a transaction that writes, as every program has; nor one that works elsewhere."""
    await run(place.root, (*SQLX, "CREATE SCHEMA other", "CREATE TABLE other.t (n int)"))
    writer, other = await place.session(), await place.session()
    await writer.execute("BEGIN; UPDATE big SET n = n WHERE n = 1; SELECT FROM big FOR UPDATE")
    await other.execute("BEGIN; LOCK TABLE other.t")
    probe = place.probe(tool="sqlx", version="1", user="admin")
    assert [(await place.look(probe)).complete for _ in range(3)] == [True] * 3
    await writer.execute("COMMIT")
    await other.execute("LOCK TABLE big IN SHARE MODE")
    assert [(await place.look(probe)).complete for _ in range(3)] == [False] * 3


async def test_a_batched_migration_is_known_between_its_statements(place: Place) -> None:
    """By its transaction: no statement of it takes long, and nothing is locked for long."""
    await run(place.root, SQLX)
    batch = await place.session()
    probe = place.probe(tool="sqlx", version="2", user="admin")
    await batch.execute("BEGIN; UPDATE big SET n = n WHERE n < 9")
    for _ in range(4):
        found = await place.look(probe)
        assert (found.complete, found.metadata["idleInTransaction"]) == (False, True)
        assert found.at_work is False
        assert found.hints == ()
    await batch.execute("COMMIT")
    assert "statement" not in (await place.look(probe)).metadata


async def test_what_is_hidden_is_known_by_its_locks(place: Place) -> None:
    """pg_locks can be read by every role: it is told from the first look."""
    await run(place.root, (*SQLX, "REVOKE pg_read_all_stats FROM watcher"))
    worker, holder = await place.session(), await place.session()
    await worker.execute("BEGIN; LOCK TABLE big")
    first = await place.look(place.probe(tool="sqlx", version="2"))
    assert (first.reason, [each.code for each in first.hints]) == (
        Reason.CREDENTIALS, ["activity-hidden"]
    )  # fmt: skip
    assert first.metadata["sessionPid"] == worker.get_server_pid()
    await worker.execute("ROLLBACK")
    await holder.execute("BEGIN; SELECT FROM big")
    async with running(place, "ALTER TABLE big ADD m int"):
        probe = place.probe(tool="sqlx", version="2")
        waits = await until(place, probe, lambda each: each.reason is Reason.LOCK_WAIT)
        assert waits[-1].params == {"pid": holder.get_server_pid()}
        assert [each.code for each in waits[-1].hints] == ["lock-wait", "activity-hidden"]


@pytest.mark.parametrize("tool", ["simply-kaspa", "k-indexer"])
async def test_of_a_known_program_its_own_tables_count(place: Place, tool: str) -> None:
    """Two of them share a database and a schema, and one reindexes at each of its starts."""
    await run(place.root, (
        "CREATE TABLE vars (key text, value text)",
        "INSERT INTO vars VALUES ('schema_version', '22')",
        "CREATE TABLE k_vars (key text, value text)",
        "INSERT INTO k_vars VALUES ('schema_version', '1')",
        "CREATE TABLE transactions (transaction_id int PRIMARY KEY)",
        "CREATE TABLE blocks (hash int PRIMARY KEY)",
        "CREATE TABLE k_votes AS SELECT n::bigint FROM generate_series(1, 60000) n", GATE,
        "CREATE INDEX idx_k_votes_n ON k_votes (gate(n, 1))",
    ))  # fmt: skip
    own = {"simply-kaspa": "transactions", "k-indexer": "k_votes"}
    probe = place.probe(tool=tool)
    session = await place.session()
    for table in own.values():
        await session.execute(f"BEGIN; LOCK TABLE {table}")
        found = await place.look(probe)
        assert ("statement" in found.metadata) is (table == own[tool])
        await session.execute("ROLLBACK")
        place.memory = {}
    await place.hold(1)
    async with running(place, "REINDEX INDEX CONCURRENTLY idx_k_votes_n"):
        building = "SELECT true FROM pg_stat_progress_create_index WHERE blocks_done > 0"
        async with asyncio.timeout(60):
            while not await place.root.fetchval(building):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert "statement" not in (await place.look(probe)).metadata
        await place.release(1)


@pytest.mark.parametrize(
    "text",
    ["CREATE INDEX CONCURRENTLY ON big (n)", "ALTER TABLE big VALIDATE CONSTRAINT c", "VACUUM big"],
)
async def test_what_waits_with_a_light_lock_is_no_nobody(place: Place, text: str) -> None:
    """Nothing is counted yet, nothing is written; whose session it waits for is said."""
    await run(place.root, (*SQLX, "ALTER TABLE big ADD CONSTRAINT c CHECK (n > 0) NOT VALID"))
    holder = await place.session()
    await holder.execute("BEGIN; LOCK TABLE big IN SHARE UPDATE EXCLUSIVE MODE")
    await holder.execute("SET application_name = 'pg_dump'")
    probe = place.probe(tool="sqlx", version="2")
    async with running(place, text):
        seen = await until(place, probe, lambda each: each.reason is Reason.LOCK_WAIT)
        seen += [await place.look(probe) for _ in range(LOOKS)]
        assert seen[-1].params == {"pid": holder.get_server_pid()}
        assert {each.at_work for each in seen} <= {False, None}
        assert [each.code for each in seen[-1].hints] == ["lock-wait"]


@pytest.mark.parametrize(
    "text",
    ["WITH a AS (INSERT INTO t VALUES (1) RETURNING n) SELECT gate(b.n, 1) FROM a, big b",
     "DO $$ BEGIN INSERT INTO t VALUES (1); UPDATE big SET n = gate(n, 1); END $$"],
)  # fmt: skip
async def test_nobody_migrates_is_not_said_of_who_has_just_begun(place: Place, text: str) -> None:
    """Though neither a role nor a name tells whose it is, and no lock."""
    await run(place.root, (*SQLX, "CREATE TABLE t (n int)"))
    await place.hold(1)
    probe = place.probe(tool="sqlx", version="2")
    async with running(place, text):
        writes = "SELECT true FROM pg_stat_activity WHERE datname = current_database()"
        async with asyncio.timeout(PATIENCE):
            while not await place.root.fetchval(f"{writes} AND backend_xid IS NOT NULL"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert [(await place.look(probe)).hints for _ in range(LOOKS)] == [()] * LOOKS
        await place.root.execute("SELECT pg_advisory_unlock(1)")


async def test_a_table_in_a_schema_of_its_own_is_seen_being_made(place: Place) -> None:
    """A first migration makes both; nobody else can see either yet."""
    await run(place.root, SQLX[2:3])
    session = await place.session()
    await session.execute("BEGIN; CREATE SCHEMA app; CREATE TABLE app.t AS SELECT n FROM big")
    checkers: tuple[dict[str, Any], ...] = (
        {"tool": "sqlx", "version": "2", "schema": "app"},
        {"tool": "sql", "query": "SELECT false AS completed"},
    )
    for checker in checkers:
        place.memory = {}
        found = await place.look(place.probe(**checker))
        assert found.metadata["sessionPid"] == session.get_server_pid()


async def test_a_prepared_transaction_that_alters_is_not_over(place: Place) -> None:
    """No session has it any more, and its lock stays over a restart; a program's writing passes."""
    await run(place.root, SQLX)
    for statement, holds in (("UPDATE big SET n = n WHERE n = 1", False),
                             ("ALTER TABLE big ADD m int", True)):  # fmt: skip
        await place.root.execute(f"BEGIN; {statement}; PREPARE TRANSACTION 'half'")
        try:
            place.memory = {}
            probe = place.probe(tool="sqlx", version="1")
            seen = [await place.look(probe) for _ in range(LOOKS)]
        finally:
            await place.root.execute("ROLLBACK PREPARED 'half'")
        assert {each.complete for each in seen} == {not holds}
        assert {tuple(hint.code for hint in each.hints) for each in seen} == {
            ("prepared-transaction",) * holds
        }
    assert (await place.look(probe)).complete
