"""Migrations of databases: the type, the looks at PostgreSQL, and what they mean.

database_migration.py is the type of task, postgres.py asks the server. judge.py decides on the
percentage; the rest is what each tool records. All but the first two are pure.
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
