"""Rights that our role lacks: health with the GRANTs that mend it, never a failure."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kaspad_taskd.cli.checkup_tasks import tasks
from kaspad_taskd.core.observation import Hint, Reading, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes.migrations.postgres import Database
from kaspad_taskd.words import task as words
from tests.probes.migrations.databases import VARS, Place, at_version, run, until

MINE = "ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM watcher"
OWNER = "migrator"


@pytest.fixture
async def bare(place: Place) -> Any:
    """A place where nobody has granted anything; `migrator` owns what it makes."""
    await place.root.execute(f"CREATE ROLE {OWNER}")
    await run(place.root, (MINE, f"GRANT ALL ON SCHEMA public TO {OWNER}"))
    yield place
    await place.root.execute(f"DROP OWNED BY {OWNER} CASCADE; DROP ROLE {OWNER}")


async def made(place: Place, *statements: str) -> None:
    """Have the migration's own role do it."""
    await run(place.root, (f"SET ROLE {OWNER}", *statements, "RESET ROLE"))


def only(found: Any) -> Hint:
    assert isinstance(found, Unreachable)
    assert found.reason is Reason.CREDENTIALS
    (hint,) = found.hints
    assert hint.code == "permission-missing"
    return hint


def cure(hint: Hint) -> str:
    told = words.hint(hint.code, hint.params)[1]
    assert told is not None
    return told


async def test_a_first_run_whose_table_we_may_not_read_is_mended_by_what_is_said(
    bare: Place,
) -> None:
    """The tool makes the table; the GRANTs are whole, and hold for what it makes later."""
    probe = bare.probe(tool="alembic", version="bbb2")
    assert isinstance(await bare.look(probe), Reading)  # there is no table yet
    await made(bare, "CREATE TABLE alembic_version (version_num varchar(32))",
               "INSERT INTO alembic_version VALUES ('bbb2')")  # fmt: skip
    for _ in range(4):
        hint = only(await bare.look(probe))
    grant = cure(hint)
    assert grant == (
        "GRANT SELECT ON public.alembic_version TO watcher;"
        f" ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public"
        " GRANT SELECT ON TABLES TO watcher"
    )
    told = words.hint(hint.code, hint.params)[0]
    assert told == "watcher is not allowed to read public.alembic_version."
    await bare.root.execute(grant)
    assert (await bare.look(probe)).complete
    await made(bare, "DROP TABLE alembic_version",
               "CREATE TABLE alembic_version AS SELECT 'bbb2'::text AS version_num")  # fmt: skip
    assert (await bare.look(probe)).complete


@pytest.mark.parametrize("schema", ["app", None])
async def test_a_schema_that_is_closed_is_opened_too(bare: Place, schema: str | None) -> None:
    """Named, or on the search path, where the server says that there is no such table."""
    await bare.root.execute(f"CREATE SCHEMA app AUTHORIZATION {OWNER}")
    await bare.root.execute(f"REVOKE ALL ON SCHEMA app FROM watcher; {MINE}")
    await bare.root.execute(f'ALTER ROLE watcher IN DATABASE {bare.name} SET search_path = "app"')
    await made(bare, "CREATE TABLE app.schema_migrations (version bigint, dirty boolean)",
               "INSERT INTO app.schema_migrations VALUES (7, false)")  # fmt: skip
    named: dict[str, Any] = {} if schema is None else {"schema": schema}
    probe = bare.probe(tool="golang-migrate", version=7, **named)
    hint = only(await bare.look(probe))
    assert cure(hint).startswith("GRANT USAGE ON SCHEMA app TO watcher; GRANT SELECT ON app.")
    await bare.root.execute(cure(hint))
    assert (await bare.look(probe)).complete


