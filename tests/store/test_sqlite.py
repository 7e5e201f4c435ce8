"""The file's own: damage, a second daemon, faults of the disk, copies."""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from kaspad_taskd.core.model import Live
from kaspad_taskd.core.record import Change, Loaded
from kaspad_taskd.store import rows, schema, sqlite
from kaspad_taskd.store.fault import StoreError
from kaspad_taskd.store.sqlite import SqliteStore
from tests.store.samples import NOW, Ear, fact, point, task


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


class Opened:
    """A store that is open and hears."""

    def __init__(self, path: Path) -> None:
        self.ear = Ear()
        self.store = SqliteStore(path, lambda: NOW)
        self.loaded = self.store.open()
        self.store.start(self.ear.settled)

    async def fault(self, change: Change) -> str | None:
        return (await self.ear.submit(self.store, change)).fault

    @property
    def db(self) -> sqlite3.Connection:
        """The writer's connection, to play a disk that fails."""
        assert self.store._db is not None
        return self.store._db


@pytest.fixture
async def opened(path: Path) -> AsyncIterator[Opened]:
    made = Opened(path)
    yield made
    await made.store.close()


async def fill(path: Path) -> None:
    """A state with two tasks and 50 events."""
    made = Opened(path)
    tasks = (task("a", number=1), task("b", number=2))
    points = tuple(point(NOW - n * 60_000) for n in range(60))
    change = Change(
        put=tasks, facts=tuple(fact(n=n) for n in range(50)), points=points, cursors={"r": 50}
    )
    assert await made.fault(change) is None
    await made.store.close()


async def look_into(path: Path) -> Loaded:
    """Open, see that a change is taken, close."""
    made = Opened(path)
    assert await made.fault(Change(facts=(fact(),))) is None
    assert [event.seq for event in await made.store.events(made.loaded.seq, 9)] == [
        made.loaded.seq + 1
    ]
    await made.store.close()
    return made.loaded


async def test_a_second_daemon_is_refused(opened: Opened, path: Path) -> None:
    """While the first is open; and the first does not notice."""
    second = SqliteStore(path, lambda: NOW)
    with pytest.raises(StoreError, match="another kaspad-taskd"):
        second.open()
    assert await opened.fault(Change(facts=(fact(),))) is None


async def test_a_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    """It is neither moved aside nor changed, and the lock is free again."""
    await fill(path)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="has schema 99"):
        SqliteStore(path, lambda: NOW).open()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 1")
    db.close()
    assert len((await look_into(path)).tasks) == 2


async def test_an_older_schema_is_brought_up_to_date(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its tasks and its numbers; a copy of before stays beside it."""
    await fill(path)
    before, step = len(schema.STEPS), "CREATE TABLE moods (id TEXT)"
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, step))
    loaded = await look_into(path)
    assert ([each.id for each in loaded.tasks], loaded.seq) == (["a", "b"], 50)
    assert path.with_name(f"state.db.schema-{before}").exists()


async def test_a_long_start_asks_for_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Again and again while a step works; never when it is quick."""
    await fill(path)
    asked: list[float] = []
    monkeypatch.setattr(sqlite, "time", SimpleNamespace(monotonic=lambda: 0.0))
    quick = SqliteStore(path, lambda: NOW, asked.append)
    quick.open()
    await quick.close()
    assert asked == []
    ticks = iter(range(0, 10**6, 2))  # each look at the clock is 2 s later
    monkeypatch.setattr(sqlite, "time", SimpleNamespace(monotonic=lambda: float(next(ticks))))
    count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
    step = f"CREATE TABLE moods AS {count} SELECT i FROM n"
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, step))
    slow = SqliteStore(path, lambda: NOW, asked.append)
    slow.open()
    await slow.close()
    assert len(asked) > 1
    assert set(asked) == {sqlite.EXTENSION}


