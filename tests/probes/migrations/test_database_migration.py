"""Looks at a real PostgreSQL that really migrates."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from kaspad_taskd.core.observation import Hint, Reading, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes import Means
from kaspad_taskd.probes.migrations.questions import progress_query
from kaspad_taskd.words import task as words
from kaspad_taskd.words.facts import session
from tests.probes.looks import made, read, said
from tests.probes.migrations.databases import GATE, VARS, Place, at_version, run, until

BEFORE_23 = (
    VARS, at_version(22), GATE,
    ("CREATE TABLE transactions AS SELECT n::bigint AS transaction_id, n::bigint AS block_time"
    " FROM generate_series(1, 60000) n"),
    ("CREATE TABLE blocks AS SELECT n::bigint AS hash, n::bigint AS blue_score"
    " FROM generate_series(1, 60000) n"),
    ("CREATE TABLE blocks_transactions AS SELECT hash AS block_hash, hash AS transaction_id"
    " FROM blocks"),
)  # fmt: skip
TO_23 = (
    ("-- the helper\nCREATE TABLE blocks_transactions_dedup AS SELECT DISTINCT ON (transaction_id)"
    " transaction_id, gate(block_hash, 1) AS block_hash FROM blocks_transactions"),
    ("CREATE TABLE transactions_new AS SELECT t.*, gate(d.block_hash, 2) AS block_hash"
    " FROM transactions t LEFT JOIN blocks_transactions_dedup d USING (transaction_id)"),
    "DROP TABLE transactions", "ALTER TABLE transactions_new RENAME TO transactions",
    "/* again */ ALTER TABLE transactions ADD PRIMARY KEY (transaction_id)",
    "CREATE INDEX ON transactions (gate(block_time, 3) DESC)", "ANALYZE transactions",
    "DROP TABLE blocks_transactions_dedup",
    "CREATE TABLE blocks_new AS SELECT gate(hash, 4) AS hash, blue_score FROM blocks",
    "DROP TABLE blocks", "ALTER TABLE blocks_new RENAME TO blocks",
    "ALTER TABLE blocks ADD PRIMARY KEY (hash)", "CREATE INDEX ON blocks (blue_score)",
    "ANALYZE blocks", "DROP TABLE blocks_transactions",
    "UPDATE vars SET value = '23' WHERE key = 'schema_version'",
)  # fmt: skip
GATES_TO_23 = {1: "v23_pairs", 2: "v23_transactions", 3: "v23_index_scan", 4: "v23_blocks"}
"""The step that each gate holds."""


def in_phase(key: str) -> Callable[[Any], bool]:
    return lambda each: each.phase == key


async def test_a_migration_of_simply_kaspa_is_followed_step_by_step(place: Place) -> None:
    """Its steps come in order, the opaque ones without numbers; it is over at the end only."""
    await run(place.root, BEFORE_23)
    probe = place.probe(tool="simply-kaspa")
    assert (await place.look(probe)).phase is None
    session = await place.session()
    await place.hold(*GATES_TO_23)
    work = asyncio.create_task(run(session, TO_23[:-1]))
    seen: list[Any] = []
    for gate, held in GATES_TO_23.items():
        seen += await until(place, probe, in_phase(held))
        await place.release(gate)
    seen += await until(place, probe, lambda _: work.done())
    await work
    assert not any(each.complete for each in seen)
    keys = [phase.key for phase in seen[0].plan]
    assert len(keys) == 11
    steps = [keys.index(each.phase) for each in seen if each.phase and each.plan]
    assert steps == sorted(steps)
    for each in seen:
        if each.phase in ("v23_pairs", "v23_transactions", "v23_blocks"):
            assert each.position is None
        elif each.position is not None:
            assert 0 <= each.position <= each.target
            assert each.basis == "exact"
    assert any(each.position for each in seen)
    await run(session, TO_23[-1:])
    last = await place.look(probe)
    assert (last.complete, last.metadata["version"]) == (True, "23")


async def test_the_version_that_is_written_first_is_not_believed(place: Place) -> None:
    """Version 20 with its old tables left over is half-way; a key still missing is, too."""
    await run(place.root, (VARS, at_version(20), "CREATE TABLE transactions_old (x int)",
                           "CREATE TABLE transactions (transaction_id int)"))  # fmt: skip
    probe = place.probe(tool="simply-kaspa", version=20)
    looks = [await place.look(probe) for _ in range(4)]
    assert not any(each.complete or each.hints for each in looks)
    assert looks[0].plan[0].key == "v20_copy"
    await place.root.execute("DROP TABLE transactions_old")
    assert not (await place.look(probe)).complete
    await place.root.execute("ALTER TABLE transactions ADD PRIMARY KEY (transaction_id)")
    assert (await place.look(probe)).complete


async def test_a_backup_is_restored_only_where_nobody_is_left_who_may_go_on(place: Place) -> None:
    """The quiet has lasted by the server's clock, and no session of the owner's role is there."""
    await run(place.root, (VARS, at_version(22), "CREATE TABLE blocks_new (x int)",
                           "CREATE ROLE ski LOGIN PASSWORD 'right word'",
                           "ALTER TABLE vars OWNER TO ski"))  # fmt: skip
    probe = place.probe(tool="simply-kaspa")
    try:
        for _ in range(4):
            assert not (await place.look(probe)).hints
        place.memory = {**place.memory, "quietSince": place.memory["quietSince"] - 60}
        told = (Hint("migration-interrupted", {"table": "blocks_new"}),)
        assert (await place.look(probe)).hints == told
        session = await asyncpg.connect(place.server.dsn(place.name, "ski"))
        try:
            assert not (await place.look(probe)).hints  # though it is idle
        finally:
            await session.close()
    finally:
        await run(place.root, ("REASSIGN OWNED BY ski TO admin", "DROP OWNED BY ski",
                               "DROP ROLE ski"))  # fmt: skip


async def test_a_step_that_counts_days_is_exact(place: Place) -> None:
    """From the program's own checkpoint, between the first day and the last."""
    day = 86_400_000
    await run(place.root, (
        VARS, at_version(20), "CREATE TABLE transactions (block_time bigint)",
        f"INSERT INTO transactions SELECT n * {day}::bigint FROM generate_series(100, 110) n",
        f"INSERT INTO vars VALUES ('v21_compressed_subnetworks_checkpoint', '{103 * day}')",
        "CREATE PROCEDURE _v21_migrate_subnetworks() LANGUAGE sql AS 'SELECT pg_sleep(600)'",
    ))  # fmt: skip
    work = asyncio.create_task((await place.session()).execute("CALL _v21_migrate_subnetworks()"))
    seen = await until(place, place.probe(tool="simply-kaspa"), lambda each: each.position)
    last = seen[-1]
    assert (last.phase, last.unit, last.basis) == ("v21_subnetworks", "days", "exact")
    assert (last.start, last.position, last.target) == (100, 104, 110)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_a_copy_into_the_new_table_is_estimated_by_sizes(place: Place) -> None:
    """The version says 20 all the while; another role's sessions are none of ours."""
    old = tuple(
        f"CREATE TABLE {name}_old AS SELECT n::bigint FROM generate_series(1, 100000) n"
        for name in ("transactions", "transactions_inputs", "transactions_outputs")
    )
    await run(place.root, (VARS, at_version(20), GATE, "CREATE TABLE transactions (n bigint)",
                           *old))  # fmt: skip
    session = await place.session()
    await place.hold(1)
    copy = "INSERT INTO transactions (n) SELECT gate(n, 1) FROM transactions_old"
    work = asyncio.create_task(session.execute(copy))
    probe = place.probe(tool="simply-kaspa", version="20")
    looks = await until(place, probe, lambda each: each.position)
    last = looks[-1]
    assert (last.phase, last.unit, last.basis) == ("v20_copy", "MB", "estimated")
    assert 0 < last.position < last.target
    other = await place.probe(tool="simply-kaspa", user="indexer").observe({})
    assert "statement" not in other.metadata
    await place.release(1)
    await work


