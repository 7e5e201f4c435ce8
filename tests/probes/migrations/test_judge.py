"""What a look at a database means: the recorded migration, and whatever else may come."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd import words
from kaspad_taskd.core.observation import Hint, Reading, Refused, Unreachable
from kaspad_taskd.core.reason import EtaReason, Reason
from kaspad_taskd.probes.migrations import TOOLS
from kaspad_taskd.probes.migrations.counters import STAGES, Counted, counted
from kaspad_taskd.probes.migrations.judge import _PHASES, Measured, judge
from kaspad_taskd.probes.migrations.seen import Backend, Record, Server, clean
from kaspad_taskd.probes.migrations.simply_kaspa import DAY_MS
from kaspad_taskd.probes.migrations.whose import Wanted, sessions
from kaspad_taskd.words.table import entry

RECORDING = Path(__file__).parents[2] / "data" / "pg15-ski-v20-to-v23.log.gz"
LINE = re.compile(r"\S+ vars=(\S+) db=\d+ idx=(.*?) an=(.*?) act=(.*?)(?:\|(\w*))?$")
BLOCK_TIMES = 1_750_000_000_900, 1_751_727_999_999
SKI = Wanted(TOOLS["simply-kaspa"], "23", "vars")


def replayed() -> Iterator[tuple[str, Reading]]:
    """The recorded migration, as looks: the record, the running statement, the readings."""
    memory: Any = {}
    for text in gzip.decompress(RECORDING.read_bytes()).decode().splitlines():
        line = LINE.fullmatch(text)
        assert line is not None, text
        found = dict(pair.split("=") for pair in line[1].split(","))
        statement = "" if line[4] == "-" else line[4]
        locked = line[5] == "relation"
        locks = locked or statement.startswith(("ALTER", "CREATE", "DROP"))
        backend = Backend(7, "ski", statement=statement, locked=locked, locks=locks)
        rows = [{"key": key, "value": value} for key, value in found.items()]
        record = SKI.tool.read(rows, SKI.version)
        counts = {} if line[2] == "-" else {7: index(line[2])}
        server = Server([backend] if statement else [], counts, "watcher")
        start, end = BLOCK_TIMES
        measured = Measured(start / DAY_MS, None, end / DAY_MS)
        reading = judge(SKI, server, record, memory, measured)
        assert isinstance(reading, Reading)
        memory = reading.memory
        yield statement, reading


def index(text: str) -> Counted:
    _, phase, blocks, tuples, _ = text.split("/")
    row: dict[str, Any] = {"phase": phase, "command": "CREATE INDEX"}
    for name, pair in (("blocks", blocks), ("tuples", tuples)):
        done, _, total = pair.partition(":")
        row |= {f"{name}_done": int(done), f"{name}_total": int(total)}
    return counted("index", row, True)


def test_it_is_said_that_nobody_migrates() -> None:
    """After three looks: a moment between two statements is none; what is over needs nobody."""

    def hints(version: str, *work: Backend) -> list[list[Hint]]:
        memory: Any = {}
        found = []
        for _ in range(4):
            reading = judge(SKI, Server(work), Record(version, version == "23"), memory)
            assert isinstance(reading, Reading)
            memory = reading.memory
            found.append(list(reading.hints))
        return found

    idle = [Hint("migration-idle", {"version": "19", "wanted": "23"})]
    assert hints("19") == [[], [], idle, idle]
    assert hints("19", Backend(7, statement="ALTER TABLE vars ADD x int", locks=True)) == [[]] * 4
    assert hints("23") == [[]] * 4


def test_the_recorded_migration_is_told_step_by_step() -> None:
    """Forwards only, exact where it can be known, without numbers where not, never complete."""
    steps = []
    for statement, reading in replayed():
        assert not reading.complete
        keys = [phase.key for phase in reading.plan]
        assert len(keys) == 12
        assert reading.phase in keys
        steps.append(keys.index(reading.phase))
        if "AS SELECT" in statement:
            assert (reading.position, reading.eta_reason) == (None, EtaReason.NO_TOTAL)
        if statement.startswith("CALL"):
            assert (reading.unit, reading.basis) == ("days", "exact")
    assert steps == sorted(steps)
    assert set(steps) == set(range(12))


def test_the_recorded_days_grow_to_the_last() -> None:
    """The day after the checkpoint, of all days; 95 % and more at the end."""
    days = [each for text, each in replayed() if text.startswith("CALL")]
    shares = [(each.position - each.start) / (each.target - each.start) for each in days]  # type: ignore[operator]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] > 0.95


def test_pages_that_were_read_are_no_rows_written() -> None:
    """A parallel build sorts with all pages of its scan still counted and no row yet."""

    def told(line: str) -> Reading:
        text = "ALTER TABLE transactions ADD PRIMARY KEY (transaction_id)"
        build = Backend(7, statement=text, locks=True)
        reading = judge(SKI, Server([build], {7: index(line)}), Record("22"), {})
        assert isinstance(reading, Reading)
        return reading

    read = told("CREATE INDEX/building index: scanning table/7400:7500/0:0/")
    sorts = told("CREATE INDEX/building index: sorting live tuples/7500:7500/0:0/")
    writes = told("CREATE INDEX/building index: loading tuples in tree/0:0/10:60000/")
    assert (read.phase, read.position, read.target) == ("v23_key_scan", 7400, 7500)
    assert (sorts.phase, sorts.position, sorts.target) == ("v23_key_load", None, None)
    assert "statementPercent" not in sorts.metadata
    assert sorts.metadata["statementStage"] == "sorting (no number)"
    assert (writes.phase, writes.position, writes.target) == ("v23_key_load", 10, 60000)


def test_the_recorded_lock_waits_are_said() -> None:
    """Each DROP that waited for another session."""
    waits = [text for text, each in replayed() if each.reason is Reason.LOCK_WAIT]
    assert waits == ["DROP TABLE transactions;"] * 2 + ["DROP TABLE blocks_transactions_dedup;"] * 2


def test_every_step_has_its_words() -> None:
    """All keys of all scripts, in three lengths."""
    keys = [key for s in TOOLS["simply-kaspa"].scripts for step in s.steps for key in step.keys]
    assert len(keys) == len(set(keys)) == 18
    for key in keys:
        assert set(entry(f"phase.{key}")) == {"short", "label", "sentence"}


def test_a_replica_is_not_believed() -> None:
    """It does not know who works on the primary."""
    found = judge(SKI, Server(replica=True), Record("23", reached=True), {})
    assert isinstance(found, Unreachable)
    assert found.reason is Reason.WRONG_PROGRAM


def test_a_failure_counts_when_nobody_works_any_more() -> None:
    """The next try may be under way."""
    wanted = Wanted(TOOLS["sqlx"], "2", "_sqlx_migrations")
    failed = Record("1", failure="migration 2 is recorded as failed")
    worker = Backend(9, statement="ALTER TABLE x ADD y int", locks=True)
    assert isinstance(judge(wanted, Server([worker]), failed, {}), Reading)
    assert isinstance(judge(wanted, Server(), failed, {}), Refused)


def test_a_restored_backup_begins_its_way_anew() -> None:
    """A version below the one the way began at."""
    later = judge(SKI, Server(), Record("22"), {"from": 22, "step": "v23_blocks"})
    earlier = judge(SKI, Server(), Record("20"), {"from": 22, "step": "v23_blocks"})
    assert isinstance(later, Reading)
    assert isinstance(earlier, Reading)
    assert (later.phase, earlier.phase) == ("v23_blocks", None)
    assert earlier.memory["from"] == 20


def applied(name: str | None) -> dict[str, Any]:
    """A row of a ledger."""
    return {"names": [name], "applied": True, "begun": False, "runs": False, "failed": False,
            "place": 1}  # fmt: skip


@pytest.mark.parametrize(
    ("tool", "rows", "wanted", "reached"),
    [
        ("flyway", [applied("2.10")], "2.9", True),
        ("flyway", [applied("2.1")], "2.1.0", True),
        ("flyway", [applied(None)], "1", False),
        ("sqlx", [applied("20260101")], "20260102", False),
        ("alembic", [{"version_num": "a"}, {"version_num": "b"}], "b,a", True),
        ("alembic", [{"version_num": "a"}], "a, b", False),
        ("k-indexer", [], "2", False),
        ("simply-kaspa", [{"key": "schema_version", "value": "x"}], "23", False),
        ("simply-kaspa", [{"key": "schema_version", "value": "24"}], "23", True),
    ],
)
def test_what_is_recorded_is_compared_as_versions(
    tool: str, rows: list[Any], wanted: str, reached: bool
) -> None:
    """Not as texts; a later one than wanted is good."""
    assert TOOLS[tool].read(rows, wanted).reached is reached


TEXT = st.text(max_size=60)
BACKENDS = st.builds(
    Backend,
    pid=st.integers(1, 9),
    user=TEXT,
    application=TEXT,
    idle=st.booleans(),
    statement=st.one_of(
        TEXT.map(clean),
        st.sampled_from(["CREATE TABLE transactions_new AS", "ALTER TABLE blocks ADD PRIMARY KEY",
                         "CALL _v21_migrate_subnetworks()", "VACUUM FULL x"]),
    ),
    seconds=st.floats(0, 1e9),
    locked=st.booleans(),
    blockers=st.lists(st.integers(1, 9), max_size=2).map(tuple),
    hidden=st.booleans(),
    locks=st.booleans(),
    writes=st.booleans(),
    age=st.floats(0, 1e9),
    may=st.booleans(),
)  # fmt: skip
COUNTS = st.builds(
    Counted, st.sampled_from(["index", "copy", "vacuum"]),
    TEXT | st.sampled_from(sorted({phase for _, phase in STAGES})),
    st.none() | st.floats(0, 1e15), st.none() | st.floats(1, 1e15),
    st.sampled_from(["rows", "indexes"]), here=st.none() | st.booleans(),
)  # fmt: skip
SERVERS = st.builds(
    Server, st.lists(BACKENDS, max_size=4), st.dictionaries(st.integers(1, 9), COUNTS), TEXT
)
RECORDS = st.none() | st.builds(
    Record,
    st.none() | TEXT | st.integers(0, 30).map(str),
    st.booleans(),
    st.lists(TEXT, max_size=2).map(tuple),
    st.none() | TEXT,
    st.none() | st.floats(0, 1e15),
    st.none() | st.floats(1, 1e15),
)
MEMORIES = st.dictionaries(
    st.sampled_from(
        [
            "from",
            "step",
            "quiet",
            "quietSince",
            "version",
            "counts",
            "sessions",
            "suspects",
            "doubts",
        ]
    ),
    st.none() | TEXT | st.integers() | st.lists(st.integers(1, 9)),
)
MEASURED = st.none() | st.builds(
    Measured, st.floats(0, 1e9), st.none() | st.floats(0, 1e9), st.floats(0, 1e9)
)


@given(st.sampled_from(sorted(TOOLS)), SERVERS, RECORDS, MEMORIES, MEASURED)
def test_no_answer_is_complete_while_somebody_works(
    tool: str, server: Server, record: Record | None, memory: Any, measured: Measured | None
) -> None:
    """Whatever a server says, it is judged; statements and names of others stay here."""
    wanted = Wanted(TOOLS[tool], TOOLS[tool].version or "1", TOOLS[tool].table or "")
    found = judge(wanted, server, record, memory, measured)
    if isinstance(found, Reading) and found.complete:
        assert record is not None
        assert record.reached
        assert not sessions(wanted, server, True, memory).work
        assert not any(each.hidden for each in server.backends)
    if isinstance(found, Reading):
        said = [value for value in found.metadata.values() if isinstance(value, str)]
        statements = {each.statement for each in server.backends if len(each.statement) > 30}
        assert not statements & set(said)


@given(st.text(st.sampled_from("-/* \nab'"), max_size=200))
def test_comments_before_a_statement_end_somewhere(text: str) -> None:
    """No text hangs the cleaning, which takes all comments before it."""
    assert clean(clean(text)) == clean(text)
    assert not clean(text).startswith("--")


@pytest.mark.parametrize("key", ["statement", *_PHASES.values()])
def test_each_step_that_is_not_a_scripts_has_words(key: str) -> None:
    """A statement that PostgreSQL counts is named by what it does, in each form."""
    raw = key.replace("_", " ")
    assert raw not in [words.phase(key, form) for form in ("label", "sentence")]
    assert words.phase(key, "short") != raw or key == "statement"
