"""Alembic: `alembic_version` holds the revision of each branch; nothing tells what lies ahead."""

from __future__ import annotations

from typing import Final

from kaspad_taskd.probes.migrations.ledger import parts, several
from kaspad_taskd.probes.migrations.seen import Record
from kaspad_taskd.probes.migrations.tool import Rows, Tool, quoted


def ask(table: str, _wanted: str) -> str:
    """Return the query for the revisions."""
    return f"SELECT left(version_num, 64) AS version_num FROM {quoted(table)} ORDER BY 1 LIMIT 100"  # noqa: S608 - a checked name


def read(rows: Rows, wanted: str) -> Record:
    """Return the revisions; several wanted ones (of branches) are separated by commas."""
    found = [str(row["version_num"])[:64] for row in rows]
    return Record(", ".join(found)[:200] or None, set(parts(wanted)) <= set(found))


TOOL: Final = Tool("alembic", "alembic_version", None, several(r"[\w.-]{1,64}"), ask, read)
