"""Real disks: full, and not writable."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kaspad_taskd.core.record import Change
from kaspad_taskd.store.sqlite import SqliteStore
from tests.store.samples import NOW, Ear, fact, task

ROOT = Path(__file__).parents[2]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    if shutil.which("mount") is None:
        pytest.skip("no mount here: a bare Debian 13 has none (apt install mount)")
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def fill_up(disk: Path) -> Path:
    filler = disk / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(b"x" * 2**20)
    return filler


@pytest.mark.system
async def test_a_full_disk_is_said_and_forgiven(small_disk: Path) -> None:
    """Changes are refused whole while it is full, reads go on; with space all is as before."""
    ear, store = Ear(), SqliteStore(small_disk / "state.db", lambda: NOW)
    store.open()
    store.start(ear.settled)
    one = Change(put=tuple(task(f"t{n}") for n in range(20)), facts=(fact(),))
    assert (await ear.submit(store, one)).fault is None
    filler = fill_up(small_disk)
    refused = [await ear.submit(store, one) for _ in range(20)]
    said = refused[-1].fault or ""
    assert f"the disk of {small_disk} is full" in said
    taken = sum(outcome.fault is None for outcome in refused)  # into blocks that it had already
    assert len(await store.events(0, 99)) == 1 + taken
    filler.unlink()
    outcome = await ear.submit(store, one)
    assert [event.seq for event in outcome.events] == [2 + taken]
    await store.close()

    again = SqliteStore(small_disk / "state.db", lambda: NOW)
    loaded = again.open()
    assert (loaded.seq, len(loaded.tasks), loaded.repaired) == (2 + taken, 20, None)
    await again.close()


OPEN = """
import os, sys
from pathlib import Path
from kaspad_taskd.store.fault import StoreError
from kaspad_taskd.store.sqlite import SqliteStore
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    print(SqliteStore(Path(sys.argv[1]), lambda: 0).open().problem)
except StoreError as error:
    print(error)
"""


def opened_by_nobody(state: Path) -> str:
    """What a daemon says that runs as a user without rights."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN, str(state)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


@pytest.fixture
def open_path(tmp_path: Path) -> Path:
    """A directory that another user can reach."""
    for parent in (tmp_path, *tmp_path.parents):
        if parent.owner() == "root" and parent.name.startswith(("pytest", "popen", "test")):
            parent.chmod(0o755)
    return tmp_path


@pytest.mark.system
def test_a_directory_without_write_access_is_named(open_path: Path) -> None:
    """Nothing is made in it, and what can be read is served."""
    open_path.chmod(0o555)
    said = opened_by_nobody(open_path / "state.db")
    open_path.chmod(0o755)
    assert f"{open_path} is read-only: make it writable for the daemon's user" in said
    assert list(open_path.iterdir()) == []


@pytest.mark.system
def test_a_state_of_another_user_is_named(open_path: Path) -> None:
    """As after a run as root: the cure is to give the file to the daemon's user."""
    if os.geteuid() != 0:
        pytest.skip("only root can make another user's file")
    state = open_path / "state.db"
    state.write_bytes(b"")
    state.chmod(0o600)
    open_path.chmod(0o777)
    assert f"{state}: [Errno 13] Permission denied" in opened_by_nobody(state)
