"""K-indexer (its transaction processor): table `k_vars`.

It reindexes concurrently at every start: that is no migration.
"""

from __future__ import annotations

import re
from typing import Final

from kaspad_taskd.probes.migrations.seen import Backend, Record
from kaspad_taskd.probes.migrations.tool import Rows, Tool, at_least, quoted

_OURS: Final = re.compile(r"\b(k_[a-z]+|idx_k_\w+|notify_transaction|transaction_notify_trigger)\b")


def ask(table: str) -> str:
    """Return the query for the version."""
    return f"SELECT left(value, 40) AS value FROM {quoted(table)} WHERE key = 'schema_version'"  # noqa: S608 - a checked name


def read(rows: Rows, wanted: str) -> Record:
    """Return what `k_vars` says."""
    version = str(rows[0]["value"]) if rows else None
    return Record(version, at_least(version, wanted))


def mine(backend: Backend) -> bool:
    """Whether a session changes this program's tables, and not merely reindexes them."""
    reindex = backend.statement[:7].upper() == "REINDEX"
    return backend.changes and not reindex and _OURS.search(backend.statement) is not None


TOOL: Final = Tool("k-indexer", "k_vars", "2", re.compile(r"\d{1,3}"), ask, read, mine)
