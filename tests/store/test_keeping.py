"""A state that is removed, renamed, replaced or covered while it is open: noticed, mended, told."""

# ruff: noqa: ASYNC221, ASYNC240 - a test may block

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.core.record import Change
from kaspad_taskd.store import rows, schema, sqlite
from kaspad_taskd.store.lock import HeldError, Lock
from kaspad_taskd.store.sqlite import SqliteStore
from tests.fakes.patience import once
from tests.store.samples import NOW, Ear, fact, task


class Opened:
    """A store that runs, with two acknowledged events."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ear = Ear()
        self.store = SqliteStore(path, lambda: NOW)
        self.loaded = self.store.open()
        self.store.start(self.ear.settled)
        self.told = 0

    async def change(self) -> str | None:
        """Make a change; None: it is acknowledged."""
        change = Change(put=(task(f"t{self.told}"),), facts=(fact(n=self.told),))
        fault = (await self.ear.submit(self.store, change)).fault
        self.told += fault is None
        return fault

    async def changed(self) -> None:
        """A change is taken, sooner or later."""
        while await self.change() is not None:
            pass

    async def tells(self) -> list[int]:
        return [event.seq for event in await self.store.events(0, 99)]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    (tmp_path / "state").mkdir()
    made = Opened(tmp_path / "state" / "state.db")
    await made.changed()
    await made.changed()
    yield made
    await made.store.close()


def on_disk(path: Path) -> tuple[list[int], int]:
    """What a new start would find: events, tasks."""
    with closing(sqlite3.connect(path)) as db:
        seqs = [seq for (seq,) in db.execute("SELECT seq FROM journal ORDER BY seq")]
        return seqs, db.execute("SELECT count(*) FROM tasks").fetchone()[0]


def remove(path: Path) -> None:
    path.unlink()


def rename(path: Path) -> None:
    path.rename(path.with_name("mine"))


def remove_all(path: Path) -> None:
    for each in path.parent.iterdir():
        each.unlink()


def remove_with_log(path: Path) -> None:
    for each in ("", "-wal", "-shm"):
        path.with_name(path.name + each).unlink()


@pytest.mark.parametrize("harm", [remove, rename, remove_all, remove_with_log])
async def test_a_state_that_was_removed_is_written_anew(
    opened: Opened, harm: Callable[[Path], None]
) -> None:
    """With all that was acknowledged, under another identity; nothing is refused for long."""
    harm(opened.path)
    await once(opened.path.exists)
    await opened.changed()
    assert (opened.store.trouble, opened.store.healed) == (None, 1)
    assert [code for code, _ in opened.store.notices()] == ["state-recreated"]
    assert opened.store.journal != opened.loaded.journal
    assert await opened.tells() == [1, 2, 3]
    assert on_disk(opened.path) == ([1, 2, 3], 3)
    with pytest.raises(HeldError):
        Lock(opened.path).take()
    await opened.store.close()
    again = Opened(opened.path)
    assert (again.loaded.repaired, again.loaded.seq, len(again.loaded.tasks)) == (None, 3, 3)
    assert again.loaded.journal == opened.store.journal
    await again.store.close()


async def test_a_change_is_not_believed_while_the_state_is_gone(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused with a sentence, or it is in the file: never acknowledged and lost."""
    for _ in range(20):
        opened.path.unlink(missing_ok=True)
        fault = await opened.change()
        if fault is not None:
            assert "was removed" in fault
    await opened.changed()
    assert on_disk(opened.path) == (list(range(1, opened.told + 1)), opened.told)


@pytest.mark.parametrize("ending", ["-wal", "-shm"])
async def test_a_log_that_was_removed_costs_nothing(opened: Opened, ending: str) -> None:
    """What only it had goes into the file, and a new one is begun."""
    beside = opened.path.with_name(opened.path.name + ending)
    beside.unlink()
    await once(beside.exists)
    await opened.changed()
    await opened.changed()
    assert on_disk(opened.path) == ([1, 2, 3, 4], 4)
    assert opened.store.journal == opened.loaded.journal


def once_before(
    monkeypatch: pytest.MonkeyPatch, place: Any, name: str, harm: Callable[[], object]
) -> None:
    """Let something happen just before a function is called for the first time."""
    real = getattr(place, name)

    def between(*given: Any, **more: Any) -> Any:
        monkeypatch.setattr(place, name, real)
        harm()
        return real(*given, **more)

    monkeypatch.setattr(place, name, between)


@pytest.mark.parametrize("name", ["end_log", "connect", "_try_to_write", "connect_reader"])
@pytest.mark.parametrize("ending", ["-wal", "-shm"])
async def test_a_state_that_goes_while_its_log_is_begun_is_kept(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, ending: str, name: str
) -> None:
    """Who removes its files one by one may take the log first, and the state amid the mending."""
    once_before(monkeypatch, schema, name, lambda: remove_all(opened.path))
    opened.path.with_name(opened.path.name + ending).unlink()
    await once(lambda: getattr(schema, name).__name__ != "between")
    await opened.changed()
    assert await opened.tells() == [1, 2, 3]
    assert on_disk(opened.path) == ([1, 2, 3], 3)


