"""One daemon per state."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kaspad_taskd.store.fault import StoreError
from kaspad_taskd.store.lock import Lock


def test_the_second_is_told_who_has_it(tmp_path: Path) -> None:
    """By process and place, with the cure; and gets it when the first lets go."""
    first, second = Lock(tmp_path / "state.db"), Lock(tmp_path / "state.db")
    first.take()
    with pytest.raises(StoreError, match=rf"process {os.getpid()}\) uses {tmp_path}: stop it"):
        second.take()
    first.release()
    second.take()
    second.release()
    second.release()


def test_it_knows_whether_a_store_was_here(tmp_path: Path) -> None:
    """The file stays when the lock goes."""
    seen = []
    for _ in range(2):
        lock = Lock(tmp_path / "state.db")
        lock.take()
        seen.append(lock.known)
        lock.release()
    assert seen == [False, True]


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    """It is not made: the place may be a disk that is not mounted."""
    with pytest.raises(StoreError, match="nowhere does not exist: make it"):
        Lock(tmp_path / "nowhere" / "state.db").take()


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    """Nobody's file is emptied through it."""
    victim = tmp_path / "victim"
    victim.write_text("keep")
    (tmp_path / "state.db.lock").symlink_to(victim)
    with pytest.raises(StoreError, match="cannot write in"):
        Lock(tmp_path / "state.db").take()
    assert victim.read_text() == "keep"
