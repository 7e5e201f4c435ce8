"""Whether the program's files are still those that it was started from."""

from __future__ import annotations

from pathlib import Path

from kaspad_taskd.daemon.replaced import WATCHED, Replaced


def test_the_interpreter_and_ourselves_are_watched() -> None:
    """Both are there, and nothing has happened to them."""
    assert all(path.is_file() for path in WATCHED)
    assert Replaced().look() is None


def test_a_file_in_another_ones_place_is_seen(tmp_path: Path) -> None:
    """As dpkg does it: a new file is renamed over it, though its content be the same."""
    file, fresh = tmp_path / "python3", tmp_path / "python3.dpkg-new"
    file.write_text("x")
    known = Replaced((file,))
    fresh.write_text("x")
    assert known.look() is None
    fresh.rename(file)
    assert known.look() == file


def test_one_that_is_gone_is_not_mended_by_a_restart(tmp_path: Path) -> None:
    """It is being replaced, or the package was removed."""
    file = tmp_path / "python3"
    file.write_text("x")
    known = Replaced((file,))
    file.unlink()
    assert known.look() is None