async def test_an_index_build_of_any_program_is_counted(place: Place) -> None:
    """Exactly, for this one statement; the share of the whole stays unknown."""
    await run(place.root, (GATE, ("CREATE TABLE big AS SELECT n::bigint FROM"
                           " generate_series(1, 60000) n"),
                           "CREATE TABLE _sqlx_migrations (version bigint, success boolean)",
                           "INSERT INTO _sqlx_migrations VALUES (1, true)"))  # fmt: skip
    probe = place.probe(tool="sqlx", version="2")
    assert (await place.look(probe)).phase is None
    session = await place.session()
    await place.hold(1)
    work = asyncio.create_task(session.execute("CREATE INDEX ON big (gate(n, 1))"))
    seen = await until(place, probe, lambda each: each.unit == "pages" and each.position)
    await place.release(1)
    seen += await until(place, probe, lambda _: work.done())
    counted = [each for each in seen if each.phase == "statement_index" and each.target]
    assert all(each.floor == 0.0 and 0 <= each.position <= each.target for each in counted)
    assert counted[-1].metadata["statement"] == "CREATE INDEX"
    assert 0 <= counted[0].metadata["statementPercent"] <= 100
    await work
    await place.root.execute("INSERT INTO _sqlx_migrations VALUES (2, true)")
    assert (await place.look(probe)).complete


