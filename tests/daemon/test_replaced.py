"""Whether the program's files are still those that it was started from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kaspad_taskd.daemon.replaced import WATCHED, Replaced, loaded


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


def test_a_python_that_is_another_one_now_is_seen(tmp_path: Path) -> None:
    """As an upgrade to the next Debian does it: the old one stays beside it."""
    old, new, link = tmp_path / "python3.11", tmp_path / "python3.13", tmp_path / "python3"
    for each in (old, new):
        each.write_text("x")
    link.symlink_to(old)
    known = Replaced((old,), python=str(link))
    assert known.look() is None
    link.unlink()
    assert known.look() is None
    link.symlink_to(new)
    assert known.look() == new


def test_a_library_that_is_replaced_is_seen_though_it_was_loaded_late(tmp_path: Path) -> None:
    """Watched from when it is first seen; one that comes later is no replacement."""
    library, fresh = tmp_path / "library.py", tmp_path / "library.py.dpkg-new"
    library.write_text("x")
    seen: list[str] = []
    known = Replaced((), libraries=lambda: seen)
    seen.append(str(library))
    assert known.look() is None
    fresh.write_text("x")
    fresh.rename(library)
    assert known.look() == library


def test_what_is_loaded_here_is_known_by_its_file() -> None:
    """The test runner is, Python's own modules are not, and nothing has happened to any."""
    found = set(loaded())
    assert pytest.__file__ in found
    assert json.__file__ not in found
    assert all(Path(each).exists() for each in found)
