"""Tools that write a row for each migration: their tables as the real ones made them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.core.observation import Reading, Refused
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes.migrations import TOOLS
from tests.probes.looks import said
from tests.probes.migrations.databases import Place

DATA = Path(__file__).parents[2] / "data"
MADE = {
    "sqlx": "sqlx-0.8.6",
    "flyway": "flyway-12.4.0",
    "golang-migrate": "golang-migrate-4.19.1",
    "goose": "goose-3.30.1",
    "dbmate": "dbmate-2.36.0",
    "django": "django-5.2.19",
    "prisma": "prisma-6.19.3",
    "liquibase": "liquibase-4.31.1",
    "knex": "knex-3.3.0",
    "typeorm": "typeorm-1.1.1",
}
BEGUN = (
    "INSERT INTO _prisma_migrations (id, checksum, migration_name, logs) VALUES"
    " ('x', 'c', '20260101000004_s4', {logs})"
)
LATER = {
    "golang-migrate": "UPDATE schema_migrations SET version = 20260101000003",
    "goose": "INSERT INTO goose_db_version VALUES (9, 20260101000003, true)",
    "dbmate": "INSERT INTO schema_migrations VALUES ('20260101000003')",
    "django": "INSERT INTO django_migrations VALUES"
    " (98, 'shop', '0003_s3', now()), (99, 'auth', '0002_x', now())",
    "prisma": "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES"
    " ('x', 'c', '20260101000004_s4', now())",
    "liquibase": "INSERT INTO databasechangelog VALUES"
    " ('5', 'ann', 'changelog.sql', now(), 5, 'EXECUTED', 'm', 'sql', '', 'v2')",
    "knex": "INSERT INTO knex_migrations VALUES (9, '20260101000003_s3.ts', 2)",
    "typeorm": "INSERT INTO migrations VALUES (9, 1767225600003, 'S3')",
}  # fmt: skip
"""What the tool writes down when the next migration is over."""


async def made_by(place: Place, tool: str) -> None:
    await place.root.execute((DATA / f"{MADE[tool]}.sql").read_text())


@pytest.mark.parametrize(
    ("tool", "wanted", "there", "shown"),
    [
        ("golang-migrate", "20260101000002", True, "20260101000002"),
        ("golang-migrate", "20260101000001", True, "20260101000002"),
        ("golang-migrate", 20260101000003, False, "20260101000002"),
        ("goose", "20260101000002", True, "20260101000002"),
        ("goose", "1", True, "20260101000002"),
        ("goose", "20260101000003", False, "20260101000002"),
        ("dbmate", "20260101000001, 20260101000002", True, "20260101000002"),
        ("dbmate", "20260101000003", False, "20260101000002"),
        ("django", "shop.0002_s2", True, "shop.0001_squashed_0002_s2"),
        ("django", "shop.0001_s1,auth.0001_initial", True, "shop.0001_squashed_0002_s2"),
        ("django", "shop.0003_s3", False, "shop.0001_squashed_0002_s2"),
        ("django", "auth.0002_s2", False, "auth.0001_initial"),
        ("django", "elsewhere.0002_s2", False, None),
        ("prisma", "20260101000003_s3", True, "20260101000003_s3"),
        ("prisma", "20260101000004_s4", False, "20260101000003_s3"),
        ("liquibase", "changelog.sql::2::ann", True, "changelog.sql::4::bob"),
        ("liquibase", "4", True, "changelog.sql::4::bob"),
        ("liquibase", 3, False, "changelog.sql::4::bob"),  # failed, and was let pass
        ("liquibase", "changelog.sql::2::bob", False, "changelog.sql::4::bob"),
        ("knex", "20260101000002_s2.js", True, "20260101000002_s2.js"),
        ("knex", "20260101000002_s2", True, "20260101000002_s2.js"),
        ("knex", "20260101000002", False, "20260101000002_s2.js"),
        ("typeorm", "S1767225600002", True, "S1767225600002"),
        ("typeorm", "1767225600002", True, "S1767225600002"),
        ("typeorm", "S1767225600003", False, "S1767225600002"),
    ],
)
async def test_the_table_of_the_real_tool_is_read(
    place: Place, tool: str, wanted: object, there: bool, shown: str | None
) -> None:
    """Complete when what is wanted is recorded as applied, and not before."""
    await made_by(place, tool)
    found = await place.look(place.probe(tool=tool, version=wanted))
    assert isinstance(found, Reading)
    assert (found.complete, found.metadata.get("version")) == (there, shown)


@pytest.mark.parametrize(
    ("tool", "wanted"),
    [
        ("golang-migrate", "20260101000003"), ("goose", "20260101000003"),
        ("dbmate", "20260101000003"), ("django", "shop.0003_s3"), ("prisma", "20260101000004_s4"),
        ("liquibase", "changelog.sql::5::ann"), ("liquibase", "v2"), ("knex", "20260101000003_s3"),
        ("typeorm", "1767225600003"),
    ],
)  # fmt: skip
async def test_it_is_complete_when_the_next_one_is_written_down(
    place: Place, tool: str, wanted: str
) -> None:
    """By the same probe, over the same connection."""
    await made_by(place, tool)
    probe = place.probe(tool=tool, version=wanted)
    assert not (await place.look(probe)).complete
    await place.root.execute(LATER[tool])
    assert (await place.look(probe)).complete


async def test_what_was_taken_back_is_not_there(place: Place) -> None:
    """An old goose wrote a further row for that; Prisma marks its row."""
    await made_by(place, "goose")
    await place.root.execute("INSERT INTO goose_db_version VALUES (9, 20260101000002, false)")
    found = await place.look(place.probe(tool="goose", version="20260101000002"))
    assert (found.complete, found.metadata["version"]) == (False, "20260101000001")
    await made_by(place, "prisma")
    await place.root.execute("UPDATE _prisma_migrations SET rolled_back_at = now()")
    found = await place.look(place.probe(tool="prisma", version="20260101000003_s3"))
    assert (found.complete, found.metadata.get("version")) == (False, None)


def tried(rank: int, version: str, kind: str, success: bool) -> str:
    return (
        "INSERT INTO flyway_schema_history VALUES"
        f" ({rank}, '{version}', 'd', '{kind}', 's', 1, 'mig', now(), 1, {success})"
    )


async def test_the_version_table_of_the_real_flyway_is_read(place: Place) -> None:
    """Without its repeatable migrations; a version is reached by a later one too."""
    await made_by(place, "flyway")
    for version, complete in (("2", True), ("2.1", True), ("2.2", False)):
        found = await place.look(place.probe(tool="flyway", version=version))
        assert (found.complete, found.metadata["version"]) == (complete, "2.1")
    assert found.metadata["applied"] == 2


async def test_the_last_row_of_a_version_counts(place: Place) -> None:
    """Failed is refused, another good try makes it good, an undone one is gone."""
    await made_by(place, "flyway")
    probe = place.probe(tool="flyway", version="3")
    await place.root.execute(tried(4, "3", "SQL", False))
    refused = await place.look(probe)
    assert refused == Refused(Reason.CHECKER_ERROR, {"text": "migration 3 is recorded as failed"})
    await place.root.execute(tried(5, "3", "SQL", True))
    assert (await place.look(probe)).complete
    await place.root.execute(tried(6, "3", "UNDO_SQL", True))
    undone = await place.look(probe)
    assert (undone.complete, undone.metadata["version"]) == (False, "2.1")


async def test_the_version_table_of_the_real_sqlx_is_read(place: Place) -> None:
    """By its newest version; one recorded without success has failed."""
    await made_by(place, "sqlx")
    for version, complete in (("20260101000002", True), ("20260101000003", False)):
        found = await place.look(place.probe(tool="sqlx", version=version))
        assert (found.complete, found.metadata["version"]) == (complete, "20260101000002")
    await place.root.execute("UPDATE _sqlx_migrations SET success = false")
    refused = await place.look(place.probe(tool="sqlx", version="20260101000002"))
    assert isinstance(refused, Refused)


@pytest.mark.parametrize(
    ("tool", "wanted", "begin", "text"),
    [
        ("golang-migrate", "20260101000003",
         "UPDATE schema_migrations SET version = 20260101000003, dirty = true",
         "migration 20260101000003 is recorded as begun and not as ended"),
        ("prisma", "20260101000004_s4", BEGUN.format(logs="NULL"),
         "migration 20260101000004_s4 is recorded as begun and not as ended"),
    ],
)  # fmt: skip
async def test_what_is_written_down_before_it_runs_is_neither_reached_nor_failed(
    place: Place, tool: str, wanted: str, begin: str, text: str
) -> None:
    """While its session holds the tool's lock it runs; without one nobody works on it."""
    await made_by(place, tool)
    runs = await place.session()
    await runs.execute("SELECT pg_advisory_lock(72707369)")
    await place.root.execute(begin)
    probe = place.probe(tool=tool, version=wanted)
    for _ in range(4):
        found = await place.look(probe)
        assert isinstance(found, Reading)
        assert (found.complete, found.hints) == (False, ())
        assert found.metadata["unfinished"] == wanted
    await runs.execute("SELECT pg_advisory_unlock_all()")
    assert await place.look(probe) == Refused(Reason.CHECKER_ERROR, {"text": text})


