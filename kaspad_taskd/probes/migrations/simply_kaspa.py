"""simply-kaspa-indexer: table `vars`; its scripts run statement by statement, each committed.

The version alone tells little: the script to v20 writes it down first and then copies for hours,
the one to v23 drops the old tables in the middle. What is left over tells.
"""

from __future__ import annotations

import re
from typing import Any, Final

from kaspad_taskd.probes.migrations.seen import Record
from kaspad_taskd.probes.migrations.tool import (
    Rows,
    Script,
    Step,
    Tool,
    at_least,
    beside,
    quoted,
)

DAY_MS: Final = 86_400_000
CHECKPOINT: Final = "v21_compressed_subnetworks_checkpoint"
_OLD: Final = ("transactions_old", "transactions_inputs_old", "transactions_outputs_old")
_NEW: Final = ("blocks_transactions_dedup", "transactions_new", "blocks_new")
_KEYED: Final = ("transactions", "blocks")
"""Without a primary key only between being copied and being done."""
_TABLES: Final = (
    "^(vars|blocks|block_parent|blocks_transactions|transactions|transactions_inputs"
    "|transactions_outputs|transactions_acceptances|addresses_transactions|scripts_transactions"
    "|subnetworks|utxos|.*_old|blocks_new|transactions_new|blocks_transactions_dedup)$"
)


def _begins(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_TRANSACTIONS_KEY: Final = _begins("ALTER TABLE transactions ADD PRIMARY KEY")
_TRANSACTIONS_INDEX: Final = _begins("CREATE INDEX ON transactions ")


def _sizes(table: str) -> str:
    """How large the new table is, and the old ones: a rough estimate of how far the copy is."""
    new = f"'{quoted(beside(table, 'transactions'))}'::regclass"
    old = " + ".join(f"pg_table_size('{quoted(beside(table, name))}'::regclass)" for name in _OLD)
    return (
        f"SELECT 0::float8 AS start, pg_table_size({new}) / 1e6::float8 AS done,"
        f" ({old}) / 1e6::float8 AS total"
    )


def _span(table: str) -> str:
    """The first and last day that is migrated; how far it is stands in the checkpoint."""
    return (
        f"SELECT min(block_time) / {DAY_MS}::float8 AS start,"  # noqa: S608 - a checked name
        f" max(block_time) / {DAY_MS}::float8 AS total, NULL::float8 AS done"
        f" FROM {quoted(beside(table, 'transactions'))}"
    )


SCRIPTS: Final = (
    Script(
        20,
        (
            Step(("v20_copy",), _begins(r"INSERT INTO transactions\b.*\btransactions_old\b"), 60,
                 unit="MB", measure=_sizes, reads="transactions"),
            Step(("v20_key_scan", "v20_key_load"), _TRANSACTIONS_KEY, 2.5),
            Step(("v20_index_scan", "v20_index_load"), _TRANSACTIONS_INDEX, 2),
            Step(("v20_vacuum",), _begins("VACUUM ANALYZE transactions"), 2),
        ),
        stamps_first=True,
    ),
    Script(
        21,
        (
            Step(("v21_subnetworks",), _begins("CALL _v21_migrate_subnetworks"), 56, unit="days",
                 measure=_span, reads="transactions"),
        ),
    ),
    Script(22, ()),
    Script(
        23,
        (
            Step(("v23_pairs",), _begins("CREATE TABLE blocks_transactions_dedup AS"), 8),
            Step(("v23_transactions",), _begins("CREATE TABLE transactions_new AS"), 10),
            Step(("v23_key_scan", "v23_key_load"), _TRANSACTIONS_KEY, 2.5),
            Step(("v23_index_scan", "v23_index_load"), _TRANSACTIONS_INDEX, 2),
            Step(("v23_blocks",), _begins("CREATE TABLE blocks_new AS"), 6),
            Step(("v23_blocks_key_scan", "v23_blocks_key_load"),
                 _begins("ALTER TABLE blocks ADD PRIMARY KEY"), 1),
            Step(("v23_blocks_index_scan", "v23_blocks_index_load"),
                 _begins("CREATE INDEX ON blocks "), 1),
        ),
    ),
)  # fmt: skip


def ask(table: str, _wanted: str) -> str:
    """Return the query: vars, leftover tables, and which tables have a primary key."""
    home = f"SELECT relnamespace FROM pg_class WHERE oid = '{quoted(table)}'::regclass"  # noqa: S608 - a checked name
    names = ", ".join(f"'{name}'" for name in (*_OLD, *_NEW, *_KEYED))
    return (
        f"SELECT key, left(value, 200) AS value FROM {quoted(table)}"  # noqa: S608 - a checked name
        f" WHERE key IN ('schema_version', '{CHECKPOINT}')"
        " UNION ALL SELECT '+' || c.relname, EXISTS (SELECT FROM"
        " pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)::text FROM pg_class c"
        f" WHERE c.relkind IN ('r', 'p') AND c.relname IN ({names}) AND c.relnamespace = ({home})"
    )


def read(rows: Rows, wanted: str) -> Record:
    """Return what `vars` and the catalogue say."""
    found = {str(row["key"]): str(row["value"]) for row in rows}
    version = found.get("schema_version")
    leftover = [name for name in (*_OLD, *_NEW) if f"+{name}" in found]
    leftover += [name for name in _KEYED if found.get(f"+{name}") == "false"]
    reached = at_least(version, wanted) and not leftover
    checkpoint = found.get(CHECKPOINT)
    done = None
    if checkpoint is not None and re.fullmatch(r"\d{1,16}", checkpoint):
        done = (int(checkpoint) + DAY_MS) / DAY_MS
    metadata: dict[str, Any] = {"leftoverTables": len(leftover)} if leftover else {}
    return Record(version, reached, tuple(leftover), done=done, metadata=metadata)


TOOL: Final = Tool(
    "simply-kaspa", "vars", "23", re.compile(r"\d{1,3}"), ask, read, _TABLES, scripts=SCRIPTS
)
