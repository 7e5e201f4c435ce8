"""sqlx: `_sqlx_migrations` holds one row for each migration that was applied."""

from __future__ import annotations

import re
from typing import Final

from kaspad_taskd.probes.migrations.seen import Record
from kaspad_taskd.probes.migrations.tool import Rows, Tool, quoted


def ask(table: str, _wanted: str) -> str:
    """Return the query for what was applied, the newest first."""
    return f"SELECT version, success FROM {quoted(table)} ORDER BY version DESC LIMIT 1000"  # noqa: S608 - a checked name


def read(rows: Rows, wanted: str) -> Record:
    """Return the newest version; one recorded without success has failed."""
    failed = [row["version"] for row in rows if row["success"] is False]
    good = [int(row["version"]) for row in rows if row["success"] is True]
    version = str(max(good)) if good else None
    failure = f"migration {failed[-1]} is recorded as failed" if failed else None
    reached = bool(good) and max(good) >= int(wanted)
    return Record(version, reached, failure=failure, metadata={"applied": len(good)})


TOOL: Final = Tool("sqlx", "_sqlx_migrations", None, re.compile(r"\d{1,18}"), ask, read)
