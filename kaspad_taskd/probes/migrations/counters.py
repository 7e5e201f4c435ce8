"""What PostgreSQL counts of a statement: a counter belongs to a phase of a progress view.

Pure. The table is that of PostgreSQL 13 to 18; a phase that is not in it, or has no counter, has no
number: what a former phase counted stays in the row, and says nothing of this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from kaspad_taskd.base.frozen import frozen

Row: TypeAlias = Mapping[str, Any]
"""A row of a view pg_stat_progress_*, by the names of its columns."""

COARSE: Final = "indexes"
"""The unit of which one may take hours: that such a number stands is no standstill."""

TENDS: Final = "vacuum", "analyze"
"""Kinds of what changes no table, and often stands between two steps of a migration."""


@frozen
class Counter:
    """Two columns.

    Attributes:
        done: the column that grows.
        total: the one that it grows to, "" where there is none.
        unit: "pages", "rows", "bytes", "indexes".
        ends: it is full long before its phase is over, and then nothing is counted.
    """

    done: str
    total: str
    unit: str
    ends: bool = False

    def read(self, row: Row) -> tuple[float, float | None] | None:
        """Return done and total, or None where this row has no such number."""
        done, total = number(row, self.done), number(row, self.total)
        if done is None or (self.total and not total):
            return None
        if total is None or not self.total:
            return done, None
        return None if self.ends and done >= total else (min(done, total), total)


@frozen
class Stage:
    """A phase: what it is called (`statement.stage` of the words), and what counts it, by rank."""

    name: str
    counters: tuple[Counter, ...] = ()


_TABLE: Final = Counter("blocks_done", "blocks_total", "pages")
_PAGES: Final = Counter("blocks_done", "blocks_total", "pages", ends=True)
_HEAP: Final = Counter("heap_blks_scanned", "heap_blks_total", "pages")
_TUPLES: Final = Counter("tuples_done", "tuples_total", "rows")
_INDEXES: Final = Counter("indexes_processed", "indexes_total", "indexes")
_SAMPLE: Final = Counter("sample_blks_scanned", "sample_blks_total", "pages")

STAGES: Final[Mapping[tuple[str, str], Stage]] = {
    ("index", "initializing"): Stage("prepare"),
    ("index", "waiting for writers before build"): Stage("wait"),
    # No words of its own: GiST, GIN, BRIN, SP-GiST, hash.
    ("index", "building index"): Stage(
        "build", (_PAGES, _TUPLES)
    ),
    ("index", "building index: initializing"): Stage("prepare"),
    # GIN from 18 on says so to the end, long after the last page.
    ("index", "building index: scanning table"): Stage(
        "read", (_PAGES,)
    ),
    ("index", "building index: sorting tuples (workers)"): Stage("sort"),
    ("index", "building index: merging tuples (workers)"): Stage("load", (_TUPLES,)),
    ("index", "building index: sorting tuples"): Stage("sort"),
    ("index", "building index: merging tuples"): Stage("load", (_TUPLES,)),
    ("index", "building index: sorting live tuples"): Stage("sort"),
    ("index", "building index: sorting dead tuples"): Stage("sort"),
    ("index", "building index: loading tuples in tree"): Stage("load", (_TUPLES,)),
    ("index", "waiting for writers before validation"): Stage("wait"),
    ("index", "index validation: scanning index"): Stage("check_index", (_TABLE,)),
    ("index", "index validation: sorting tuples"): Stage("sort"),
    ("index", "index validation: scanning table"): Stage("check_table", (_TABLE,)),
    ("index", "waiting for old snapshots"): Stage("wait"),
    ("index", "waiting for readers before marking dead"): Stage("wait"),
    ("index", "waiting for readers before dropping"): Stage("wait"),
    ("cluster", "initializing"): Stage("prepare"),
    ("cluster", "seq scanning heap"): Stage(
        "read", (_HEAP,)
    ),
    ("cluster", "index scanning heap"): Stage(
        "read", (Counter("heap_tuples_scanned", "", "rows"),)
    ),
    ("cluster", "sorting tuples"): Stage("sort"),
    ("cluster", "writing new heap"): Stage(
        "write", (Counter("heap_tuples_written", "heap_tuples_scanned", "rows"),)
    ),
    ("cluster", "swapping relation files"): Stage("finish"),
    ("cluster", "rebuilding index"): Stage(
        "rebuild", (Counter("index_rebuild_count", "indexes", "indexes"),)
    ),
    ("cluster", "performing final cleanup"): Stage("finish"),
    ("vacuum", "initializing"): Stage("prepare"),
    ("vacuum", "scanning heap"): Stage(
        "read", (_HEAP,)
    ),
    ("vacuum", "vacuuming indexes"): Stage("vacuum_indexes", (_INDEXES,)),
    # Pages without dead rows are not visited: it does not grow to all of them.
    ("vacuum", "vacuuming heap"): Stage(
        "vacuum_table", (Counter("heap_blks_vacuumed", "", "pages"),)
    ),
    ("vacuum", "cleaning up indexes"): Stage("vacuum_indexes", (_INDEXES,)),
    ("vacuum", "truncating heap"): Stage("finish"),
    ("vacuum", "performing final cleanup"): Stage("finish"),
    ("analyze", "initializing"): Stage("prepare"),
    ("analyze", "acquiring sample rows"): Stage("read", (_SAMPLE,)),
    ("analyze", "acquiring inherited sample rows"): Stage("read", (_SAMPLE,)),
    ("analyze", "computing statistics"): Stage("compute"),
    ("analyze", "computing extended statistics"): Stage("compute"),
    ("analyze", "finalizing analyze"): Stage("finish"),
    # To a client nothing is known of the end of what comes, or from a program.
    ("copy", "COPY FROM"): Stage(
        "write",
        (
            Counter("bytes_processed", "bytes_total", "bytes"),
            Counter("tuples_processed", "", "rows"),
        ),
    ),
}  # fmt: skip
"""By view ("index": pg_stat_progress_create_index) and the server's own word for the phase.

