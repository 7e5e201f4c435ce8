"""A damaged state: what can be read is kept, and the second record tells what is not."""

# ruff: noqa: ASYNC240 - a test may block

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.core.incidents import Ending, Incident
from kaspad_taskd.core.model import Health, Status
from kaspad_taskd.core.record import Change, Decision, Loaded
from kaspad_taskd.core.seen import Counts
from kaspad_taskd.core.switch import Side, Switch, SwitchState
from kaspad_taskd.core.watch_record import Tally, WatchRecord
from kaspad_taskd.store import rows, schema, statuses
from kaspad_taskd.store.pages import PAGE, Log, Pages
from kaspad_taskd.store.sqlite import SqliteStore
from tests.store.samples import NOW, Ear, fact, point, task

TASKS, EVENTS = 200, 5_000
STATES = tuple(Status)
ROUNDS = 24


@dataclass(frozen=True)
class Whole:
    """A state that was killed, and what it had told."""

    path: Path
    journal: str


def killed(store: SqliteStore, source: Path, target: Path) -> None:
    """Copy what a kill would leave, log and second record included; the store is open."""
    target.mkdir()
    for found in source.parent.glob("state.db*"):
        shutil.copy(found, target / found.name)


async def make(place: Path) -> Whole:
    """200 tasks in all statuses, 5,000 events, decisions, switches; half of it in the log."""
    path = place / "live" / "state.db"
    path.parent.mkdir()
    ear, store = Ear(), SqliteStore(path, lambda: NOW)
    store.open()
    store.start(ear.settled)
    for start in range(0, EVENTS, 100):
        numbers, first = range(start, start + 100), start // 100 * 4
        change = Change(
            put=tuple(named(n) for n in range(first, first + 4)),
            facts=tuple(fact(f"t{n % TASKS}", n=n, note="x" * (n % 300)) for n in numbers),
            points=tuple(point(NOW + n * 60_000, task_id=f"t{n % TASKS}") for n in numbers[:9]),
            decisions=(Decision(0, NOW, f"chosen-{start}", {"start": start}),),
            cursors={"reactions": start},
            switches=(switch(start // 100 + 1),),
        )  # fmt: skip
        assert (await ear.submit(store, change)).fault is None
    assert (await ear.submit(store, Change(cursors={"reactions": EVENTS}))).fault is None
    killed(store, path, place / "killed")
    await store.close()
    with closing(sqlite3.connect(path)) as db:
        (journal,) = db.execute("SELECT value FROM meta WHERE key = 'journal'").fetchone()
    return Whole(place / "killed" / "state.db", f"{journal:016x}")


def named(n: int) -> Any:
    return task(f"t{n}", number=n, status=STATES[n % len(STATES)], attempt=1 + n % 3)


def switch(number: int) -> Switch:
    return Switch(number, "indexer", Side.LOCAL, None, NOW, cause=number, state=SwitchState.DONE)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return asyncio.run(make(tmp_path_factory.mktemp("whole")))


@pytest.fixture
def path(whole: Whole, tmp_path: Path) -> Path:
    """A copy of the killed state, to be damaged."""
    shutil.copytree(whole.path.parent, tmp_path / "state")
    return tmp_path / "state" / "state.db"


def zero_pages(content: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 3, 20))):
        at = dice.randrange(max(1, len(content) // PAGE)) * PAGE
        content[at : at + PAGE] = bytes(len(content[at : at + PAGE]))


def scramble(content: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 5))):
        at, size = dice.randrange(len(content)), dice.choice((1, 100, 5_000))
        part = content[at : at + size]
        content[at : at + size] = dice.randbytes(len(part))


def flip(content: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 20, 500))):
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)


def cut(content: bytearray, dice: random.Random) -> None:
    del content[dice.randrange(len(content)) :]


HARMS: tuple[Callable[[bytearray, random.Random], None], ...] = (zero_pages, scramble, flip, cut)