def damage(path: Path, dice: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(dice.choice((1, 8, 64, 512))):
        content[dice.randrange(len(content))] = dice.randrange(256)
    content[60:64] = bytes((0, 0, 0, 1))  # else it may say that it is newer, and is refused
    path.write_bytes(content)


def told(loaded: Loaded) -> str:
    """Why something was mended."""
    assert loaded.repaired is not None
    return loaded.repaired.why


@pytest.mark.parametrize("content", [b"no database" * 500, b"SQLite format 3\x00", b"\x00" * 8192])
async def test_garbage_is_moved_aside_and_said(path: Path, content: bytes) -> None:
    """Whole, under a name that says when; the new one's numbers are beyond the old one's.

    Its tasks are what the second record says.
    """
    await fill(path)
    await asyncio.to_thread(path.write_bytes, content)
    loaded = await look_into(path)
    (aside,) = path.parent.glob("state.db.corrupt-2026*")
    assert aside.read_bytes() == content
    assert loaded.repaired is not None
    assert loaded.repaired.aside == str(aside)
    assert (loaded.repaired.tasks, loaded.repaired.copied, loaded.repaired.events) == (2, 2, 0)
    assert [each.id for each in loaded.tasks] == ["a", "b"]
    assert (loaded.seq, loaded.oldest) == (NOW, NOW + 1)


@pytest.mark.parametrize("seed", range(25))
async def test_random_damage_never_stops_a_start(path: Path, seed: int) -> None:
    """It is found and the file moved aside, or it hit nothing that matters; then all goes on."""
    await fill(path)
    damage(path, random.Random(seed))
    loaded = await look_into(path)
    assert [each.id for each in loaded.tasks] == ["a", "b"]
    assert loaded.seq == (50 if loaded.repaired is None else NOW)


async def test_a_row_that_makes_no_sense_is_damage(path: Path) -> None:
    """Though the file is sound for SQLite."""
    await fill(path)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE tasks SET document = replace(document, 'pending', 'pendin!')")
    db.close()
    loaded = await look_into(path)
    assert "makes no sense" in told(loaded)
    assert [each.id for each in loaded.tasks] == ["a", "b"]
    assert loaded.seq - loaded.oldest == 49  # no event was lost


async def test_tables_without_a_schema_number_are_damage(path: Path) -> None:
    """They cannot be brought up to date; the daemon starts all the same."""
    await fill(path)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 0")
    db.close()
    assert "schema 0 with" in told(await look_into(path))


async def test_a_state_that_was_deleted_goes_on_at_higher_numbers(path: Path) -> None:
    """The lock file beside it tells that there was one; clients may remember its numbers."""
    await fill(path)
    await asyncio.to_thread(path.unlink)
    path.with_name("state.db.statuses").unlink()
    loaded = await look_into(path)
    assert (loaded.repaired, loaded.tasks, loaded.seq) == (None, (), NOW)


async def test_a_state_that_was_deleted_comes_back_from_the_second_record(path: Path) -> None:
    """Tasks and decisions; events are lost, and it is said."""
    await fill(path)
    await asyncio.to_thread(path.unlink)
    loaded = await look_into(path)
    assert told(loaded) == "it was not there"
    assert [each.id for each in loaded.tasks] == ["a", "b"]
    assert (loaded.seq, loaded.oldest, loaded.cursors) == (NOW, NOW + 1, {"r": NOW})


async def test_a_kill_during_a_repair_does_not_lose_the_leap(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new file is marked from its first transaction on."""
    await fill(path)
    await asyncio.to_thread(path.write_bytes, b"no database")
    with monkeypatch.context() as patch:
        patch.setattr(rows.Rows, "leap", raise_interrupt)
        with pytest.raises(KeyboardInterrupt):
            SqliteStore(path, lambda: NOW).open()
    assert (await look_into(path)).seq == NOW


def raise_interrupt(self: rows.Rows, now: int) -> None:
    raise KeyboardInterrupt


async def test_a_copy_goes_on_at_higher_numbers_once(opened: Opened, path: Path) -> None:
    """With tasks, story and cursors; afterwards it is a state like any other."""
    change = Change(put=(task("a"),), facts=(fact(n=1), fact(n=2)), cursors={"r": 1})
    assert await opened.fault(change) is None
    copy = path.with_name("copy.db")
    await opened.store.backup(str(copy))
    assert await opened.fault(Change(facts=(fact(n=3),))) is None
    await opened.store.close()
    copy.rename(path)
    loaded = await look_into(path)
    assert ([each.id for each in loaded.tasks], loaded.seq) == (["a"], NOW)
    assert (loaded.oldest, loaded.cursors) == (NOW - 1, {"r": NOW - 1})
    assert (await look_into(path)).seq == NOW + 1


async def test_a_copy_can_be_made_while_changes_are(opened: Opened, path: Path) -> None:
    """It is of one moment: as many events as the task's revision says."""
    copy = path.with_name("copy.db")
    backup = asyncio.create_task(opened.store.backup(str(copy)))
    for n in range(1, 200):
        assert await opened.fault(Change(put=(task("a", revision=n),), facts=(fact(),))) is None
    await backup
    loaded = await look_into(copy)
    seen = sum(1 for _ in range(loaded.oldest, loaded.seq + 1))
    assert seen == (loaded.tasks[0].revision if loaded.tasks else 0)


async def test_a_copy_never_replaces_the_state(opened: Opened, path: Path) -> None:
    """Not by another spelling either; another place that cannot be is named."""
    (path.parent / "link").symlink_to(path)
    for name in ("state.db", "x/../state.db", "link"):
        (path.parent / "x").mkdir(exist_ok=True)
        with pytest.raises(StoreError, match="is the state itself"):
            await opened.store.backup(str(path.parent / name))
    with pytest.raises(StoreError, match="nowhere"):
        await opened.store.backup(str(path.parent / "nowhere" / "copy.db"))


async def test_a_full_disk_refuses_changes_until_there_is_space(opened: Opened) -> None:
    """Nothing is lost, nothing half made, no number used; reads go on, no restart is needed."""
    assert await opened.fault(Change(put=(task("a"),), facts=(fact(),))) is None
    opened.db.execute("PRAGMA max_page_count = 1")  # SQLite then says what it says of a full disk
    big = Change(put=tuple(task(f"t{n}") for n in range(100)), facts=(fact(),))
    said = await opened.fault(big)
    assert said is not None
    assert "is full: free space" in said
    assert [event.seq for event in await opened.store.events(0, 9)] == [1]
    opened.db.execute("PRAGMA max_page_count = 1000000")
    outcome = await opened.ear.submit(opened.store, big)
    assert [event.seq for event in outcome.events] == [2]


async def test_a_read_only_disk_is_named(opened: Opened) -> None:
    """And taken back into use when it can be written again."""
    opened.db.execute("PRAGMA query_only = 1")
    assert "is read-only" in (await opened.fault(Change(facts=(fact(),))) or "")
    opened.db.execute("PRAGMA query_only = 0")
    assert await opened.fault(Change(facts=(fact(),))) is None


async def test_another_programs_lock_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while of patience; it takes nothing but the changes of that time."""
    monkeypatch.setattr(schema, "LOCK_PATIENCE", 0.01)
    opened = Opened(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert "is locked: close the program" in (await opened.fault(Change(facts=(fact(),))) or "")
    other.execute("ROLLBACK")
    other.close()
    assert await opened.fault(Change(facts=(fact(),))) is None
    await opened.store.close()


async def test_our_own_fault_is_logged(opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    """A value that cannot be stored: the caller hears a sentence, the log has the traceback."""
    with caplog.at_level(logging.ERROR):
        said = await opened.fault(Change(put=(task(live=Live(memory={"x": object()})),)))
    assert "cannot be stored (TypeError" in (said or "")
    assert caplog.records[0].exc_info is not None


async def test_a_damaged_event_is_an_error_of_the_read_alone(opened: Opened, path: Path) -> None:
    """The sentence has the cure; changes are still taken."""
    assert await opened.fault(Change(facts=(fact(),))) is None
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE journal SET document = '{'")
    with pytest.raises(StoreError, match="is damaged: restart"):
        await opened.store.events(0, 9)
    assert await opened.fault(Change(facts=(fact(),))) is None


async def test_events_are_pruned_behind_the_commits(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the writer itself, and `oldest` tells."""
    monkeypatch.setattr(rows, "JOURNAL_EVENTS", 100)
    for _ in range(6):
        assert await opened.fault(Change(facts=(fact(),) * 100)) is None
    await opened.store.close()
    assert opened.store.oldest > 100
    assert opened.store.oldest <= 501  # never into the newest 100


async def test_a_failed_bite_does_not_stop_the_writer(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said and tried again later."""

    def fail(self: rows.Rows) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(rows.Rows, "prune", fail)
    monkeypatch.setattr(sqlite, "PRUNE_AFTER", 1)
    for _ in range(3):
        assert await opened.fault(Change(facts=(fact(),))) is None
    await opened.store.close()
    assert "nothing pruned" in caplog.text


async def test_a_state_that_nobody_started_can_be_closed(path: Path) -> None:
    """A daemon that fails between open and start leaves the lock free."""
    store = SqliteStore(path, lambda: NOW)
    store.open()
    await store.close()
    await look_into(path)
