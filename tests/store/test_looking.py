"""A state that can be read and not written at a start: looks and reads go on, changes wait."""

# ruff: noqa: ASYNC220, ASYNC240 - a test may block

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kaspad_taskd.core.record import Change, Decision
from kaspad_taskd.store import schema, sqlite
from kaspad_taskd.store.lock import HeldError
from kaspad_taskd.store.sqlite import SqliteStore
from tests.fakes.patience import once
from tests.store.samples import NOW, Ear, fact, point, task


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "TRY_EVERY", 0.1)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of 2 MiB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount, and mount has to be there")
    where = tmp_path / "disk"
    where.mkdir()
    if run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(where)) != 0:
        pytest.skip("this machine lets nobody mount")
    yield where
    subprocess.run(["umount", str(where)], check=True)


def run(*command: str) -> int:
    return subprocess.run(command, capture_output=True, check=False).returncode


class Opened:
    """A store that runs."""

    def __init__(self, path: Path) -> None:
        self.ear = Ear()
        self.store = SqliteStore(path, lambda: NOW)
        self.loaded = self.store.open()
        self.store.start(self.ear.settled)

    async def change(self) -> str | None:
        return (await self.ear.submit(self.store, Change(facts=(fact(),)))).fault

    async def tells(self) -> list[int]:
        return [event.seq for event in await self.store.events(0, 99)]


async def fill(path: Path, *, kill: bool) -> None:
    """Two tasks, three events, a decision; killed, its log has all of them."""
    made = Opened(path)
    change = Change(
        put=(task("a", number=1), task("b", number=2)),
        facts=(fact(n=1), fact(n=2), fact(n=3)),
        points=(point(NOW - 60_000),),
        decisions=(Decision(0, NOW, "wait", {}),),
    )
    assert (await made.ear.submit(made.store, change)).fault is None
    if kill:
        saved = path.parent.parent / "saved"
        shutil.copytree(path.parent, saved)
    await made.store.close()
    if kill:
        for each in saved.iterdir():
            shutil.copy(each, path.parent / each.name)
        shutil.rmtree(saved)


async def serves(opened: Opened, said: str) -> None:
    """It has all, and refuses changes with the reason."""
    assert said in (opened.loaded.problem or "")
    assert said in (opened.store.trouble or "")
    assert [each.id for each in opened.loaded.tasks] == ["a", "b"]
    assert await opened.tells() == [1, 2, 3]
    assert [each.decision for each in await opened.store.decisions()] == ["wait"]
    assert len(await opened.store.history("a", 0, NOW)) == 1
    assert said in (await opened.change() or "")


@pytest.mark.system
@pytest.mark.parametrize("kill", [False, True])
async def test_a_read_only_disk_is_served_and_taken_back(disk: Path, kill: bool) -> None:
    """Nothing on it is touched; as soon as it can be written, changes are taken."""
    path = disk / "state.db"
    await fill(path, kill=kill)
    assert run("mount", "-o", "remount,ro", str(disk)) == 0
    before = {each.name: each.read_bytes() for each in disk.iterdir()}
    opened = Opened(path)
    await serves(opened, f"{disk} is read-only")
    assert {each.name: each.read_bytes() for each in disk.iterdir()} == before
    with pytest.raises(HeldError):
        SqliteStore(path, lambda: NOW).open()
    assert run("mount", "-o", "remount,rw", str(disk)) == 0
    await once(lambda: opened.store.trouble is None)
    assert await opened.change() is None
    assert await opened.tells() == [1, 2, 3, 4]
    await opened.store.close()
    again = Opened(path)
    assert (again.loaded.seq, again.loaded.problem, again.loaded.repaired) == (4, None, None)
    await again.store.close()


@pytest.mark.system
async def test_a_full_disk_is_served_at_a_start_and_taken_back(disk: Path) -> None:
    """There is no room for a log; with room, changes are taken."""
    path = disk / "state.db"
    await fill(path, kill=False)
    filler = disk / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(b"x" * 2**21)
    opened = Opened(path)
    if opened.loaded.problem is None:  # the last block had room for it
        assert await opened.change() is not None
    else:
        await serves(opened, "")
    filler.unlink()
    await once(lambda: opened.store.trouble is None)
    assert await opened.change() is None
    await opened.store.close()