async def test_a_migration_that_waits_for_a_lock_says_for_whose(place: Place) -> None:
    """With the statement that ends that session; and our own looks never queue before it."""
    await run(place.root, ("CREATE TABLE big (n int)", VARS, at_version(23)))
    holder, waiter = await place.session(), await place.session()
    await holder.execute("BEGIN; LOCK TABLE big IN ACCESS SHARE MODE")
    pid = await holder.fetchval("SELECT pg_backend_pid()")
    work = asyncio.create_task(waiter.execute("ALTER TABLE big ADD COLUMN m int"))
    probe = place.probe(tool="flyway", version="1")
    found = (await until(place, probe, lambda each: each.reason is not None))[-1]
    assert found.reason is Reason.LOCK_WAIT
    assert words.note(found.reason, found.params).endswith(f"session {pid}.")
    assert words.hint("lock-wait", found.hints[0].params)[1] == (
        f"End that session: SELECT pg_terminate_backend({pid})"
    )
    assert (await place.look(probe)).at_work is False  # waiting is no movement
    await holder.execute("COMMIT")
    await work


async def test_the_session_that_is_taken_for_the_migration_is_named(place: Place) -> None:
    """By its pid, its role and what it calls itself: whose it is can be told then."""
    await run(place.root, ("CREATE TABLE big (n int)", VARS, at_version(23)))
    holder, worker = await place.session(), await place.session()
    await holder.execute("BEGIN; LOCK TABLE big IN ACCESS SHARE MODE")
    await worker.execute("SET application_name = 'migrator'")
    pid = await worker.fetchval("SELECT pg_backend_pid()")
    work = asyncio.create_task(worker.execute("ALTER TABLE big ADD COLUMN m int"))
    probe = place.probe(tool="flyway", version="1")
    found = (await until(place, probe, lambda each: each.reason is not None))[-1]
    facts = {key: found.metadata[key] for key in ("sessionPid", "sessionUser", "statement")}
    assert facts == {"sessionPid": pid, "sessionUser": "admin", "statement": "ALTER TABLE"}
    assert found.metadata["sessionApplication"] == "migrator"
    told = {"metadata": found.metadata}
    assert session(told) == f"session {pid} of admin (migrator), ALTER TABLE"
    await holder.execute("COMMIT")
    await work
    assert "sessionPid" not in (await place.look(probe)).metadata


async def test_a_locked_version_table_keeps_what_was_known(place: Place) -> None:
    """Not an outage, and not complete."""
    await run(place.root, (VARS, at_version(23)))
    probe = place.probe(tool="simply-kaspa")
    assert (await place.look(probe)).complete
    holder = await place.session()
    await holder.execute("BEGIN; LOCK TABLE vars")
    found = await place.look(probe)
    assert (found.complete, found.metadata["version"]) == (False, "23")


