"""The tools whose tables a few expressions tell, each as the real tool writes it.

golang-migrate and Prisma write a migration down before it runs, and hold an advisory lock while it
runs. The others write it down when it is over, so that one that fails leaves no trace as a rule;
sqlx and Flyway have a column for whether it did.
"""

from __future__ import annotations

from typing import Final

from kaspad_taskd.probes.migrations.ledger import DOTTED, NUMBER, Ledger, several, tool


def _held(which: str = "") -> str:
    """Whether somebody in this database holds such a lock; pg_locks shows it to every role."""
    return (
        "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'"  # noqa: S608 - our own words
        f" AND granted AND objsubid = 1{which} AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database()))"
    )


_ITS_LOCK: Final = " AND classid = 0 AND objid = 72707369"
"""Prisma's own; golang-migrate's has a number of the database's name."""

TOOLS: Final = (
    tool(
        "sqlx",
        "_sqlx_migrations",
        Ledger(("version",), "version", applied="success", failed="NOT success", numbered=True),
        NUMBER,
        "20260101000002",
    ),
    # Undone, and given up by `repair`, is a further row of the same version; a repeatable
    # migration has none.
    tool(
        "flyway",
        "flyway_schema_history",
        Ledger(
            ("version",),
            "installed_rank",
            applied="success AND type !~ '^(UNDO|DELETE)'",
            failed="success IS NOT TRUE",
            numbered=True,
        ),
        DOTTED,
        "2.1",
    ),
    tool(
        "golang-migrate",
        "schema_migrations",
        Ledger(
            ("version",),
            "version",
            applied="NOT dirty",
            begun="dirty",
            runs=_held(),
            numbered=True,
        ),
        NUMBER,
        "20260101000002",
    ),
    tool(
        "goose",
        "goose_db_version",
        Ledger(("version_id",), "id", applied="is_applied AND version_id > 0", numbered=True),
        NUMBER,
        "20260101000002",
    ),
    tool(
        "dbmate",
        "schema_migrations",
        Ledger(("version",), "version"),
        several(r"\w{1,100}"),
        "20260101000002",
    ),
    tool(
        "django",
        "django_migrations",
        Ledger(("app || '.' || name",), "id", scope="app"),
        several(r"\w{1,100}\.[\w.-]{1,255}"),
        "shop.0002_price",
    ),
    tool(
        "prisma",
        "_prisma_migrations",
        Ledger(
            ("migration_name",),
            "started_at",
            applied="finished_at IS NOT NULL AND rolled_back_at IS NULL",
            begun="rolled_back_at IS NULL AND finished_at IS NULL",
            runs=f"logs IS NULL AND {_held(_ITS_LOCK)}",
        ),
        several(r"[\w.-]{1,255}"),
        "20260101000002_price",
    ),
    tool(
        "liquibase",
        "databasechangelog",
        Ledger(
            ("filename || '::' || id || '::' || author", "id", "tag"),
            "orderexecuted",
            applied="exectype IN ('EXECUTED', 'RERAN', 'MARK_RAN')",
        ),
        several(r"[\w.:/@+#()-][\w.:/@ +#()-]{0,199}"),
        "changelog.sql::2::ann",
    ),
    tool(
        "knex",
        "knex_migrations",
        Ledger(("name", r"regexp_replace(name, '[.][A-Za-z]+$', '')"), "id"),
        several(r"[\w.-]{1,255}"),
        "20260101000002_price",
    ),
    tool(
        "typeorm",
        "migrations",
        Ledger(("name", '"timestamp"'), "id"),
        several(r"[\w.-]{1,255}"),
        "Price1767225600002",
    ),
)
