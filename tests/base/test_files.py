"""Whole files or none, and bad ones moved aside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kaspad_taskd.base import files

AT = 1_790_000_000_000  # 2026-09-21 14:13:20 UTC


def test_content_and_mode_are_as_asked(tmp_path: Path) -> None:
    """The mode holds whatever the umask is."""
    path = tmp_path / "a.toml"
    before = os.umask(0o077)
    try:
        files.write_atomically(path, b"x = 1\n", 0o644)
    finally:
        os.umask(before)
    assert path.read_bytes() == b"x = 1\n"
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails at the fsync: the old content stands."""
    path = tmp_path / "a.toml"
    path.write_bytes(b"old")

    def fail(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        files.write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_file_then_name_then_directory_reach_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The content is synced before it has its name, the directory after."""
    path = tmp_path / "a.toml"
    synced: list[tuple[str, bool]] = []
    real = os.fsync

    def note(handle: int) -> None:
        synced.append((Path(f"/proc/self/fd/{handle}").readlink().name, path.exists()))
        real(handle)

    monkeypatch.setattr(os, "fsync", note)
    files.write_atomically(path, b"x")
    assert synced == [(".a.toml.new", False), (tmp_path.name, True)]


def test_what_a_crash_left_is_cleared(tmp_path: Path) -> None:
    """The next write takes the place of a half-written one."""
    (tmp_path / ".a.toml.new").write_bytes(b"half")
    files.write_atomically(tmp_path / "a.toml", b"whole")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.toml"]


def test_links_are_replaced_not_followed(tmp_path: Path) -> None:
    """Neither the target's nor the temporary file's link leads the write elsewhere."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"keep")
    (tmp_path / "a").symlink_to(victim)
    (tmp_path / ".a.new").symlink_to(victim)
    files.write_atomically(tmp_path / "a", b"new")
    assert victim.read_bytes() == b"keep"
    assert not (tmp_path / "a").is_symlink()


def test_quarantine_takes_companions_along(tmp_path: Path) -> None:
    """The set keeps belonging together, so SQLite can still open it."""
    for ending in ("", "-wal"):
        (tmp_path / f"state.db{ending}").write_text(ending)
    aside = files.quarantine(tmp_path / "state.db", AT, ("-wal", "-shm"))
    names = sorted(entry.name for entry in tmp_path.iterdir())
    assert aside.name == "state.db.corrupt-20260921T141320Z"
    assert names == [aside.name, f"{aside.name}-wal"]


def test_quarantine_overwrites_nothing(tmp_path: Path) -> None:
    """Two in one second are two files."""
    kept = []
    for content in ("first", "second", "third"):
        (tmp_path / "f").write_text(content)
        kept.append(files.quarantine(tmp_path / "f", AT))
    assert [path.read_text() for path in kept] == ["first", "second", "third"]


def test_the_size_of_files_that_belong_together(tmp_path: Path) -> None:
    """What lies in the log of a database counts; what is not there does not."""
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "a-wal").write_bytes(b"123")
    assert files.size_of(tmp_path / "a", tmp_path / "a-wal", tmp_path / "none") == 8
