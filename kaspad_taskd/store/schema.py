"""The file state.db: how it is opened, checked, brought up to date and copied.

Its tables are made and changed in numbered steps, each one transaction; `PRAGMA user_version` is
the number of the last. A newer daemon adds steps and never edits one. A daemon that knows fewer
steps than the file has taken refuses it, rather than misread it.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeAlias

from kaspad_taskd.base import files
from kaspad_taskd.core.fact import EventName
from kaspad_taskd.store.fault import DamagedError, NewerError, StoreError, is_locked, sentence
from kaspad_taskd.store.pages import PAGE

Connection: TypeAlias = sqlite3.Connection
SqliteError: TypeAlias = sqlite3.Error

MODE = 0o600
"""Of the state and its copies: the daemon's user alone."""
LOCK_PATIENCE = 5.0
"""Seconds to wait for another program's lock: a person with a sqlite3 shell."""
LOG_LIMIT = 16 * 1024 * 1024
"""Bytes to which the write-ahead log is cut back after a burst (at rest it has 4 MB)."""

_FIRST = """
CREATE TABLE tasks (id TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;
CREATE TABLE definitions (id TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, task_id TEXT NOT NULL, document TEXT NOT NULL
) STRICT;
CREATE INDEX journal_of_task ON journal (task_id);
CREATE TABLE history (
    task_id TEXT NOT NULL, span INTEGER NOT NULL, slot INTEGER NOT NULL, at INTEGER NOT NULL,
    progress REAL NOT NULL, done REAL, rate REAL, health TEXT NOT NULL,
    PRIMARY KEY (task_id, span, slot)
) STRICT, WITHOUT ROWID;
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, decision TEXT NOT NULL, context TEXT NOT NULL
) STRICT;
CREATE TABLE cursors (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('floor', 0)
"""
# A definition has a row of its own, so that a progress write stays small. In `meta`: `floor`, no
# event at or below this seq is kept; `leap`, what this file does not know may have been told;
# `backup`, when the last copy was made; `incident`, the newest one's number; `mark/NAME`, since
# when that holds of a service; `journal`, its identity; `lineage`, that of the state, which its
# copies, and what is put back from one, share.

_SENSELESS = {
    "event": f"""
SELECT seq FROM journal WHERE CASE WHEN json_valid(document) THEN
    ifnull(document ->> '$.name', '') NOT IN ({", ".join(f"'{name}'" for name in EventName)})
    OR json_type(document, '$.service') IS NOT 'text'
    OR json_type(document, '$.type') IS NOT 'text' OR json_type(document, '$.data') IS NOT 'object'
ELSE 1 END LIMIT 1
""",  # noqa: S608 - our own words
    "decision": "SELECT id FROM decisions WHERE NOT json_valid(context) LIMIT 1",
}
_TEXTS = (
    "SELECT task_id, document FROM journal",
    "SELECT task_id, health FROM history",
    "SELECT decision, context FROM decisions",
)
_MARK = "INSERT OR REPLACE INTO meta VALUES ('leap', 1)"

_SWITCHES = (
    "CREATE TABLE IF NOT EXISTS switches (id INTEGER PRIMARY KEY, document TEXT NOT NULL) STRICT"
)

_WARNINGS = (
    "CREATE TABLE IF NOT EXISTS warnings (id INTEGER PRIMARY KEY, document TEXT NOT NULL) STRICT"
)

MARKS = "SELECT substr(key, 6), value FROM meta WHERE key LIKE 'mark/%'"
"""The marks that hold: name and moment."""

_WATCH = "SELECT 1"
# No table changes: tasks may say "behind", and complete ones are kept watch on, which a daemon that
# knows neither could not read.

_RECORD = """
CREATE TABLE IF NOT EXISTS seen (
    task_id TEXT NOT NULL, span INTEGER NOT NULL, slot INTEGER NOT NULL, ok INTEGER NOT NULL,
    behind INTEGER NOT NULL, stalled INTEGER NOT NULL, unreachable INTEGER NOT NULL,
    PRIMARY KEY (task_id, span, slot)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (id TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS incidents (
    id INTEGER PRIMARY KEY, task_id TEXT NOT NULL, document TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS incidents_of_task ON incidents (task_id)
"""
# `seen`: milliseconds by state, `slot` counted from 1970 in spans of so many ms.