@pytest.mark.system
async def test_an_older_and_a_damaged_state_are_served_too(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Brought up to date, or mended, in memory."""
    path = disk / "state.db"
    await fill(path, kill=False)
    assert run("mount", "-o", "remount,ro", str(disk)) == 0
    with monkeypatch.context() as patch:
        patch.setattr(schema, "STEPS", (*schema.STEPS, "CREATE TABLE moods (id TEXT)"))
        opened = Opened(path)
        await serves(opened, "read-only")
        await opened.store.close()
    assert run("mount", "-o", "remount,rw", str(disk)) == 0
    content = path.read_bytes()
    path.write_bytes(bytes(100) + content[100:])
    assert run("mount", "-o", "remount,ro", str(disk)) == 0
    opened = Opened(path)
    assert [each.id for each in opened.loaded.tasks] == ["a", "b"]
    assert opened.loaded.repaired is not None
    assert opened.loaded.repaired.events == 3
    assert "read-only" in (await opened.change() or "")
    assert run("mount", "-o", "remount,rw", str(disk)) == 0
    await opened.store.close()


@pytest.mark.system
async def test_an_empty_place_that_takes_nothing_is_served(disk: Path) -> None:
    """There is nothing to read yet; later it is a state like any other."""
    assert run("mount", "-o", "remount,ro", str(disk)) == 0
    opened = Opened(disk / "state.db")
    assert opened.loaded.tasks == ()
    assert "read-only" in (await opened.change() or "")
    assert run("mount", "-o", "remount,rw", str(disk)) == 0
    await once(lambda: opened.store.trouble is None)
    assert await opened.change() is None
    assert opened.store.journal
    await opened.store.close()


AS_NOBODY = """
import asyncio, os, sys
from pathlib import Path
from kaspad_taskd.core.record import Change
from kaspad_taskd.store import sqlite
from kaspad_taskd.store.sqlite import SqliteStore
from tests.store.samples import NOW, fact
from tests.store.test_looking import Opened
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
sqlite.TRY_EVERY = 0.1

async def main(path):
    opened = Opened(path)
    print(opened.loaded.problem, flush=True)
    print(len(opened.loaded.tasks), await opened.tells(), flush=True)
    print(await opened.change() is not None, flush=True)
    sys.stdin.readline()
    while await opened.change() is not None:
        pass
    print(await opened.tells(), flush=True)
    await opened.store.close()

asyncio.run(main(Path(sys.argv[1])))
"""


def close_directory(path: Path) -> None:
    path.parent.chmod(0o555)


def close_file(path: Path) -> None:
    path.chmod(0o400)


@pytest.mark.system
@pytest.mark.parametrize("close", [close_directory, close_file])
async def test_a_plain_user_is_served_what_may_be_read(
    tmp_path: Path, close: Callable[[Path], None]
) -> None:
    """With the rights taken from directory or file; given back, changes are taken."""
    path = tmp_path / "state" / "state.db"
    path.parent.mkdir()
    await fill(path, kill=False)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.owner() == "root" and parent.name.startswith(("pytest", "popen", "test")):
            parent.chmod(0o755)
    if os.geteuid() == 0:
        for each in (path.parent, *path.parent.iterdir()):
            os.chown(each, 65534, 65534)
    close(path)

    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", AS_NOBODY, str(path)], cwd=root, text=True,
        env={"PYTHONPATH": str(root)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        assert "make it writable for the daemon's user" in process.stdout.readline()
        assert process.stdout.readline() == "2 [1, 2, 3]\n"
        assert process.stdout.readline() == "True\n"
        path.parent.chmod(0o755)
        path.chmod(0o600)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "[1, 2, 3, 4]\n"
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait(60)
        process.stdout.close()
        process.stdin.close()
