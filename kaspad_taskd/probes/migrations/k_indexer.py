"""K-indexer (its transaction processor): table `k_vars`.

It reindexes concurrently at every start: that is no migration.
"""

from __future__ import annotations

import re
from typing import Final

from kaspad_taskd.probes.migrations.seen import Record
from kaspad_taskd.probes.migrations.tool import Rows, Tool, at_least, quoted

_TABLES: Final = "^(k_|idx_k_)"


def ask(table: str, _wanted: str) -> str:
    """Return the query for the version."""
    return f"SELECT left(value, 40) AS value FROM {quoted(table)} WHERE key = 'schema_version'"  # noqa: S608 - a checked name


def read(rows: Rows, wanted: str) -> Record:
    """Return what `k_vars` says."""
    version = str(rows[0]["value"]) if rows else None
    return Record(version, at_least(version, wanted))


TOOL: Final = Tool(
    "k-indexer", "k_vars", "2", re.compile(r"\d{1,3}"), ask, read, _TABLES, upkeep="REINDEX"
)
