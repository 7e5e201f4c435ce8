"""Flyway: `flyway_schema_history` holds one row for each migration that was tried."""

from __future__ import annotations

import re
from typing import Final

from kaspad_taskd.probes.migrations.seen import Record
from kaspad_taskd.probes.migrations.tool import Rows, Tool, at_least, numbers, quoted


def ask(table: str) -> str:
    """Return the query for what was tried, the newest first."""
    return (
        f"SELECT installed_rank, version, success FROM {quoted(table)}"  # noqa: S608 - a checked name
        " ORDER BY installed_rank DESC LIMIT 1000"
    )


def read(rows: Rows, wanted: str) -> Record:
    """Return the newest version; repeatable migrations have none. The last try counts."""
    last: dict[str, bool] = {}
    for row in rows:
        if row["version"] is not None:
            last.setdefault(str(row["version"])[:64], row["success"] is True)
    good = [version for version, success in last.items() if success]
    failed = [version for version, success in last.items() if not success]
    version = max(good, key=lambda each: numbers(each) or (), default=None)
    failure = f"migration {failed[0]} is recorded as failed" if failed else None
    reached = at_least(version, wanted)
    return Record(version, reached, failure=failure, metadata={"applied": len(good)})


TOOL: Final = Tool(
    "flyway", "flyway_schema_history", None, re.compile(r"\d{1,18}([.]\d{1,18}){0,15}"), ask, read
)
