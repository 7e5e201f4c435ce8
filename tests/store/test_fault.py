"""Sentences about what is wrong with the state."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kaspad_taskd.store.fault import DamagedError, is_damage, is_own, sentence

PATH = Path("/var/lib/kaspad-taskd/state.db")


def sqlite_error(name: str) -> sqlite3.Error:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("SQLITE_FULL", "the disk of /var/lib/kaspad-taskd is full: free space"),
        ("SQLITE_READONLY_DBMOVED", "/var/lib/kaspad-taskd is read-only: make it writable"),
        ("SQLITE_IOERR_FSYNC", "the disk of /var/lib/kaspad-taskd fails"),
        ("SQLITE_CANTOPEN", "state.db cannot be opened: give it"),
        ("SQLITE_BUSY", "state.db is locked: close the program"),
        ("SQLITE_CORRUPT_INDEX", "state.db is damaged: restart the daemon"),
        ("SQLITE_ERROR", "state.db: as SQLite says it"),
    ],
)
def test_each_trouble_has_its_place_and_cure(name: str, said: str) -> None:
    """Whatever detail SQLite's name carries."""
    assert said in sentence(sqlite_error(name), PATH)


def test_what_python_raises_is_the_changes_fault_unless_it_is_the_systems() -> None:
    """A value that cannot be said is our own; a missing file is not."""
    assert is_own(TypeError("no JSON"))
    assert is_own(sqlite_error("SQLITE_CONSTRAINT_NOTNULL"))
    assert not is_own(PermissionError(13, "denied"))
    assert not is_own(sqlite_error("SQLITE_FULL"))


def test_only_damage_moves_a_file_aside() -> None:
    """A full disk, a lock, a missing permission leave the file where it is."""
    assert is_damage(sqlite_error("SQLITE_NOTADB"))
    assert is_damage(sqlite_error("SQLITE_CORRUPT_VTAB"))
    assert is_damage(DamagedError("row"))
    assert not any(
        is_damage(sqlite_error(f"SQLITE_{kind}"))
        for kind in ("FULL", "BUSY", "IOERR_READ", "CANTOPEN", "READONLY", "PERM")
    )