COPY has no phases: its command stands in their place; one that only reads is no work on a table.
"""

_PARTITIONS: Final = (
    ("partitions_done", "partitions_total"),
    ("child_tables_done", "child_tables_total"),
)
"""Where a statement goes through partitions, all other counters begin anew in each."""


@frozen
class Counted:
    """What the server counts of a running statement.

    Attributes:
        kind: the view: "index", "copy", "cluster", "vacuum" or "analyze".
        phase: the server's own word for what it does now.
        done: how much is done, None where this phase has no number.
        total: what it grows to; None where it is not known.
        unit: "pages", "rows", "bytes", "indexes".
        command: the statement, by the server: `CREATE INDEX CONCURRENTLY`, `VACUUM FULL`; "".
        here: whether its table is of the watched schema; None where that cannot be seen.
        part: of a statement that has several equal parts: "partition" or "index", which one it is
            at, and of how many.
        mark: a name for this run of the counter: another index, partition or phase has another.
    """

    kind: str
    phase: str
    done: float | None = None
    total: float | None = None
    unit: str = "pages"
    command: str = ""
    here: bool | None = None
    part: tuple[str, int, int] | None = None
    mark: str = ""

    @property
    def stage(self) -> str:
        """What the phase is called, "" where it is not known."""
        found = STAGES.get((self.kind, self.phase))
        return found.name if found is not None else ""

    @property
    def loads(self) -> bool:
        """Whether an index build has read its table, and sorts or writes the index."""
        return self.kind == "index" and self.stage in ("sort", "load")

    @property
    def builds(self) -> bool:
        """Whether it changes a table, as COPY to a client does not."""
        return self.kind in ("index", "cluster") or self.phase == "COPY FROM"

    @property
    def fine(self) -> bool:
        """Whether the number moves as long as the server works."""
        return self.done is not None and self.unit != COARSE


def number(row: Row, name: str) -> float | None:
    """Return a column that holds a number, or None; names change from version to version."""
    value = row.get(name)
    return float(value) if isinstance(value, int | float) and value >= 0 else None


def counted(kind: str, row: Row, here: bool | None = None) -> Counted:
    """Return what a row of a progress view says.

    `row` has the view's own columns; `indexes` beside them is how many its table has.
    """
    command = str(row.get("command") or "")
    phase = str(row.get("phase") or (command if kind == "copy" else ""))
    stage = STAGES.get((kind, phase), Stage(""))
    done, total, unit = _first(stage, row)
    steps = [str(row.get(name) or 0) for name in ("index_relid", "current_child_table_relid")]
    part = _partition(row)
    if part is not None:
        steps.append(str(part[1]))
    elif unit == COARSE and done is not None and total:
        part = "index", min(int(done) + 1, int(total)), int(total)
    mark = " ".join((kind, phase, *steps))
    return Counted(kind, phase, done, total, unit, command, here, part, mark)


def _first(stage: Stage, row: Row) -> tuple[float | None, float | None, str]:
    for counter in stage.counters:
        found = counter.read(row)
        if found is not None:
            return (*found, counter.unit)
    return None, None, "pages"


def _partition(row: Row) -> tuple[str, int, int] | None:
    for done, total in _PARTITIONS:
        here, all_ = number(row, done), number(row, total)
        if all_:
            return "partition", min(int(here or 0) + 1, int(all_)), int(all_)
    return None
