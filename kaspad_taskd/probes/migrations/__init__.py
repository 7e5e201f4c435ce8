"""Migrations of databases: the type, the looks at PostgreSQL, and what they mean.

database_migration.py is the type of task; postgres.py connects to the server, rights.py asks what
our role lacks there. The rest is pure: questions.py has what a look asks, seen.py what it brought,
counters.py what the server counts, whose.py whose session migrates, quiet.py for how long none has;
judge.py decides on the percentage. What a tool records is a row of ledgers.py or a file of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kaspad_taskd.probes.migrations import (
    alembic,
    k_indexer,
    ledgers,
    simply_kaspa,
    sql,
)
from kaspad_taskd.probes.migrations.tool import Tool

TOOLS: Final[Mapping[str, Tool]] = {
    each.name: each
    for each in (
        *(room.TOOL for room in (simply_kaspa, k_indexer, alembic)),
        *ledgers.TOOLS,
        sql.TOOL,
    )
}
"""All tools by name."""
