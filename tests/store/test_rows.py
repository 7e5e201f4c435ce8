"""Rows: retention, numbers after a loss, and changes at fault."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from kaspad_taskd.core.model import Live
from kaspad_taskd.core.record import Change, Decision
from kaspad_taskd.store import rows, schema
from kaspad_taskd.store.rows import Rows
from tests.store.samples import NOW, definition, fact, task

MONTH = 30 * 86_400_000


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = schema.connect(tmp_path / "state.db")
    schema.migrate(made, tmp_path / "state.db")
    yield made
    made.close()


@pytest.fixture
def table(db: sqlite3.Connection) -> Rows:
    made = Rows(db)
    made.load()
    return made


def put(table: Rows, *changes: Change) -> None:
    outcomes, fault = table.commit(changes)
    assert fault is None
    assert len(outcomes) == len(changes)


def seqs(db: sqlite3.Connection) -> list[int]:
    return [seq for (seq,) in db.execute("SELECT seq FROM journal ORDER BY seq")]


def test_old_events_go_in_bites(
    table: Rows, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of over 30 days, a bounded number at a time, oldest first."""
    monkeypatch.setattr(rows, "BITE", 3)
    ages = (3, 2, 2, 2, 0, 0)
    put(table, *(Change(facts=(fact(at=NOW - age * MONTH),)) for age in ages))
    table.prune(NOW)
    assert (seqs(db), table.oldest) == ([4, 5, 6], 4)
    table.prune(NOW)
    table.prune(NOW)
    assert (seqs(db), table.oldest) == ([5, 6], 5)


def test_too_many_events_go(
    table: Rows, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but the newest JOURNAL_EVENTS, however young."""
    monkeypatch.setattr(rows, "JOURNAL_EVENTS", 2)
    put(table, Change(facts=(fact(), fact(), fact(), fact(), fact())))
    table.prune(NOW)
    assert (seqs(db), table.oldest) == ([4, 5], 4)


def test_the_limits_are_the_contracts() -> None:
    """30 days, at most 100,000."""
    assert (rows.JOURNAL_AGE, rows.JOURNAL_EVENTS) == (MONTH, 100_000)


def test_numbers_go_on_when_everything_was_pruned(table: Rows, db: sqlite3.Connection) -> None:
    """An empty journal still knows the last number, over a restart."""
    put(table, Change(facts=(fact(), fact())))
    table.prune(NOW + 2 * MONTH)
    assert seqs(db) == []
    again = Rows(db)
    loaded = again.load()
    assert (loaded.seq, loaded.oldest) == (2, 3)
    put(again, Change(facts=(fact(),)))
    assert seqs(db) == [3]


def test_decisions_have_a_bound(
    table: Rows, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest stay, and keep their numbers."""
    monkeypatch.setattr(rows, "DECISIONS", 2)
    put(table, Change(decisions=tuple(Decision(0, NOW, word, None) for word in "abcd")))
    table.prune(NOW)
    assert [each.id for each in rows.decisions(db)] == [3, 4]


def test_a_leap_keeps_the_story_and_leaves_no_hole(table: Rows, db: sqlite3.Connection) -> None:
    """Events and cursors move together, beyond any number told before; a second leap too."""
    put(table, Change(facts=(fact(n=1), fact(n=2), fact(n=3)), cursors={"reactions": 2}))
    for now in (NOW, NOW + 1, 0):  # at last with a clock that fell back to 1970
        before = table.load()
        table.leap(now)
        loaded = table.load()
        assert loaded.seq >= max(now, before.seq + 1)
        assert seqs(db) == [loaded.seq - 2, loaded.seq - 1, loaded.seq]
        assert loaded.oldest == loaded.seq - 2
        assert loaded.cursors == {"reactions": loaded.seq - 1}


def test_the_change_at_fault_ends_the_group_behind_the_good_ones(
    table: Rows, db: sqlite3.Connection
) -> None:
    """Those before it are durable, it and those after it are not; no number is lost."""
    good = Change(put=(task("a"),), facts=(fact("a"),))
    bad = Change(put=(task("b", live=Live(memory={"x": {1, 2}})),), facts=(fact("b"),))
    outcomes, fault = table.commit([good, good, bad, good])
    assert isinstance(fault, TypeError)
    assert [outcome.events[0].seq for outcome in outcomes] == [1, 2]
    assert seqs(db) == [1, 2]
    put(table, good)
    assert seqs(db) == [1, 2, 3]
    assert [each.id for each in table.load().tasks] == ["a"]


def test_a_change_is_made_whole_or_not_at_all(table: Rows, db: sqlite3.Connection) -> None:
    """What came before the fault within one change is undone with it."""
    bad = Change(remove=("a",), put=(task("b"),), facts=(fact(), fact(n=2**70)))
    put(table, Change(put=(task("a"),)))
    outcomes, fault = table.commit([bad])
    assert fault is not None
    assert outcomes == []
    assert [each.id for each in table.load().tasks] == ["a"]
    assert seqs(db) == []


def test_a_definition_is_written_when_it_has_changed(table: Rows, db: sqlite3.Connection) -> None:
    """Not with each look; but again after a failure or a removal took it away."""
    written: list[str] = []
    db.set_trace_callback(
        lambda statement: written.append("definition") if "INTO definitions" in statement else None
    )
    put(table, Change(put=(task("a"),)))
    put(table, Change(put=(task("a", revision=2),)))
    assert len(written) == 1
    bad = Change(put=(task("a", live=Live(memory={"x": {1}})),))
    assert table.commit([Change(remove=("a",)), bad])[1] is not None
    put(table, Change(put=(task("a", revision=3),)))
    assert table.load().tasks[0].definition == definition("a")
