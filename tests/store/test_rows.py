"""Rows: retention, numbers after a loss, and changes at fault."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from kaspad_taskd.core import ageing
from kaspad_taskd.core.ageing import SureTime
from kaspad_taskd.core.incidents import INCIDENTS_KEPT, Incident
from kaspad_taskd.core.model import Health, Live
from kaspad_taskd.core.record import Change, Decision
from kaspad_taskd.core.seen import Counts
from kaspad_taskd.core.watch_record import HOURS_KEPT, MINUTES_KEPT, Tally
from kaspad_taskd.store import age, ring, rows, schema
from kaspad_taskd.store.rows import Rows
from tests.store.samples import NOW, definition, fact, point, task

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


def pass_time(table: Rows, ms: int = ageing.HOUR, clock: int = 0) -> None:
    """Let process time pass; the wall clock is `clock` ms away from the true one."""
    known = table.sure
    now = (known.at if known else NOW) + ms
    sure = known or ageing.first(NOW, NOW)
    sure = ageing.elapse(sure, now + clock, ms, jumped=abs(sure.gap - clock) > ageing.LEEWAY)
    put(table, Change(sure=sure))


def old(table: Rows, *days: float) -> None:
    """Put events on record that are so many days old."""
    put(table, *(Change(facts=(fact(at=int(NOW - age * ageing.DAY)),)) for age in days))


def test_old_events_go_slowly(
    table: Rows, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of over 30 days, oldest first: a tenth a day, the newest stay; a restart adds none."""
    monkeypatch.setattr(ageing, "NEWEST", 100)
    old(table, *[90 - number / 20 for number in range(1000)], *[1] * 200)
    table = Rows(db)  # a state that an earlier version has filled
    table.load()
    for _ in range(24):
        table.prune()
        pass_time(table)
        table.prune()
        table.prune()
        left = len(seqs(db))
        table = Rows(db)
        table.load()
    assert 1080 <= left < 1110
    assert table.oldest == seqs(db)[0] == 1201 - left
    for _ in range(24 * 40):
        pass_time(table)
        table.prune()
    assert 200 <= len(seqs(db)) < 250


def test_the_newest_events_stay_however_old(table: Rows, db: sqlite3.Connection) -> None:
    """A thousand of them."""
    old(table, *[90] * 1005)
    table = Rows(db)
    table.load()
    for _ in range(48):
        pass_time(table)
        table.prune()
    assert len(seqs(db)) == 1000