async def test_a_server_that_crashes_is_health_and_the_way_goes_on(place: Place) -> None:
    """A backend killed takes all sessions along; afterwards the step is where it was."""
    await run(place.root, BEFORE_23)
    session = await place.session()
    probe = place.probe(tool="simply-kaspa")
    await place.hold(1)
    work = asyncio.create_task(run(session, TO_23[:1]))
    await until(place, probe, in_phase("v23_pairs"))
    pid = await place.root.fetchval("SELECT pid FROM pg_stat_activity WHERE query LIKE '%gate(b%'"
                                    " AND pid <> pg_backend_pid()")  # fmt: skip
    os.kill(pid, signal.SIGKILL)
    await asyncio.gather(work, return_exceptions=True)
    missed = await place.look(probe)
    if isinstance(missed, Unreachable):
        assert missed.reason in (
            Reason.NOT_READY, Reason.STOPPING, Reason.STREAM_CLOSED, Reason.REFUSED
        )  # fmt: skip
    seen = await until(place, probe, lambda each: isinstance(each, Reading))
    assert (seen[-1].phase, seen[-1].complete) == ("v23_pairs", False)
    place.root = await place.server.admin(place.name)


async def test_a_stopped_server_refuses_and_is_found_again(place: Place) -> None:
    """The kept connection is made anew."""
    await run(place.root, (VARS, at_version(23)))
    probe = place.probe(tool="simply-kaspa")
    assert (await place.look(probe)).complete
    place.root.terminate()
    place.server.stop()
    try:
        assert isinstance(await place.look(probe), Unreachable)
        missed = await place.look(probe)
        assert missed == Unreachable(Reason.REFUSED, {"address": "postgresql:explorer"})
    finally:
        place.server.start()
        place.root = await place.server.admin(place.name)
    assert (await place.look(probe)).complete


async def test_a_wrong_password_is_refused_until_the_file_has_the_right_one(place: Place) -> None:
    """Without a word of either."""
    await run(place.root, (VARS, at_version(23)))
    place.name_it(password="secret")
    probe = place.probe(tool="simply-kaspa")
    refused = await place.look(probe)
    assert (refused.reason, refused.params) == (Reason.CREDENTIALS, {"user": "watcher"})
    assert words.hint("credentials", refused.hints[0].params)[1] == (
        "Correct the password of watcher in the file that holds it"
    )
    assert words.hint("credentials")[1] is None  # a missing permission is cured otherwise
    assert "secret" not in repr(refused)
    place.name_it()
    assert (await place.look(probe)).complete


@pytest.mark.parametrize(
    ("text", "words_"),
    [
        (None, "its dsn_file cannot be read"),
        ("host=localhost dbname=x", "holds no single line"),
        ("postgresql://[", "cannot be read"),
    ],
)
async def test_a_dsn_file_that_cannot_be_used_says_so(
    place: Place, text: str | None, words_: str
) -> None:
    """Health, not failure: the administrator mends it and it goes on."""
    place.file.unlink() if text is None else place.file.write_text(text)
    missed = await place.look(place.probe(tool="simply-kaspa"))
    assert isinstance(missed, Unreachable)
    assert words_ in words.note(missed.reason, missed.params)


async def test_a_database_that_the_settings_do_not_name_is_said(place: Place) -> None:
    """A typing error in the definition, or settings that came later."""
    probe = made("database-migration", {"dsn": "other", "tool": "simply-kaspa"}, Means())
    missed = await place.look(probe)
    assert words.note(missed.reason, missed.params) == (
        "The database other cannot be asked: not named in the settings."
    )
    assert words.hint(missed.hints[0].code, missed.hints[0].params)[1] == (
        "Name it in kaspad-taskd.toml: [databases.other] with its dsn_file"
    )


