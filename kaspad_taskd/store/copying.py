"""Copies of the state: each whole, and those beside it only so many."""

from __future__ import annotations

import re
from pathlib import Path

from kaspad_taskd.store import schema
from kaspad_taskd.store.fault import StoreError
from kaspad_taskd.store.schema import Connection

COPIES_KEPT = 5
"""Backups that stay beside the state: the newest by name, always the one made last."""
_COPY = re.compile(r"backup-\d{8}T\d{6}\.\d{6}Z\.db")


def copy(db: Connection, state: Path, target: Path) -> None:
    """Write a consistent copy of `state`, which `db` reads, to `target`, atomically.

    Raises:
        StoreError: `target` is the state itself.
        SqliteError, OSError: it could not be written; `target` is as it was.
    """
    if target.resolve() == state.resolve():
        raise StoreError(f"{target} is the state itself: name another file")
    schema.copy(db, target)
    if target.parent.resolve() == state.parent.resolve():
        _thin_out(target)


def _thin_out(made: Path) -> None:
    """Let copies beside the state not pile up: nothing but files with exactly such a name goes."""
    others = sorted(
        path
        for path in made.parent.iterdir()
        if _COPY.fullmatch(path.name) and path != made and not path.is_symlink() and path.is_file()
    )
    if _COPY.fullmatch(made.name):
        for path in others[: -(COPIES_KEPT - 1)]:
            path.unlink(missing_ok=True)