STEPS: tuple[str, ...] = (_FIRST, _SWITCHES, _WARNINGS, _WATCH, _RECORD)
"""SQL statements with `;` between them: step 1, 2, ..."""


def connect(path: Path, *, new: bool = True) -> Connection:
    """Open the state to write; each commit is durable (WAL, FULL).

    Args:
        path: of the state.
        new: whether it is made where it is not there.

    Raises:
        SqliteError, OSError: it cannot be opened, or is no database.
    """
    if new:
        path.touch(MODE)
    if not os.access(path, os.W_OK):  # SQLite would make a log that nobody may write, either
        raise PermissionError(errno.EACCES, "it is read-only", str(path))
    drop_stray_log(path)
    db = _opened(path, "rw")
    try:
        db.execute(f"PRAGMA page_size = {PAGE}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute(f"PRAGMA journal_size_limit = {LOG_LIMIT}")
        _try_to_write(db)
    except BaseException:
        db.close()
        raise
    return db


def _opened(path: Path, mode: str) -> Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=LOCK_PATIENCE,
        isolation_level=None,
        check_same_thread=False,
    )


def _try_to_write(db: Connection) -> None:
    """What SQLite may only read it opens all the same; another program's lock is no such thing."""
    try:
        db.execute("BEGIN IMMEDIATE")  # which SQLite makes a BEGIN of what it may only read
        db.execute(f"PRAGMA user_version = {version(db)}")
        db.execute("ROLLBACK")
    except sqlite3.Error as error:
        undo(db)
        if not is_locked(error):
            raise


def connect_reader(path: Path) -> Connection:
    """Open the state, which a writer has open, to read.

    SQLite opens its files with the first question, for good: it is asked here, for later there may
    be no files left. What is wrong with them, who asks next is told.

    Raises:
        SqliteError: it cannot be opened.
    """
    db = _opened(path, "ro")
    try:  # its files are opened by the first read: later they may be gone from their places
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except BaseException:
        db.close()
        raise
    return db


def end_log(db: Connection) -> None:
    """Bring all that the log of an open state has into its file, and let the log go, by its name.

    Nobody else may have it open. The file itself may be gone from its name: what has it open keeps
    it, which is why SQLite shall make no other file for this.

    Raises:
        SqliteError: somebody else uses it, or the disk does not let us.
    """
    (mode,) = db.execute("PRAGMA journal_mode = MEMORY").fetchone()
    if mode != "memory":
        raise sqlite3.OperationalError("its log cannot be ended")


def drop_stray_log(path: Path) -> None:
    """Remove a write-ahead log that cannot belong to the file, before SQLite plays it into it.

    A copy is not in WAL mode (bytes 18 and 19 of its header are 1). Put in the place of a state
    whose daemon was killed, it finds that one's log beside it.
    """
    if is_stray_log(path):
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)


def is_stray_log(path: Path) -> bool:
    """Whether a log beside the file cannot be its own: the file is in no mode that has one."""
    with path.open("rb") as file:
        return file.read(20)[18:20] == b"\x01\x01"


def version(db: Connection) -> int:
    """The number of the last step that the file has taken; 0 of a new one."""
    (number,) = db.execute("PRAGMA user_version").fetchone()
    return int(number)


def refuse_newer(db: Connection, path: Path) -> None:
    """Let no file pass that a newer daemon has changed.

    Raises:
        NewerError: its schema is newer than this program.
    """
    if version(db) > len(STEPS):
        raise NewerError(newer(version(db), path))


def newer(found: int, path: Path) -> str:
    """Say that a state has a newer schema, and what can be done."""
    return (
        f"{path} has schema {found}, this kaspad-taskd knows {len(STEPS)}: install the newer "
        f"version again, or {_way_back(path)}"
    )


