"""The file: steps, copies, and what is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from kaspad_taskd.store import schema
from kaspad_taskd.store.fault import NewerError, StoreError

NOW = len(schema.STEPS)
NEXT_STEP = "ALTER TABLE tasks ADD COLUMN mood TEXT; UPDATE tasks SET mood = 'good'"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def db(path: Path) -> Iterator[sqlite3.Connection]:
    made = schema.connect(path)
    schema.migrate(made, path)
    made.execute("INSERT INTO tasks VALUES ('a', '{}')")
    yield made
    made.close()


def names(path: Path) -> set[str]:
    return {entry.name for entry in path.parent.iterdir()} - {"state.db-wal", "state.db-shm"}


def test_commits_are_durable(db: sqlite3.Connection) -> None:
    """Write-ahead log, synced at each commit."""
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_only_the_owner_reads_the_state(db: sqlite3.Connection, path: Path) -> None:
    """The file and its log."""
    for ending in ("", "-wal", "-shm"):
        assert path.with_name(path.name + ending).stat().st_mode & 0o777 == 0o600


def test_a_new_file_takes_all_steps_without_a_copy(db: sqlite3.Connection, path: Path) -> None:
    """There is nothing to keep."""
    assert schema.version(db) == len(schema.STEPS)
    assert names(path) == {"state.db"}


def test_a_step_keeps_the_data_and_a_copy_of_before(
    db: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the number that it had; the copy can be opened by the older daemon."""
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, NEXT_STEP))
    schema.migrate(db, path)
    assert db.execute("SELECT * FROM tasks").fetchall() == [("a", "{}", "good")]
    before = sqlite3.connect(path.with_name(f"state.db.schema-{NOW}"))
    assert before.execute("SELECT * FROM tasks").fetchall() == [("a", "{}")]
    assert schema.version(before) == NOW
    before.close()
    schema.migrate(db, path)  # nothing is left to do
    assert schema.version(db) == NOW + 1


def test_a_state_without_switches_gets_them(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second step, taken by a file that an older daemon made."""
    with monkeypatch.context() as older:
        older.setattr(schema, "STEPS", schema.STEPS[:1])
        db = schema.connect(path)
        schema.migrate(db, path)
        db.execute("INSERT INTO tasks VALUES ('a', '{}')")
    schema.migrate(db, path)
    assert db.execute("SELECT * FROM switches").fetchall() == []
    assert db.execute("SELECT id FROM tasks").fetchall() == [("a",)]
    db.close()


def test_a_step_that_fails_has_done_nothing(
    db: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction a step: the file is as the step before left it."""
    broken = f"{NEXT_STEP}; INSERT INTO no_such_table VALUES (1)"
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, broken))
    with pytest.raises(StoreError, match=f"the step to schema {NOW + 1} failed"):
        schema.migrate(db, path)
    assert schema.version(db) == NOW
    assert db.execute("SELECT * FROM tasks").fetchall() == [("a", "{}")]


def test_a_newer_file_is_refused_with_its_cure(db: sqlite3.Connection, path: Path) -> None:
    """By number, and with the newest copy from before that is there and can be read here."""
    db.execute("PRAGMA user_version = 700")

    def said() -> str:
        with pytest.raises(NewerError, match=rf"schema 700, .* knows {NOW}: ") as refusal:
            schema.refuse_newer(db, path)
        return str(refusal.value)

    assert f"kaspad-taskd restore FILE (there is no {path}.schema-{NOW})" in said()
    for number in (NOW + 1, 1, NOW):  # the first one it cannot read, either
        path.with_name(f"state.db.schema-{number}").touch()
        assert said().endswith(f"restore {path}.schema-{number}") is (number <= NOW)


def test_a_copy_is_whole_marked_and_private(db: sqlite3.Connection, path: Path) -> None:
    """One file, without a log beside it, in the place of an older one."""
    target = path.with_name("copy.db")
    target.write_text("older")
    schema.copy(db, target)
    copied = sqlite3.connect(target)
    assert copied.execute("SELECT id FROM tasks").fetchall() == [("a",)]
    assert copied.execute("SELECT value FROM meta WHERE key = 'leap'").fetchone() == (1,)
    copied.close()
    assert target.stat().st_mode & 0o777 == 0o600
    assert names(path) == {"state.db", "copy.db"}


def test_a_copy_that_fails_leaves_nothing(db: sqlite3.Connection, path: Path) -> None:
    """Here the database cannot be copied from within a transaction."""
    db.execute("BEGIN")
    with pytest.raises(sqlite3.Error):
        schema.copy(db, path.with_name("copy.db"))
    assert names(path) == {"state.db"}


def test_a_strangers_log_is_not_played_into_a_copy(db: sqlite3.Connection, path: Path) -> None:
    """A copy put in the place of a killed daemon's state finds that one's log beside it."""
    copy = path.with_name("copy.db")
    schema.copy(db, copy)
    db.execute("UPDATE tasks SET document = 'newer'")
    log = path.with_name("state.db-wal").read_bytes()
    assert log
    db.close()
    copy.rename(path)
    path.with_name("state.db-wal").write_bytes(log)
    again = schema.connect(path)
    assert again.execute("SELECT document FROM tasks").fetchall() == [("{}",)]
    schema.check(again)
    again.close()


def test_a_state_that_knows_watches_is_refused_by_who_knows_none(path: Path) -> None:
    """A task may say "behind", which a daemon of three steps could not read."""
    db = schema.connect(path)
    schema.migrate(db, path)
    db.close()
    with pytest.MonkeyPatch.context() as older:
        older.setattr(schema, "STEPS", schema.STEPS[:3])
        again = schema.connect(path)
        with pytest.raises(StoreError, match=f"schema {NOW}, this kaspad-taskd knows 3"):
            schema.refuse_newer(again, path)
        again.close()


def test_a_state_with_a_record_is_refused_by_who_keeps_none(path: Path) -> None:
    """It says what to do, and the state before the step is kept beside it, to go back to."""
    with pytest.MonkeyPatch.context() as older:
        older.setattr(schema, "STEPS", schema.STEPS[:4])
        db = schema.connect(path)
        schema.migrate(db, path)
        db.close()
    db = schema.connect(path)
    schema.migrate(db, path)
    assert db.execute("SELECT * FROM seen").fetchall() == []
    db.close()
    before = path.with_name(f"{path.name}.schema-4")
    with pytest.MonkeyPatch.context() as older:
        older.setattr(schema, "STEPS", schema.STEPS[:4])
        again = schema.connect(path)
        with pytest.raises(StoreError) as refused:
            schema.refuse_newer(again, path)
        again.close()
        assert f"has schema {NOW}, this kaspad-taskd knows 4" in str(refused.value)
        assert f"kaspad-taskd restore {before}" in str(refused.value)
        kept = schema.connect(before)
        schema.refuse_newer(kept, before)
        schema.check(kept)
        kept.close()