async def opened(path: Path) -> tuple[Loaded, int]:
    """What a start finds, and how many events it can read; a change is taken."""
    ear, store = Ear(), SqliteStore(path, lambda: NOW)
    loaded = store.open()
    store.start(ear.settled)
    try:
        outcome = await ear.submit(store, Change(facts=(fact(),)))
        assert outcome.fault is None
        assert [event.seq for event in outcome.events] == [loaded.seq + 1]
        events = await store.events(loaded.oldest - 1, EVENTS * 2)
        assert [event.seq for event in events] == list(range(loaded.oldest, loaded.seq + 2))
        assert await store.decisions() is not None
    finally:
        await store.close()
    return loaded, len(events) - 1


@pytest.mark.parametrize("ending", ["", "-wal"])
@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_whatever_is_damaged_statuses_are_right_and_nothing_is_repeated(
    whole: Whole, path: Path, seed: int, ending: str
) -> None:
    """No crash; numbers beyond all told, and another identity as soon as an event is missing."""
    dice = random.Random(seed)
    victim = path.with_name(path.name + ending)
    content = bytearray(victim.read_bytes())
    HARMS[seed % len(HARMS)](content, dice)
    if not ending:
        content[60:64] = len(schema.STEPS).to_bytes(4, "big")  # else it may say that it is newer
    victim.write_bytes(content)
    loaded, events = await opened(path)
    assert {each.id: (each.status, each.attempt) for each in loaded.tasks} == {
        f"t{n}": (STATES[n % len(STATES)], 1 + n % 3) for n in range(TASKS)
    }
    assert loaded.cursors["reactions"] >= loaded.seq  # all of it had been reacted to
    assert loaded.seq >= EVENTS
    if events < EVENTS or loaded.repaired is not None:
        assert loaded.journal != whole.journal
        assert loaded.seq == NOW
    if loaded.repaired is not None:
        assert loaded.repaired.aside is not None
        assert Path(loaded.repaired.aside).exists()
        assert all(each.state.ended for each in loaded.switches)


