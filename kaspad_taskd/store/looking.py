"""A state that can be read and not written: all of it in memory, so that looks and reads go on."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from kaspad_taskd.base.frozen import replace
from kaspad_taskd.core.model import Moment
from kaspad_taskd.core.record import Loaded, Repair
from kaspad_taskd.store import rows, schema, statuses
from kaspad_taskd.store.fault import DamagedError, StoreError, is_damage, is_unwritable, sentence
from kaspad_taskd.store.opening import Opened
from kaspad_taskd.store.pages import Pages
from kaspad_taskd.store.schema import Connection, SqliteError


def reason(error: Exception, path: Path) -> str | None:
    """Why the state at `path` cannot be written, a sentence, or None: that is not what is wrong."""
    cause = error.__cause__  # of a step to a newer schema that failed
    if isinstance(error, StoreError) and isinstance(cause, Exception) and is_unwritable(cause):
        error = cause
    if not is_unwritable(error):
        return None
    where = path.parent
    if not os.access(where, os.W_OK):
        return f"{where} is read-only: make it writable for the daemon's user"
    if path.exists() and not os.access(path, os.W_OK):
        return f"{path} is read-only: make it writable for the daemon's user"
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {where} is full: free space there, no restart is needed"
    return sentence(error, path)


def open_to_look(path: Path, now: Moment, beat: Callable[[], None], why: str) -> Opened:
    """Load a copy of the state into memory; nothing on the disk is touched.

    Args:
        path: of the state; where there is none, the copy is empty.
        now: ms since 1970 UTC.
        beat: called now and then while it takes long.
        why: nothing can be written, a sentence.

    Raises:
        NewerError: a newer version has changed it.
        StoreError: a step to a newer schema failed.
        OSError, SqliteError: it cannot be read.
    """
    record = statuses.Statuses(path)
    known = statuses.read(record.path)
    repair: Repair | None = None
    db = _memory()
    try:
        _copy(db, path)
        table, loaded = _load(db, path)
    except (SqliteError, DamagedError, UnicodeDecodeError) as error:
        db.close()
        if not is_damage(error):
            raise
        from kaspad_taskd.store import salvage  # few states are ever damaged

        db = _memory()
        repair = salvage.rebuild(db, path, known, str(error), now, beat)
        table, loaded = _load(db, path)
    if table.must_leap():
        table.leap(now)
        loaded = table.load()
    return Opened(db, table, replace(loaded, repaired=repair, problem=why), record)


def _memory() -> Connection:
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def _copy(db: Connection, path: Path) -> None:
    if path.exists():
        content = Pages.of(path).content()
        if content:
            db.deserialize(content)
        schema.refuse_newer(db, path)
    if schema.version(db) == 0 and not db.execute("SELECT 1 FROM sqlite_schema").fetchone():
        schema.begin_anew(db)


def _load(db: Connection, path: Path) -> tuple[rows.Rows, Loaded]:
    schema.check(db)
    schema.take_steps(db, path)
    table = rows.Rows(db)
    return table, table.load()
