"""A copy put in the state's place: checked first, whole or not at all, the state before kept."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kaspad_taskd.base import files
from kaspad_taskd.core.record import Change
from kaspad_taskd.store import schema
from kaspad_taskd.store.fault import StoreError
from kaspad_taskd.store.restoring import restore
from kaspad_taskd.store.sqlite import SqliteStore
from tests.store.samples import NOW, Ear, fact, task


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    return tmp_path / "state" / "state.db"


class Opened:
    """A store that runs."""

    def __init__(self, path: Path) -> None:
        self.ear = Ear()
        self.store = SqliteStore(path, lambda: NOW)
        self.loaded = self.store.open()
        self.store.start(self.ear.settled)

    async def put(self, task_id: str) -> None:
        change = Change(put=(task(task_id),), facts=(fact(task_id),))
        assert (await self.ear.submit(self.store, change)).fault is None


async def make(state: Path, copy: Path) -> None:
    """A state with tasks `kept` and `later`; its copy was made before the second."""
    opened = Opened(state)
    await opened.put("kept")
    await opened.store.backup(str(copy))
    await opened.put("later")
    await opened.store.close()


def ids(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return [row[0] for row in db.execute("SELECT id FROM tasks ORDER BY id")]


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def seen(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


async def test_the_copy_is_the_state_and_the_state_before_is_kept(
    state: Path, tmp_path: Path
) -> None:
    """Both can be opened, and what goes on has higher numbers than either told."""
    copy = tmp_path / "copy.db"
    await make(state, copy)
    restored = restore(copy, state, NOW)
    assert (restored.tasks, restored.last) == (1, NOW)
    assert restored.before == state.with_name("state.db.before-20260921T141320Z")
    assert restored.before is not None
    assert ids(restored.before) == ["kept", "later"]
    opened = Opened(state)
    assert [each.id for each in opened.loaded.tasks] == ["kept"]
    assert opened.loaded.seq > 2
    await opened.store.close()
    assert not [name for name in seen(state.parent) if name.endswith((".new", ".new-wal"))]
    assert mode(state) == 0o600


async def test_undone_by_another(state: Path, tmp_path: Path) -> None:
    """What was kept is a copy like any other; two in a second have names of their own."""
    copy = tmp_path / "copy.db"
    await make(state, copy)
    before = restore(copy, state, NOW).before
    assert before is not None
    again = restore(before, state, NOW)
    assert ids(state) == ["kept", "later"]
    assert again.before is not None
    assert again.before.name == f"{before.name}.2"
    assert ids(again.before) == ["kept"]


async def test_what_a_killed_daemon_left_in_its_log_comes_along(
    state: Path, tmp_path: Path
) -> None:
    """In the copy as well as in what is kept: both may be files of a state that was not closed."""
    opened = Opened(state)
    await opened.put("kept")
    killed = tmp_path / "killed" / "state.db"
    shutil.copytree(state.parent, killed.parent)
    await opened.store.close()
    assert killed.with_name("state.db-wal").stat().st_size > 0
    other = tmp_path / "other" / "state.db"
    other.parent.mkdir()
    assert restore(killed, other, NOW).tasks == 1
    assert ids(other) == ["kept"]
    before = restore(state, killed, NOW).before
    assert before is not None
    assert ids(before) == ["kept"]
    assert not killed.with_name("state.db-wal").exists()


async def test_a_log_that_is_not_the_copys_is_left_out(state: Path, tmp_path: Path) -> None:
    """A copy put over the state of a killed daemon by hand has that one's log beside it."""
    copy, killed = tmp_path / "copy.db", tmp_path / "killed" / "state.db"
    await make(tmp_path / "state" / "second.db", copy)
    opened = Opened(state)
    await opened.put("old")
    shutil.copytree(state.parent, killed.parent)
    await opened.store.close()
    shutil.copy(copy, killed)
    restore(killed, state, NOW)
    assert ids(state) == ["kept"]