def rows_of(content: bytes) -> set[tuple[Any, ...]]:
    """All events, history and decisions of a file, by what they say."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.deserialize(Pages(content, b"").content())  # in no mode that needs a log
        return (
            {("event", *row) for row in db.execute("SELECT at, task_id, document FROM journal")}
            | {("point", *row) for row in db.execute("SELECT * FROM history")}
            | {("decision", *row) for row in db.execute("SELECT * FROM decisions")}
        )


@pytest.mark.parametrize("seed", range(6))
async def test_every_row_on_a_sound_page_is_kept(whole: Whole, path: Path, seed: int) -> None:
    """Though the way there is lost: the first page, inner pages, indexes."""
    before = Pages.of(path).content()
    path.with_name("state.db-wal").unlink()
    dice = random.Random(seed)
    count = len(before) // PAGE
    bad = {0, *dice.sample(range(count), dice.choice((1, 10, count // 3)))}
    bad |= {at for at in range(count) if before[at * PAGE] in (0x05, 0x02)}
    content = bytearray(before)
    for page in bad:
        content[page * PAGE : page * PAGE + PAGE] = bytes(PAGE)
    path.write_bytes(content)
    lost = told_by(seen(Pages(before, b"")) - seen(Pages(bytes(content), b"")))
    loaded, events = await opened(path)
    with closing(sqlite3.connect(path)) as db:
        kept = rows_of(db.serialize())
    assert rows_of(before) - lost <= kept
    assert events >= EVENTS - sum(each[0] == "event" for each in lost)
    assert loaded.repaired is not None


def told_by(records: set[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """What rows say, as `rows_of` has it."""
    found: set[tuple[Any, ...]] = set()
    for values in records:
        if len(values) == 8:
            found.add(("point", *values))
        elif len(values) == 5:
            rowid, _, at, name, text = values
            found |= {("event", at, name, text), ("decision", rowid, at, name, text)}
    return found


def seen(pages: Pages) -> set[tuple[Any, ...]]:
    return {
        each.values if each.rowid is None else (each.rowid, *each.values)
        for page in pages.records()
        for each in page
    }


def test_pages_and_log_are_the_file_that_sqlite_sees(path: Path) -> None:
    """What is read here of a killed state is what SQLite itself makes of it."""
    log = Log(path.with_name("state.db-wal").read_bytes())
    assert log.good[0] == 1
    assert log.committed == len(log.good)
    assert not log.broken
    own = rows_of(Pages.of(path).content())
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert own == rows_of(db.serialize())


async def test_a_log_that_breaks_off_is_noticed_and_told(whole: Whole, path: Path) -> None:
    """SQLite forgets what was committed behind a damaged frame; all but that frame is kept."""
    log = path.with_name("state.db-wal")
    content = bytearray(log.read_bytes())
    content[40 + PAGE : 44 + PAGE] = b"ouch"
    log.write_bytes(content)
    loaded, events = await opened(path)
    assert loaded.repaired is not None
    assert "amid what was committed" in loaded.repaired.why
    assert events > EVENTS - 200
    assert loaded.journal != whole.journal


async def test_the_newest_commit_lost_is_noticed(whole: Whole, path: Path) -> None:
    """A log that was cut looks like one that a kill left; the second record knows more."""
    log = path.with_name("state.db-wal")
    content = log.read_bytes()
    frames = Log(content).committed - 20
    log.write_bytes(content[: 32 + frames * (PAGE + 24)])
    loaded, events = await opened(path)
    assert loaded.repaired is not None
    assert f"but {EVENTS} was told" in loaded.repaired.why
    assert loaded.repaired.missing == EVENTS - events
    assert loaded.journal != whole.journal


@pytest.mark.parametrize("second", [b"", b"garbage", None])
async def test_without_a_second_record_what_can_be_read_is_taken(
    path: Path, second: bytes | None
) -> None:
    """Then no reaction to an earlier event is run, and no switch goes on."""
    record = path.with_name("state.db.statuses")
    record.unlink() if second is None else record.write_bytes(second)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("UPDATE tasks SET document = '{' WHERE id = 't7'")
        db.execute(
            "UPDATE switches SET document = json_set(document, '$.state', 'running') WHERE id = 9"
        )
    loaded, events = await opened(path)
    assert events == EVENTS
    assert {each.id for each in loaded.tasks} == {f"t{n}" for n in range(TASKS)} - {"t7"}
    assert loaded.cursors == {}
    assert {each.state for each in loaded.switches} == {SwitchState.DONE, SwitchState.FAILED}


async def test_what_was_removed_stays_removed(tmp_path: Path) -> None:
    """Though it stands on a page that nobody calls free any more."""
    path = tmp_path / "state.db"
    ear, store = Ear(), SqliteStore(path, lambda: NOW)
    store.open()
    store.start(ear.settled)
    both = Change(put=(task("gone"), task("stays")), facts=(fact(),))
    assert (await ear.submit(store, both)).fault is None
    old = path.with_name("state.db-wal").read_bytes()
    assert (await ear.submit(store, Change(remove=("gone",), facts=(fact("gone"),)))).fault is None
    await store.close()
    content = Pages(path.read_bytes(), old).content()  # the page as it was before
    path.write_bytes(b"\x00" * 100 + content[100:])
    loaded, _ = await opened(path)
    assert [each.id for each in loaded.tasks] == ["stays"]


@pytest.mark.parametrize("second", [True, False])
async def test_marks_are_kept(tmp_path: Path, second: bool) -> None:
    """What was held is held, by the second record, or by what can be read."""
    path = tmp_path / "state.db"
    ear, store = Ear(), SqliteStore(path, lambda: NOW)
    store.open()
    store.start(ear.settled)
    first = Change(put=(task("t"),), marks={"hold/a": 1, "hold/b": 2, "attention/c/down": 3})
    assert (await ear.submit(store, first)).fault is None
    assert (await ear.submit(store, Change(marks={"hold/a": None}))).fault is None
    await store.close()
    if not second:
        path.with_name("state.db.statuses").unlink()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE tasks SET document = '{'")
    loaded, _ = await opened(path)
    assert loaded.repaired is not None
    assert loaded.marks.items() >= {"hold/b": 2, "attention/c/down": 3}.items()
    assert not second or "hold/a" not in loaded.marks


async def test_a_switch_finds_its_cause_under_its_new_number(path: Path) -> None:
    """Else an event that is read again would switch again."""
    path.with_name("state.db.statuses").write_bytes(b"")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE tasks SET document = '{' WHERE id = 't7'")
    loaded, _ = await opened(path)
    assert [each.cause for each in loaded.switches] == [
        loaded.oldest + number for number in range(50)
    ]


async def test_the_second_record_is_small_and_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looks and progress are not in it; a status is, before anybody is told."""
    monkeypatch.setattr(statuses, "SLACK", 8_192)
    path = tmp_path / "state.db"
    ear, store = Ear(), SqliteStore(path, lambda: NOW)
    store.open()
    store.start(ear.settled)
    record = path.with_name("state.db.statuses")
    one = task("a", status=Status.IN_PROGRESS)
    assert (await ear.submit(store, Change(put=(one,), facts=(fact(),)))).fault is None
    size = record.stat().st_size
    for n in range(20):
        change = Change(put=(task("a", status=Status.IN_PROGRESS, revision=n, percent=n / 2),))
        assert (await ear.submit(store, change)).fault is None
    assert record.stat().st_size == size
    for n in range(100):
        change = Change(put=(task("a", status=STATES[n % 2]),), facts=(fact(),))
        assert (await ear.submit(store, change)).fault is None
        known = statuses.read(record)
        assert known.whole
        assert known.told == n + 2
        assert known.things["task/a"]["task"]["status"] == STATES[n % 2]
    assert record.stat().st_size < 2 * statuses.SLACK
    assert record.stat().st_mode & 0o777 == 0o600
    await store.close()


