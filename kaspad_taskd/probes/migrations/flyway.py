"""Flyway: `flyway_schema_history` holds one row for each migration that was tried."""

from __future__ import annotations

import re
from typing import Final

from kaspad_taskd.probes.migrations.seen import Record
from kaspad_taskd.probes.migrations.tool import Rows, Tool, at_least, numbers, quoted

_GONE: Final = "UNDO", "DELETE"
"""What the type of a row begins with that takes its version back."""


def ask(table: str, _wanted: str) -> str:
    """Return the query for what was tried, the newest first."""
    return (
        f"SELECT left(version, 64) AS version, left(type, 20) AS type, success FROM {quoted(table)}"  # noqa: S608 - a checked name
        " ORDER BY installed_rank DESC LIMIT 1000"
    )


def read(rows: Rows, wanted: str) -> Record:
    """Return the newest version; repeatable migrations have none. The last row of each counts.

    An undone migration, and one that `repair` gave up, is a further row of the same version.
    """
    last: dict[str, tuple[bool, bool]] = {}
    for row in rows:
        if row["version"] is not None:
            there = not str(row.get("type")).startswith(_GONE)
            last.setdefault(str(row["version"])[:64], (row["success"] is True, there))
    good = [version for version, (success, there) in last.items() if success and there]
    failed = [version for version, (success, _) in last.items() if not success]
    version = max(good, key=lambda each: numbers(each) or (), default=None)
    failure = f"migration {failed[0]} is recorded as failed" if failed else None
    reached = at_least(version, wanted)
    return Record(version, reached, failure=failure, metadata={"applied": len(good)})


TOOL: Final = Tool(
    "flyway", "flyway_schema_history", None, re.compile(r"\d{1,18}([.]\d{1,18}){0,15}"), ask, read
)