@pytest.mark.parametrize("name", ["end_log", "connect", "_try_to_write", "connect_reader"])
async def test_a_state_that_goes_while_it_is_written_anew_is_kept(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What was open is let go only when the other is open."""
    once_before(monkeypatch, schema, name, lambda: remove_all(opened.path))
    opened.path.unlink()
    await once(lambda: getattr(schema, name).__name__ != "between")
    await opened.changed()
    assert await opened.tells() == [1, 2, 3]
    assert on_disk(opened.path) == ([1, 2, 3], 3)


async def test_a_change_that_cannot_be_brought_home_is_not_acknowledged(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state goes while a change is committed, and the disk takes no other: it waits."""
    commit = rows.Rows.commit

    def amid(*given: Any) -> Any:
        done = commit(*given)
        opened.path.unlink()
        return done

    with monkeypatch.context() as patch:
        patch.setattr(rows.Rows, "commit", amid)
        patch.setattr(os, "link", no_space)
        waiting = asyncio.ensure_future(opened.change())
        await once(lambda: "No space" in (opened.store.trouble or ""))
        assert not waiting.done()
    assert await waiting is None
    assert on_disk(opened.path) == ([1, 2, 3], 3)
    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "HOME_PATIENCE", 0.2)
        patch.setattr(rows.Rows, "commit", amid)
        patch.setattr(os, "link", no_space)
        fault = await opened.change()
        assert fault is not None
        assert "was removed" in fault
    await once(lambda: opened.store.trouble is None)


async def test_another_file_is_left_alone_and_both_are_named(opened: Opened) -> None:
    """What was acknowledged has a name beside it; when the place is free again, it goes on."""
    other = opened.path.with_name("other")
    other.write_bytes(b"somebody's")
    other.rename(opened.path)
    await once(lambda: "saved is in" in (opened.store.trouble or ""))
    fault = await opened.change()
    assert fault is not None
    assert "is left alone" in fault
    ((code, params),) = opened.store.notices()
    assert (code, params["path"]) == ("state-replaced", str(opened.path))
    assert on_disk(Path(params["copy"])) == ([1, 2], 2)
    assert opened.path.read_bytes() == b"somebody's"
    assert await opened.tells() == [1, 2]
    opened.path.unlink()
    await once(opened.path.exists)
    await opened.changed()
    assert on_disk(opened.path) == ([1, 2, 3], 3)
    assert not Path(params["copy"]).exists()


async def test_another_directory_is_never_written_into(opened: Opened) -> None:
    """The one that was opened may come back, and all goes on."""
    where = opened.path.parent
    where.rename(where.with_name("moved"))
    where.mkdir()
    await once(lambda: opened.store.trouble)
    fault = await opened.change()
    assert fault is not None
    assert "not the directory that was opened" in fault
    assert list(where.iterdir()) == []
    where.rmdir()
    where.with_name("moved").rename(where)
    await once(lambda: opened.store.trouble is None)
    await opened.changed()
    assert on_disk(opened.path) == ([1, 2, 3], 3)


async def test_a_lock_of_somebody_else_is_noticed(opened: Opened) -> None:
    """Two would write one file; the one that came first refuses until the other is gone."""
    opened.path.with_name("state.db.lock").unlink()
    opened.path.with_name("state.db.lock").write_text("1\n")
    await once(lambda: opened.store.trouble)
    assert "has taken the lock" in (await opened.change() or "")
    opened.path.with_name("state.db.lock").unlink()
    await once(lambda: opened.store.trouble is None)
    await opened.changed()
    with pytest.raises(HeldError):
        Lock(opened.path).take()


@pytest.mark.system
async def test_a_mount_over_the_state_is_noticed(opened: Opened, tmp_path: Path) -> None:
    """Over the file: another file. Over the directory: another directory. Below, all stays."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount, and mount has to be there")
    for target, said in ((opened.path, "left alone"), (opened.path.parent, "not the directory")):
        source = tmp_path / f"source-{target.name}"
        source.write_bytes(b"") if target.is_file() else source.mkdir()
        mount = ["mount", "--bind", str(source), str(target)]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            pytest.skip("this machine lets nobody mount")
        try:
            await once(lambda: opened.store.trouble)
            assert said in (await opened.change() or "")
        finally:
            subprocess.run(["umount", str(target)], check=True)
        await once(lambda: opened.store.trouble is None)
        await opened.changed()
    assert on_disk(opened.path) == ([1, 2, 3, 4], 4)


async def test_a_full_disk_is_tried_again(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written anew now is still there, and is written later."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", no_space)
        opened.path.unlink()
        await once(lambda: "No space" in (opened.store.trouble or ""))
        assert await opened.change() is not None
        assert await opened.tells() == [1, 2]
    await opened.changed()
    assert on_disk(opened.path) == ([1, 2, 3], 3)


def no_space(*_: object) -> None:
    raise OSError(28, "No space left on device")