async def test_a_second_record_that_was_removed_is_written_again(tmp_path: Path) -> None:
    """Whole, with the next status."""
    path = tmp_path / "state.db"
    ear, store = Ear(), SqliteStore(path, lambda: NOW)
    store.open()
    store.start(ear.settled)
    record = path.with_name("state.db.statuses")
    assert (await ear.submit(store, Change(put=(task("a"),), facts=(fact(),)))).fault is None
    record.unlink()
    assert (await ear.submit(store, Change(put=(task("b"),), facts=(fact(),)))).fault is None
    await store.close()
    known = statuses.read(record)
    assert (known.whole, known.told, set(known.things)) == (True, 2, {"task/a", "task/b"})


def test_a_leap_takes_causes_along(tmp_path: Path) -> None:
    """As it takes events and cursors along."""
    with closing(schema.connect(tmp_path / "state.db")) as db:
        schema.migrate(db, tmp_path / "state.db")
        table = rows.Rows(db)
        table.load()
        table.commit([Change(facts=(fact(),), switches=(switch(1),))])
        table.leap(NOW)
        loaded = table.load()
    assert (loaded.seq, loaded.switches[0].cause) == (NOW, NOW)


async def test_a_definition_that_was_bent_is_noticed(path: Path) -> None:
    """Though it makes sense: the second record has another one, and its own checksum."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute(
            "UPDATE definitions SET document = replace(document, '10.0', '90.0') WHERE id = 't7'"
        )
    loaded, events = await opened(path)
    assert events == EVENTS
    assert loaded.repaired is not None
    assert loaded.repaired.copied == 1
    assert {each.definition.interval for each in loaded.tasks} == {10.0}


@pytest.mark.parametrize(
    "bent",
    [
        "UPDATE journal SET document = json_set(document, '$.data', 7) WHERE seq = 9",
        "UPDATE journal SET document = json_set(document, '$.service', 7) WHERE seq = 9",
        "UPDATE tasks SET document = json_set(document, '$.number', 'x') WHERE id = 't7'",
        "UPDATE tasks SET document = json_set(document, '$.revision', '') WHERE id = 't7'",
        "UPDATE decisions SET context = '{' WHERE id = 3",
    ],
)
async def test_a_row_of_the_wrong_kind_costs_itself_alone(path: Path, bent: str) -> None:
    """What is taken over is judged as strictly as a start judges it."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute(bent)
    loaded, events = await opened(path)
    assert events >= EVENTS - 1
    assert len(loaded.tasks) == TASKS
    assert [each.number for each in loaded.tasks] == list(range(TASKS))
    assert loaded.repaired is not None