def version_of(path: Path) -> int | None:
    """The number of the last step that a file has taken, which nobody opens; None: it is no state.

    As its header has it: of what a killed daemon left in the log nothing is known.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        header = file.read(100)
    return int.from_bytes(header[60:64]) if header.startswith(b"SQLite format 3\0") else None


def _way_back(path: Path) -> str:
    """What to type to go back: the newest copy from before an update that can be read here."""
    kept = [_copy_before(path, number) for number in range(len(STEPS), 0, -1)]
    found = next((each for each in kept if each.is_file()), None)
    if found is not None:
        return f"go back to what was kept: kaspad-taskd restore {found}"
    return f"restore a backup from before: kaspad-taskd restore FILE (there is no {kept[0]})"


def check(db: Connection) -> None:
    """See that the file is sound, all of it: 0.3 s for a full journal.

    `quick_check` takes half of that, but passes indexes into which no further row can be put. What
    is within a row SQLite cannot know: tasks are read by every start, events are looked at here.

    Raises:
        DamagedError, SqliteError: it is not.
    """
    (result,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    if result != "ok":
        raise DamagedError(str(result).replace("\n", " "))
    if version(db):
        _check_rows(db)
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if (version(db) == 0) != (tables == 0):
        raise DamagedError(f"schema {version(db)} with {tables} tables and indexes")


def migrate(db: Connection, path: Path, *, lost: bool = False) -> None:
    """Take the steps that the file has not taken; before the first, put a copy beside it.

    `lost`: if the file is new, there was one before; it is marked, so that its `seq` will leap.

    Raises:
        SqliteError, OSError: the copy failed; nothing was done.
        StoreError: a step failed; the file has the steps before it.
    """
    done = version(db)
    if 0 < done < len(STEPS):
        copy(db, _copy_before(path, done))
    take_steps(db, path, lost=lost)


def take_steps(db: Connection, path: Path, *, lost: bool = False) -> None:
    """Take the steps that a state has not taken; `path` and `lost` as in `migrate`.

    Raises:
        StoreError: a step failed; the state has the steps before it.
    """
    done = version(db)
    for number in range(done, len(STEPS)):
        try:
            _take(db, f"{STEPS[number]};{_MARK if lost and not number else ''}", number + 1)
        except sqlite3.Error as error:
            why = sentence(error, path)
            raise StoreError(f"the step to schema {number + 1} failed: {why}") from error


def _check_rows(db: Connection) -> None:
    for said, question in _SENSELESS.items():
        if (row := db.execute(question).fetchone()) is not None:
            raise DamagedError(f"{said} {row[0]} makes no sense")
    try:
        for question in _TEXTS:
            for _ in db.execute(question):
                pass
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", None) is None:  # Python's own: no UTF-8
            raise DamagedError("a text in it is no text") from error
        raise


def begin_anew(db: Connection) -> None:
    """Make all tables in a file that is empty; who does it brings the file to the disk.

    Raises:
        SqliteError: it cannot be written.
    """
    db.execute("PRAGMA journal_mode = OFF")
    db.execute("PRAGMA synchronous = OFF")
    for number, step in enumerate(STEPS):
        _take(db, step, number + 1)


def _copy_before(path: Path, number: int) -> Path:
    """Where the state of schema `number` is kept when a newer daemon changes it."""
    return path.with_name(f"{path.name}.schema-{number}")


def mark(db: Connection) -> None:
    """Let `seq` leap when the file is next opened: events it does not know may have been told."""
    db.execute(_MARK)


def _take(db: Connection, step: str, number: int) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        for statement in step.split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {number}")
        db.execute("COMMIT")
    except BaseException:
        undo(db)
        raise


def undo(db: Connection) -> None:
    """Roll a failed transaction back; SQLite may have done it already (disk full).

    Where even that fails, the next BEGIN does, and is undone again: it heals with the disk.
    """
    if db.in_transaction:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")


def copy(db: Connection, path: Path) -> None:
    """Write a consistent, compact copy to `path`, atomically; marked, so that its `seq` will leap.

    Raises:
        SqliteError, OSError: it could not be written; `path` is as it was.
    """
    fresh = files.begin(path, MODE)
    try:
        db.execute("VACUUM INTO ?", (str(fresh.absolute()),))
        with closing(sqlite3.connect(fresh)) as copied, copied:
            mark(copied)
        files.publish(fresh, path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
