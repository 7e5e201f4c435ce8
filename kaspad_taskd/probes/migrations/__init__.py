"""Rules: what the tools of database migrations record, and what a look at a database means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kaspad_taskd.probes.migrations import alembic, flyway, k_indexer, simply_kaspa, sql, sqlx
from kaspad_taskd.probes.migrations.tool import Tool

TOOLS: Final[Mapping[str, Tool]] = {
    each.TOOL.name: each.TOOL for each in (simply_kaspa, k_indexer, alembic, sqlx, flyway, sql)
}
"""All tools by name."""
