"""A state put back from a copy: offline, checked first, the state before it kept."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

from kaspad_taskd.base import files
from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.model import Moment
from kaspad_taskd.store import rows, schema
from kaspad_taskd.store.fault import DamagedError, StoreError, is_damage, sentence
from kaspad_taskd.store.lock import HeldError, Lock
from kaspad_taskd.store.schema import Connection, SqliteError

LOG = "-wal"
"""The ending of the write-ahead log, which belongs to a state that was not closed."""
_BESIDE = LOG, "-shm", "-journal"
"""Endings of what SQLite makes beside a file, and would play into another one of that name."""


@frozen
class Restored:
    """What was put back.

    Attributes:
        tasks: how many.
        last: when the last of its events was, ms since 1970 UTC, or None: it has none.
        before: where the state before is now, or None: there was none.
    """

    tasks: int
    last: Moment | None
    before: Path | None


def restore(copy: Path, state: Path, now: Moment) -> Restored:
    """Put a copy in the place of the state; the daemon must not run. Blocks.

    A crash at any point leaves the old state or the new one, whole. Root works as the owner of the
    state's directory, so that the daemon can use what it finds, and no link there leads root
    anywhere.

    Args:
        copy: of `backup`, or one kept by an update or an earlier restore; it is not changed.
        state: the file to be.
        now: ms since 1970 UTC, for the name of the state before.

    Raises:
        StoreError: nothing was changed; a sentence with the cure.
    """
    try:
        with _opened(copy) as sources, _as_owner(state.parent), _locked(state):
            return _restore(copy, sources, state, now)
    except OSError as error:
        raise StoreError(sentence(error, state)) from error


@contextmanager
def _opened(copy: Path) -> Iterator[list[tuple[BinaryIO, str]]]:
    """The copy and, where it has one, its log."""
    try:
        if not stat.S_ISREG(copy.stat().st_mode):  # a pipe would never end, a device fill the disk
            raise StoreError(f"{copy} cannot be read: it is no file")
        with copy.open("rb") as file:
            log = copy.with_name(copy.name + LOG)
            if not log.exists():
                yield [(file, "")]
                return
            with log.open("rb") as more:
                yield [(file, ""), (more, LOG)]
    except (FileNotFoundError, PermissionError) as error:
        if error.filename not in (str(copy), str(copy) + LOG):
            raise
        raise StoreError(f"{error.filename} cannot be read: {error.strerror}") from None


@contextmanager
def _as_owner(directory: Path) -> Iterator[None]:
    found = directory.stat() if directory.is_dir() else None
    if os.geteuid() != 0 or found is None or found.st_uid == 0:
        yield
        return
    group = os.getegid()
    os.setegid(found.st_gid)
    os.seteuid(found.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)


@contextmanager
def _locked(state: Path) -> Iterator[None]:
    lock = Lock(state)
    try:
        lock.take()
    except HeldError as error:
        raise StoreError(
            f"a running kaspad-taskd (process {error.owner}) uses {state.parent}: stop it first"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _restore(copy: Path, sources: list[tuple[BinaryIO, str]], state: Path, now: Moment) -> Restored:
    fresh = files.begin(state, schema.MODE)
    _clear(fresh)
    try:
        for source, ending in sources:
            with fresh.with_name(fresh.name + ending).open("wb") as target:
                shutil.copyfileobj(source, target)
        tasks, last = _examine(fresh, copy)
        before = _keep(state, now)
        files.publish(fresh, state)
    finally:
        fresh.unlink(missing_ok=True)
        _clear(fresh)
    _clear(state)  # of the state before; what is in its place now has none
    return Restored(tasks, last, before)


def _clear(path: Path) -> None:
    for ending in _BESIDE:
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _examine(fresh: Path, copy: Path) -> tuple[int, Moment | None]:
    """See that it is a sound state, take in its log, mark it; returns tasks and last event."""
    schema.drop_stray_log(fresh)
    try:
        with closing(sqlite3.connect(fresh, isolation_level=None)) as db:
            _refuse_others(db, copy)
            db.execute("PRAGMA journal_mode = DELETE")
            schema.mark(db)
            (tasks,) = db.execute("SELECT count(*) FROM tasks").fetchone()
            (last,) = db.execute("SELECT max(at) FROM journal").fetchone()
    except (SqliteError, DamagedError, UnicodeDecodeError) as error:
        if is_damage(error):
            raise StoreError(f"{copy} is no sound state ({error}): take another copy") from error
        raise StoreError(sentence(error, fresh)) from error
    return tasks, last


def _refuse_others(db: Connection, copy: Path) -> None:
    number = schema.version(db)
    if number > len(schema.STEPS):
        raise StoreError(
            f"{copy} is of a newer kaspad-taskd (schema {number}, this one knows "
            f"{len(schema.STEPS)}): install that version, then restore it"
        )
    schema.check(db)
    if number == 0:
        raise DamagedError("it is empty")
    if number == len(schema.STEPS):  # an older one is read by the start that brings it up to date
        rows.Rows(db).load()


def _keep(state: Path, now: Moment) -> Path | None:
    """Give the state before, and its log, a second name."""
    if not state.exists():
        return None
    before = files.unused(state.with_name(f"{state.name}.before-{files.stamp(now)}"))
    log = state.with_name(state.name + LOG)
    if log.exists():
        os.link(log, before.with_name(before.name + LOG), follow_symlinks=False)
    os.link(state, before, follow_symlinks=False)
    files.sync_directory(state.parent)
    return before
