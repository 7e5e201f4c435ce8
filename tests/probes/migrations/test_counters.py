"""What is counted of a statement belongs to its phase."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd import words
from kaspad_taskd.probes.migrations.counters import STAGES, counted

FULL = {"blocks_done": 23365, "blocks_total": 23365, "tuples_done": 0, "tuples_total": 0}
ROWS = {"blocks_done": 0, "blocks_total": 0, "tuples_done": 5, "tuples_total": 9}


@pytest.mark.parametrize(
    ("kind", "row", "number"),
    [
        ("index", {**FULL, "phase": "building index: scanning table"}, None),  # GIN, from 18 on
        ("index", {**FULL, "phase": "building index: scanning table", "blocks_done": 7},
         (7, 23365, "pages")),
        ("index", {**FULL, "phase": "building index: sorting live tuples"}, None),
        ("index", {**ROWS, "phase": "building index: sorting live tuples"}, None),
        ("index", {**ROWS, "phase": "building index: loading tuples in tree"}, (5, 9, "rows")),
        ("index", {**FULL, "phase": "waiting for old snapshots"}, None),
        ("index", {**FULL, "phase": "index validation: sorting tuples"}, None),
        ("index", {**FULL, "phase": "building index", "blocks_done": 7}, (7, 23365, "pages")),
        ("index", {**FULL, "phase": "building index"}, None),  # GiST: three quarters of its time
        ("index", {**FULL, **ROWS, "blocks_total": 0, "phase": "building index"}, (5, 9, "rows")),
        ("index", {**FULL, "phase": "a phase of PostgreSQL 19"}, None),
        ("cluster", {"phase": "seq scanning heap", "heap_blks_scanned": 3, "heap_blks_total": 9},
         (3, 9, "pages")),
        ("cluster", {"phase": "index scanning heap", "heap_tuples_scanned": 3,
                     "heap_blks_total": 0}, (3, None, "rows")),
        ("cluster", {"phase": "writing new heap", "heap_tuples_scanned": 9,
                     "heap_tuples_written": 4, "heap_blks_scanned": 2, "heap_blks_total": 2},
         (4, 9, "rows")),
        ("cluster", {"phase": "rebuilding index", "index_rebuild_count": 2, "indexes": 4,
                     "heap_blks_scanned": 9, "heap_blks_total": 9}, (2, 4, "indexes")),
        ("vacuum", {"phase": "vacuuming indexes", "heap_blks_scanned": 9, "heap_blks_total": 9},
         None),
        ("vacuum", {"phase": "vacuuming indexes", "indexes_total": 3, "indexes_processed": 1},
         (1, 3, "indexes")),
        ("copy", {"command": "COPY FROM", "bytes_processed": 7, "bytes_total": 0,
                  "tuples_processed": 2}, (2, None, "rows")),
        ("copy", {"command": "COPY FROM", "bytes_processed": 7, "bytes_total": 70,
                  "tuples_processed": 2}, (7, 70, "bytes")),
        ("copy", {"command": "COPY TO", "bytes_processed": 7, "tuples_processed": 2}, None),
    ],
)  # fmt: skip
def test_a_counter_is_that_of_its_phase(kind: str, row: Any, number: Any) -> None:
    """And a phase without numbers has none, whatever a former one has left in the row."""
    found = counted(kind, row)
    assert (None if found.done is None else (found.done, found.total, found.unit)) == number


def test_equal_parts_are_numbered() -> None:
    """Partitions, and the indexes that are built anew; a counter of each has a name of its own."""
    row = {"phase": "building index: scanning table", "blocks_done": 1, "blocks_total": 2,
           "partitions_total": 8, "partitions_done": 4}  # fmt: skip
    first, last = counted("index", row), counted("index", {**row, "partitions_done": 8})
    assert (first.part, last.part) == (("partition", 5, 8), ("partition", 8, 8))
    assert first.mark != last.mark
    rebuilt = {"phase": "rebuilding index", "index_rebuild_count": 2, "indexes": 4}
    assert counted("cluster", rebuilt).part == ("index", 3, 4)
    sizes = [{"index_relid": relid, "phase": "building index"} for relid in ("7", "8")]
    assert len({counted("index", each).mark for each in sizes}) == 2


@given(
    st.sampled_from(sorted(STAGES)),
    st.dictionaries(
        st.sampled_from(
            ["partitions_done", "partitions_total"]
            + [column for stage in STAGES.values() for each in stage.counters
               for column in (each.done, each.total) if column]
        ),
        st.none() | st.integers(-1, 99),
    ),
)  # fmt: skip
def test_no_number_is_beyond_its_total(place: tuple[str, str], row: Any) -> None:
    """Whatever a server says."""
    kind, phase = place
    found = counted(kind, {**row, "phase": phase, "command": phase})
    if found.done is not None:
        assert found.done >= 0
        assert found.total is None or 0 <= found.done <= found.total
        assert found.total != 0
    if found.part is not None:
        assert 1 <= found.part[1] <= found.part[2]


def test_every_stage_has_words() -> None:
    """They are read by people."""
    for stage in STAGES.values():
        assert words.maybe(f"statement.stage.{stage.name}")
