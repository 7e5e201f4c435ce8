"""One daemon per state."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.store.fault import StoreError
from kaspad_taskd.store.lock import HeldError, Lock


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


def test_a_reader_that_takes_it_lets_go_at_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon on a disk that cannot be written tries again and again; no other gets between."""
    (tmp_path / "state.db.lock").touch()
    held = Lock(tmp_path / "state.db")
    held.look()
    tried = 0

    def others(real: Callable[..., Any]) -> Callable[..., Any]:
        def between(*given: object) -> Any:
            nonlocal tried
            with monkeypatch.context() as plain:
                plain.setattr(os, "open", real_open)
                plain.setattr(os, "close", real_close)
                with pytest.raises(HeldError):
                    Lock(tmp_path / "state.db").take()
            tried += 1
            return real(*given)

        return between

    real_open, real_close = os.open, os.close
    monkeypatch.setattr(os, "open", others(real_open))
    monkeypatch.setattr(os, "close", others(real_close))
    held.look()
    held.take()
    held.take()
    monkeypatch.undo()
    assert tried >= 3
    with pytest.raises(HeldError, match=f"process {os.getpid()}"):
        Lock(tmp_path / "state.db").take()
    held.release()
    Lock(tmp_path / "state.db").take()


def test_a_reader_takes_the_file_that_is_there_now(tmp_path: Path) -> None:
    """Another disk was mounted over it; where that one's is another's, its own stays."""
    path = tmp_path / "state.db.lock"
    path.touch()
    held, other = Lock(tmp_path / "state.db"), Lock(tmp_path / "state.db")
    held.look()
    path.rename(tmp_path / "before")
    other.take()
    with pytest.raises(HeldError):
        held.take()
    (tmp_path / "before").replace(path)
    with pytest.raises(HeldError):
        Lock(tmp_path / "state.db").take()
    held.take()
    held.release()
    other.release()