async def test_a_failure_that_prisma_wrote_down_is_one(place: Place) -> None:
    """Whoever holds its lock now; until it is resolved, and another try is good."""
    await made_by(place, "prisma")
    runs = await place.session()
    await runs.execute("SELECT pg_advisory_lock(72707369)")
    await place.root.execute(BEGUN.format(logs="'division by zero'"))
    probe = place.probe(tool="prisma", version="20260101000004_s4")
    assert isinstance(await place.look(probe), Refused)
    await place.root.execute("UPDATE _prisma_migrations SET rolled_back_at = now() WHERE id = 'x'")
    assert isinstance(await place.look(probe), Reading)
    await place.root.execute(LATER["prisma"].replace("'x'", "'y'"))
    assert (await place.look(probe)).complete


async def test_a_role_that_sees_no_session_does_not_call_it_failed(place: Place) -> None:
    """A session that is hidden may be the one that works on it."""
    await made_by(place, "golang-migrate")
    await place.root.execute("REVOKE pg_read_all_stats FROM watcher")
    await place.root.execute("UPDATE schema_migrations SET dirty = true")
    other = await place.session()
    await other.execute("BEGIN; SELECT pg_current_xact_id()")
    found = await place.look(place.probe(tool="golang-migrate", version="20260101000002"))
    assert isinstance(found, Reading)
    assert not found.complete
    assert [each.code for each in found.hints] == ["activity-hidden"]