async def test_a_password_may_stand_in_a_pgpass(place: Place, tmp_path: Path) -> None:
    """The DSN names the file; then it holds none itself."""
    await run(place.root, (VARS, at_version(23)))
    passfile = tmp_path / "pgpass"
    passfile.write_text("*:*:*:watcher:right word\n")
    passfile.chmod(0o600)
    place.name_it(password=None, passfile=passfile)
    assert (await place.look(place.probe(tool="simply-kaspa"))).complete


async def test_a_missing_permission_names_the_role_and_the_grant(place: Place) -> None:
    """The version table may not be read: refused. Others' sessions unseen: never complete."""
    await run(place.root, (VARS, at_version(23), "REVOKE SELECT ON vars FROM watcher"))
    probe = place.probe(tool="simply-kaspa")
    refused = await place.look(probe)
    told = words.note(refused.reason, refused.params)
    assert told == "watcher is not allowed to see the version table."
    await run(place.root, ("GRANT SELECT ON vars TO watcher",
                           "REVOKE pg_read_all_stats FROM watcher"))  # fmt: skip
    found = await place.look(probe)
    assert (found.complete, found.reason) == (False, Reason.CREDENTIALS)
    assert words.hint(found.hints[0].code, found.hints[0].params)[1] == (
        "GRANT pg_read_all_stats TO watcher"
    )
    assert (await place.look(place.probe(tool="simply-kaspa", user="indexer"))).complete


async def test_a_missing_version_table_is_not_an_outage(place: Place) -> None:
    """The program has not run yet, or it is another schema; the hint says both."""
    found = await place.look(place.probe(tool="k-indexer", schema="k"))
    assert not found.complete
    assert found.hints == (Hint("version-table-missing", {"table": "k.k_vars"}),)
    await run(place.root, ("CREATE SCHEMA k", "CREATE TABLE k.k_vars (key text, value text)",
                           "INSERT INTO k.k_vars VALUES ('schema_version', '2')"))  # fmt: skip
    assert (await place.look(place.probe(tool="k-indexer", schema="k"))).complete


async def test_what_a_version_table_holds_is_shown_as_one_short_line(place: Place) -> None:
    """Whoever writes it; it is no version then."""
    await run(place.root, (VARS, "INSERT INTO vars VALUES ('schema_version', E'23\\x1b[31m\\n"
                           + "x" * 5000 + "')"))  # fmt: skip
    found = await place.look(place.probe(tool="simply-kaspa"))
    assert not found.complete
    assert found.metadata["version"] == ("23?[31m?" + "x" * 200)[:200]
    assert found.memory["version"] == found.metadata["version"]


async def test_another_program_s_table_is_no_answer(place: Place) -> None:
    """A table of that name with other columns."""
    await place.root.execute("CREATE TABLE vars (name text)")
    missed = await place.look(place.probe(tool="simply-kaspa"))
    assert (missed.reason, missed.params["detail"]) == (
        Reason.BAD_ANSWER, "its version table has other columns"
    )  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 AS done",
        "SELECT true AS completed UNION ALL SELECT false",
        "SELECT 'yes' AS completed",
        "SELECT false AS completed, 'NaN'::float8 AS done",
        "SELEC",
        "CREATE TABLE hole (n int)",
        "WITH x AS (INSERT INTO t VALUES (1) RETURNING true AS completed) SELECT * FROM x",
        "SELECT set_config('transaction_read_only', 'off', true) IS NULL AS completed",
    ],
)
async def test_a_query_of_another_shape_is_no_answer(place: Place, query: str) -> None:
    """And none of them writes."""
    await place.root.execute("CREATE TABLE t (n int)")
    missed = await place.look(place.probe(tool="sql", query=query))
    assert missed.reason is Reason.BAD_ANSWER
    assert await place.root.fetchval("SELECT count(*) FROM t") == 0


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("SELEC 1", "the query is no SQL statement"),
        ("SELECT done FROM vars", "the query names a column that is not there"),
        ("SELECT ready(1)", "the query names a function that is not there"),
        ("SELECT * FROM jobs", "the query names a table that is not there"),
    ],
)
async def test_a_faulty_query_is_not_blamed_on_a_version_table(
    place: Place, query: str, fault: str
) -> None:
    """The tool sql has none."""
    await run(place.root, (VARS,))
    missed = await place.look(place.probe(tool="sql", query=query))
    assert (missed.reason, missed.params["detail"]) == (Reason.BAD_ANSWER, fault)