async def test_the_record_of_what_is_kept_watch_on_is_saved_as_far_as_it_is_sane(
    tmp_path: Path,
) -> None:
    """Minutes, hours, totals, incidents; of a row that makes no sense the time is not known."""
    path, minute = tmp_path / "state.db", NOW // 60_000
    ear, store = Ear(), SqliteStore(path, lambda: NOW)
    store.open()
    store.start(ear.settled)
    record = WatchRecord("a", "node", "node-sync", NOW - 9, NOW, total=Counts(ok=9), unknown=3)
    lasting = Incident(1, "a", "node", "node-sync", 1, NOW, Health.BEHIND)
    over = replace(lasting, id=2).over(NOW + 1, Ending.OK)
    change = Change(
        put=(task("a"),), records=(record,), incidents=(lasting, over),
        tallies=tuple(Tally("a", minute - n, Counts(ok=50_000)) for n in range(100)),
    )  # fmt: skip
    assert (await ear.submit(store, change)).fault is None
    whole = await store.seen("a", 0, NOW + 60_000)
    await store.close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE seen SET ok = 70000 WHERE span = 60000 AND slot = ?", (minute - 7,))
        db.execute("UPDATE seen SET stalled = -1 WHERE span = 60000 AND slot = ?", (minute - 8,))
        db.execute("UPDATE tasks SET document = '{'")
        db.execute(
            "UPDATE incidents SET document = json_set(document, '$.began', 'x') WHERE id = 1"
        )
    store = SqliteStore(path, lambda: NOW)
    loaded = store.open()
    store.start(ear.settled)
    assert loaded.repaired is not None
    assert (loaded.records, loaded.incidents) == ((record,), ())
    assert await store.incidents("a", 0, NOW + 9, 9) == [over]
    lost = {(minute - 7) * 60_000, (minute - 8) * 60_000}
    assert await store.seen("a", 0, NOW + 60_000) == [each for each in whole if each.at not in lost]
    await store.close()


async def test_a_copy_that_is_put_back_has_the_record(tmp_path: Path) -> None:
    """A backup is the whole state."""
    path, minute = tmp_path / "state.db", NOW // 60_000
    ear, store = Ear(), SqliteStore(path, lambda: NOW)
    store.open()
    store.start(ear.settled)
    record = WatchRecord("a", "node", "node-sync", NOW - 9, NOW, total=Counts(ok=9))
    lasting = Incident(1, "a", "node", "node-sync", 1, NOW, Health.BEHIND)
    tallies = (Tally("a", minute, Counts(ok=50_000)),)
    change = Change(records=(record,), incidents=(lasting,), tallies=tallies)
    assert (await ear.submit(store, change)).fault is None
    await store.backup(str(tmp_path / "copy.db"))
    await store.close()
    again = SqliteStore(tmp_path / "copy.db", lambda: NOW)
    loaded = again.open()
    again.start(ear.settled)
    assert (loaded.records, loaded.incidents, loaded.incident) == ((record,), (lasting,), 1)
    assert [each.counts for each in await again.seen("a", 0, NOW + 1)] == [Counts(ok=50_000)]
    await again.close()