async def test_the_wanted_one_is_found_among_thousands(place: Place) -> None:
    """However long ago it was."""
    await made_by(place, "django")
    await place.root.execute(
        "INSERT INTO django_migrations"
        " SELECT n, 'shop', n || '_more', now() FROM generate_series(100, 3000) n"
    )
    assert (await place.look(place.probe(tool="django", version="shop.0001_s1"))).complete


async def test_the_table_may_have_another_name_and_schema(place: Place) -> None:
    """As the tools let people choose."""
    await place.root.execute(
        "CREATE SCHEMA app; CREATE TABLE app.history (version bigint, dirty boolean);"
        "INSERT INTO app.history VALUES (7, false)"
    )
    given: dict[str, Any] = {"schema": "app", "table": "history"}
    assert (await place.look(place.probe(tool="golang-migrate", version=7, **given))).complete


async def test_the_query_of_the_docs_is_an_answer(place: Place) -> None:
    """For whoever has yet another tool."""
    page = (DATA.parents[1] / "docs" / "migrations.md").read_text()
    (query,) = re.findall(r'^query = "(.*)"$', page, re.MULTILINE)
    await made_by(place, "golang-migrate")
    await place.root.execute("UPDATE schema_migrations SET version = 7")
    probe = place.probe(tool="sql", query=query)
    assert not (await place.look(probe)).complete
    await place.root.execute("UPDATE schema_migrations SET version = 42")
    assert (await place.look(probe)).complete


@pytest.mark.parametrize("tool", sorted(MADE))
def test_a_version_that_is_none_is_told_what_one_looks_like(tool: str) -> None:
    """Nothing of it can end the text that it stands in."""
    for bad in ("a'b", "a\\b", "a;\nb", "", "a,,b"):
        told = said("database-migration", {"dsn": "a", "tool": tool, "version": bad})
        assert "checker.version" in told
        assert not bad or f"it must be like {TOOLS[tool].example}" in told
    known = {"dsn": "a", "tool": tool, "version": TOOLS[tool].example}
    assert said("database-migration", known) == ""