async def test_an_endless_query_is_cut(place: Place) -> None:
    """Millions of rows are not read to find that they are too many."""
    endless = "SELECT true AS completed, repeat('x', 999) FROM generate_series(1, 9999999)"
    missed = await place.look(place.probe(tool="sql", query=endless))
    assert missed.params["detail"] == "the query must give one row, not several"


async def test_a_query_tells_how_far_it_is(place: Place) -> None:
    """Done of total, until completed; the connection is one that cannot write."""
    await run(place.root, ("CREATE TABLE job (done int)", "INSERT INTO job VALUES (30)"))
    probe = place.probe(
        tool="sql", query="SELECT done, 40 AS total, done = 40 AS completed FROM job"
    )
    found = await place.look(probe)
    assert (found.position, found.target, found.basis, found.complete) == (30, 40, "exact", False)
    assert await place.root.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kaspad-taskd'"
    )
    await place.root.execute("UPDATE job SET done = 40")
    assert (await place.look(probe)).complete


async def test_what_is_counted_can_be_asked_for(place: Place) -> None:
    """All views and columns exist in this version."""
    assert await place.root.fetch(progress_query(place.root.get_server_version().major)) == []


def test_the_older_server_is_not_asked_for_what_it_lacks() -> None:
    """COPY is counted from 14 on."""
    assert "progress_copy" not in progress_query(13)
    assert "progress_create_index" in progress_query(13)


@pytest.mark.parametrize(
    ("data", "words_"),
    [
        ({"tool": "sqlx", "version": "2"}, "checker.dsn: is required"),
        ({"dsn": "a b", "tool": "k-indexer"}, "[databases.NAME]"),
        ({"dsn": "a", "tool": "rails"}, "checker.tool:"),
        ({"dsn": "a", "tool": "alembic"}, "checker.version: is required"),
        ({"dsn": "a", "tool": "simply-kaspa", "version": "v23"}, "is no version of simply-kaspa"),
        ({"dsn": "a", "tool": "sqlx", "version": True}, "is no version of sqlx"),
        ({"dsn": "a", "tool": "k-indexer", "table": "x; DROP"}, "plain name"),
        ({"dsn": "a", "tool": "k-indexer", "schema": 'x"y'}, "plain name"),
        ({"dsn": "a", "tool": "sql"}, "checker.query: is required"),
        ({"dsn": "a", "tool": "sqlx", "version": 2, "query": "SELECT 1"}, "for the tool sql"),
        ({"dsn": "a", "tool": "sql", "query": "SELECT 1", "version": "1"}, "checker.version:"),
        ({"dsn": "a", "tool": "sql", "query": "SELECT 1", "table": "t"}, "checker.table:"),
        ({"dsn": "a", "tool": "k-indexer", "password": "x"}, "unknown"),
    ],
)
def test_a_fault_of_the_definition_names_its_key(data: dict[str, Any], words_: str) -> None:
    """And what it must be."""
    assert words_ in said("database-migration", data)


def test_a_query_over_an_api_is_forbidden() -> None:
    """It could ask for anything that the role may read."""
    _, faults = read("database-migration", {"dsn": "a", "tool": "sql", "query": "SELECT 1"}, "json")
    assert [each.kind for each in faults] == ["forbidden"]


def test_what_is_shown_of_a_definition_has_no_secret() -> None:
    """The settings name the file, the file has the DSN."""
    checker, faults = read("database-migration", {"dsn": "explorer", "tool": "simply-kaspa"})
    assert faults == []
    assert checker.config == {"dsn": "explorer", "tool": "simply-kaspa", "version": "23"}
    assert (checker.endpoint, checker.asks) == ("postgresql:explorer", ())