async def test_what_is_closed_is_asked_for_once(
    bare: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three transactions in a look: for the sessions, the record, and what is lacking."""
    await bare.root.execute(f"CREATE SCHEMA app AUTHORIZATION {OWNER}; {MINE}")
    await bare.root.execute(f'ALTER ROLE watcher IN DATABASE {bare.name} SET search_path = "app"')
    await made(bare, "CREATE TABLE app.schema_migrations (version bigint, dirty boolean)")
    begin, begun = Database.transaction, []

    def transaction(database: Database) -> Any:
        begun.append(database)
        return begin(database)

    monkeypatch.setattr(Database, "transaction", transaction)
    probe = bare.probe(tool="golang-migrate", version=7)
    for change in ("REVOKE ALL ON SCHEMA app FROM", "GRANT USAGE ON SCHEMA app TO"):
        await bare.root.execute(f"{change} watcher")  # "no such table", then "not allowed"
        begun.clear()
        only(await bare.look(probe))
        assert len(begun) == 3


async def test_names_that_need_quotes_have_them(bare: Place) -> None:
    """So that what is said can be typed as it is."""
    await bare.root.execute('ALTER ROLE migrator RENAME TO "The Owner"')
    try:
        await bare.root.execute(
            'SET ROLE "The Owner"; CREATE TABLE "Versions" (version bigint, dirty boolean);'
            'INSERT INTO "Versions" VALUES (7, false); RESET ROLE'
        )
        probe = bare.probe(tool="golang-migrate", version=7, table="Versions")
        hint = only(await bare.look(probe))
        assert 'GRANT SELECT ON public."Versions" TO' in cure(hint)
        assert 'FOR ROLE "The Owner" IN' in cure(hint)
        await bare.root.execute(cure(hint))
        assert (await bare.look(probe)).complete
    finally:
        await bare.root.execute('RESET ROLE; ALTER ROLE "The Owner" RENAME TO migrator')


async def test_a_database_that_may_not_be_entered_says_which(bare: Place) -> None:
    """It is no version table that is closed."""
    await bare.root.execute(f"REVOKE CONNECT ON DATABASE {bare.name} FROM PUBLIC")
    probe = bare.probe(tool="simply-kaspa")
    found = await bare.look(probe)
    hint = only(found)
    assert words.note(found.reason, found.params) == "watcher is not allowed to see the database."
    assert cure(hint) == f"GRANT CONNECT ON DATABASE {bare.name} TO watcher"
    await bare.root.execute(cure(hint))
    assert isinstance(await bare.look(probe), Reading)


async def test_a_query_of_the_administrator_s_own_names_no_version_table(bare: Place) -> None:
    """Nobody knows which of its tables is closed."""
    await bare.root.execute("CREATE TABLE job (done boolean)")
    found = await bare.look(bare.probe(tool="sql", query="SELECT done AS completed FROM job"))
    told = words.note(found.reason, found.params)
    assert told == "watcher is not allowed to see all that the query reads."
    assert cure(only(found)) == (
        "Grant SELECT on its tables, and USAGE on their schemas, to watcher."
    )


async def test_numbers_that_we_may_not_read_are_said_beside_the_step(bare: Place) -> None:
    """The step is known all the same; with the right its numbers are there."""
    await made(bare, VARS, at_version(20), "CREATE TABLE transactions (block_time bigint)",
               "INSERT INTO transactions VALUES (8640000000), (9504000000)",
               "INSERT INTO vars VALUES ('v21_compressed_subnetworks_checkpoint', '8640000000')",
               "GRANT SELECT ON vars TO watcher")  # fmt: skip
    await bare.root.execute(
        "CREATE PROCEDURE _v21_migrate_subnetworks() LANGUAGE sql AS 'SELECT pg_sleep(600)'"
    )
    work = asyncio.create_task((await bare.session()).execute("CALL _v21_migrate_subnetworks()"))
    probe = bare.probe(tool="simply-kaspa")
    seen = await until(bare, probe, lambda each: each.phase == "v21_subnetworks")
    assert seen[-1].position is None
    hint = next(each for each in seen[-1].hints if each.code == "permission-missing")
    assert cure(hint).startswith("GRANT SELECT ON public.transactions TO watcher;")
    await bare.root.execute(cure(hint))
    found = await bare.look(probe)
    assert (found.unit, "permission-missing" in [h.code for h in found.hints]) == ("days", False)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"user": "watcher", "table": "public.vars"}, "watcher is not allowed to read public.vars"),
        ({"user": "watcher", "database": "ski"}, "watcher lacks a right in its database"),
    ],
)
def test_a_missing_right_is_no_wrong_password(params: dict[str, str], told: str) -> None:
    """In the one line that lists and doctor have, and no password is to be corrected."""
    task: Any = {
        "id": "db", "type": "database-migration", "service": "db", "status": "in-progress",
        "health": "unreachable", "reason": "credentials",
        "hints": [{"code": "permission-missing", "params": params}],
    }  # fmt: skip
    assert told in words.headline(task, 0.0)
    found = list(tasks([task], 0.0))
    assert told in found[0].text
    assert not any("password" in (one.cure or "") for one in found)


def test_doctor_prints_the_missing_grants() -> None:
    """Of a task that goes on all the same, too."""
    params = {"user": "watcher", "table": "public.transactions", "schema": "public", "owner": "ski"}
    task: Any = {
        "id": "db", "type": "database-migration", "service": "db", "status": "in-progress",
        "health": "ok", "hints": [{"code": "permission-missing", "params": params},
                                  {"code": "activity-hidden", "params": {"user": "watcher"}}],
    }  # fmt: skip
    found = list(tasks([task], 0.0))
    assert [one.level for one in found] == ["warning", "warning"]
    assert found[0].cure == (
        "GRANT SELECT ON public.transactions TO watcher; ALTER DEFAULT PRIVILEGES FOR ROLE ski"
        " IN SCHEMA public GRANT SELECT ON TABLES TO watcher"
    )
    assert found[1].cure == "GRANT pg_read_all_stats TO watcher"