async def test_a_crash_leaves_one_of_the_two(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the rename the old one with its log, after it the new one, which ignores that."""
    opened = Opened(state)
    await opened.put("old")
    shutil.copytree(state.parent, tmp_path / "killed")
    await opened.store.close()
    killed, copy = tmp_path / "killed" / "state.db", tmp_path / "copy.db"
    await make(tmp_path / "state" / "second.db", copy)

    publish = files.publish

    class Crash(BaseException):
        pass

    def crash(*_: object) -> None:
        raise Crash

    monkeypatch.setattr(files, "publish", crash)
    with pytest.raises(Crash):
        restore(copy, killed, NOW)
    whole = tmp_path / "whole"
    shutil.copytree(killed.parent, whole)
    assert ids(whole / "state.db") == ["old"]

    def publish_and_crash(fresh: Path, path: Path) -> None:
        publish(fresh, path)
        raise Crash

    monkeypatch.setattr(files, "publish", publish_and_crash)
    with pytest.raises(Crash):
        restore(copy, killed, NOW)
    assert killed.with_name("state.db-wal").stat().st_size > 0
    after = Opened(killed)
    assert [each.id for each in after.loaded.tasks] == ["kept"]
    await after.store.close()


async def test_bad_copies_are_refused_and_change_nothing(state: Path, tmp_path: Path) -> None:
    """Each with its own sentence."""
    copy = tmp_path / "copy.db"
    await make(state, copy)
    before = seen(state.parent)
    bad = {
        "none.db": (None, "none.db cannot be read: No such file"),
        "empty.db": (b"", "is no sound state"),
        "text.db": (b"no database " * 500, "is no sound state"),
        "torn.db": (copy.read_bytes()[:-4096], "is no sound state"),
    }
    for name, (content, words) in bad.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(StoreError, match=words):
            restore(tmp_path / name, state, NOW)
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(StoreError, match="cannot be read: it is no file"):
            restore(place, state, NOW)
    with closing(sqlite3.connect(copy)) as db:
        db.execute("PRAGMA user_version = 700")
    with pytest.raises(
        StoreError, match=r"newer kaspad-taskd \(schema 700, .* install that version"
    ):
        restore(copy, state, NOW)
    with closing(sqlite3.connect(copy)) as db:
        db.execute(f"PRAGMA user_version = {len(schema.STEPS)}")
        db.execute("UPDATE tasks SET document = '[]'")
        db.commit()
    with pytest.raises(StoreError, match="a row makes no sense"):
        restore(copy, state, NOW)
    with closing(sqlite3.connect(tmp_path / "other.db")) as db:
        db.execute("CREATE TABLE somebody_elses (a)")
    with pytest.raises(StoreError, match="is no sound state"):
        restore(tmp_path / "other.db", state, NOW)
    assert seen(state.parent) == before


async def test_refused_while_a_daemon_has_it(state: Path, tmp_path: Path) -> None:
    """By its process, with the cure."""
    copy = tmp_path / "copy.db"
    await make(state, copy)
    opened = Opened(state)
    with pytest.raises(StoreError, match=rf"process {os.getpid()}\) uses .*: stop it first"):
        restore(copy, state, NOW)
    await opened.store.close()
    assert ids(state) == ["kept", "later"]


async def test_a_new_host_has_no_state_before(state: Path, tmp_path: Path) -> None:
    """Its directory is enough; a missing one is named."""
    copy, there = tmp_path / "copy.db", tmp_path / "there" / "state.db"
    await make(state, copy)
    with pytest.raises(StoreError, match="there does not exist: make it"):
        restore(copy, there, NOW)
    there.parent.mkdir()
    assert restore(copy, there, NOW).before is None
    assert ids(there) == ["kept"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for another user")
async def test_root_acts_as_the_owner(state: Path, tmp_path: Path) -> None:
    """All is the daemon's user's, though the copy is root's alone; a link leads nowhere."""
    copy, precious = tmp_path / "copy.db", tmp_path / "precious"
    await make(state, copy)
    copy.chmod(0o600)
    precious.write_text("root's")
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == 0 and not path.stat().st_mode & 0o001:
            path.chmod(path.stat().st_mode | 0o011)
    for path in (state.parent, *state.parent.iterdir()):
        os.chown(path, 65534, 65534)
    state.with_name(".state.db.new").symlink_to(precious)
    restore(copy, state, NOW)
    assert {(path.stat().st_uid, path.stat().st_gid) for path in state.parent.iterdir()} == {
        (65534, 65534)
    }
    assert ids(state) == ["kept"]
    assert precious.read_text() == "root's"
    assert (os.geteuid(), os.getegid()) == (0, 0)