def test_a_clock_that_is_ahead_removes_nothing(
    table: Rows, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """40 days for a while, told or not; nor does it start an hour of patience before its time."""
    monkeypatch.setattr(ageing, "NEWEST", 0)
    old(table, *[20] * 500)
    table = Rows(db)
    table.load()
    pass_time(table, 3 * ageing.HOUR)
    for clock in (40 * ageing.DAY, 0, 40 * ageing.DAY, -40 * ageing.DAY, 0):
        pass_time(table, ageing.HOUR // 3, clock)
        table.prune()
        again = Rows(db)
        again.load()
        again.prune()
    assert len(seqs(db)) == 500


def test_events_of_a_clock_that_began_at_1970_are_not_old(
    table: Rows, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither on a new host, nor in the midst of a journal; nor do they take others along."""
    monkeypatch.setattr(ageing, "NEWEST", 0)
    put(table, *[Change(facts=(fact(at=1_000),))] * 300)
    old(table, *[0] * 300)
    for _ in range(60):
        pass_time(table)
        table.prune()
    assert len(seqs(db)) == 600


def test_too_many_events_go(
    table: Rows, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but the newest JOURNAL_EVENTS, however young."""
    monkeypatch.setattr(rows, "JOURNAL_EVENTS", 2)
    put(table, Change(facts=(fact(), fact(), fact(), fact(), fact())))
    table.prune()
    assert (seqs(db), table.oldest) == ([4, 5], 4)


def test_the_limits_are_the_contracts() -> None:
    """30 days, at most 100,000."""
    assert (age.JOURNAL_AGE, rows.JOURNAL_EVENTS) == (MONTH, 100_000)


def test_numbers_go_on_when_everything_was_pruned(
    table: Rows, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty journal still knows the last number, over a restart."""
    monkeypatch.setattr(rows, "JOURNAL_EVENTS", 0)
    put(table, Change(facts=(fact(), fact())))
    table.prune()
    assert seqs(db) == []
    again = Rows(db)
    loaded = again.load()
    assert (loaded.seq, loaded.oldest) == (2, 3)
    put(again, Change(facts=(fact(),)))
    assert seqs(db) == [3]


def test_a_clock_that_is_ahead_writes_over_no_history(table: Rows, db: sqlite3.Connection) -> None:
    """A day, or a ring's length, ahead for a while: what is shown afterwards is what was before."""
    now = NOW + ring.MINUTES * ring.MINUTE
    for ago in range(ring.MINUTES - 1, -1, -1):
        at = now - ago * ring.MINUTE
        put(table, Change(points=(point(at, progress=ago),), sure=SureTime(at)))
    before = rows.history(db, "a", 0, now + 1, now)
    assert len(before) == ring.MINUTES
    for ahead in (ageing.DAY, 14 * ageing.DAY, 3 * 3_600_000, -3 * 3_600_000, -now):
        wrong = now + ahead + ring.MINUTE
        put(table, Change(points=(point(wrong, progress=-1),)))
        assert rows.history(db, "a", wrong, wrong + 1, wrong)  # it is there to be seen, then
    assert rows.history(db, "a", now - 6 * 3_600_000, now + 1, now) == before


def test_decisions_have_a_bound(
    table: Rows, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest stay, and keep their numbers."""
    monkeypatch.setattr(rows, "DECISIONS", 2)
    put(table, Change(decisions=tuple(Decision(0, NOW, word, None) for word in "abcd")))
    table.prune()
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


# -- the record of what is kept watch on


def test_a_task_has_so_many_minutes_and_hours_and_no_more(db: sqlite3.Connection) -> None:
    """The newest stay; a clock that was wrong takes as many places as it counted minutes."""
    table = Rows(db)
    table.load()

    def count(minutes: range, task_id: str = "a") -> None:
        tallies = tuple(Tally(task_id, minute, Counts(ok=60_000)) for minute in minutes)
        assert table.commit([Change(tallies=tallies)])[1] is None

    def kept(span: int, task_id: str = "a") -> list[int]:
        found = db.execute(
            "SELECT slot FROM seen WHERE task_id = ? AND span = ? ORDER BY slot", (task_id, span)
        )
        return [slot for (slot,) in found]

    count(range(5), "b")
    end = (HOURS_KEPT + 5) * 60
    for start in range(0, end, 600):
        count(range(start, min(end, start + 600)))
    assert kept(60_000) == list(range(end - MINUTES_KEPT, end))
    assert kept(3_600_000) == list(range(5, HOURS_KEPT + 5))
    assert len(kept(60_000, "b")) == 5
    count(range(10 * end, 10 * end + 30))  # a clock that is years ahead, for half an hour
    assert kept(60_000)[:-30] == list(range(end - MINUTES_KEPT + 30, end))
    count(range(30))  # and one that knows of none
    assert kept(60_000)[:-30] == list(range(end - MINUTES_KEPT + 30, end))


def test_a_task_that_flaps_for_months_keeps_its_newest_incidents(db: sqlite3.Connection) -> None:
    """The oldest go first, and those of no other task."""
    table = Rows(db)
    table.load()

    def incident(number: int, task_id: str = "a") -> Incident:
        return Incident(number, task_id, "node", "node-sync", 1, NOW + number, Health.BEHIND)

    table.commit([Change(incidents=(incident(1, "b"),))])
    for number in range(2, INCIDENTS_KEPT + 12):
        table.commit([Change(incidents=(incident(number),))])
    found = [number for (number,) in db.execute("SELECT id FROM incidents ORDER BY id")]
    assert found == [1, *range(12, INCIDENTS_KEPT + 12)]
