"""What survives of the notifier: what its rules know, how far it has heard, and the outbox.

One SQLite file, one transaction for all of it: whatever happens, what is told and what was heard
agree. A file that cannot be read is put aside and begun anew; one that cannot be written stays
behind memory until it can.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from kaspad_taskd.base.files import quarantine
from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.notify.delivery import Lane
from kaspad_taskd.notify.kept import (
    Cursor,
    cursor_json,
    cursor_of,
    entry_of,
    entry_row,
    message_json,
    message_of,
)
from kaspad_taskd.notify.model import Moment
from kaspad_taskd.notify.outbox import Content

FILE: Final = "notify.db"
LOCK: Final = "notify.lock"
VERSION: Final = 1
WAIT: Final = 2.0
"""Seconds for somebody who looks at the file (a copy of it, sqlite3 by hand)."""
_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""The last one is a table that is not there, or another one."""
OWN: Final = ("state", "cursor")
"""Rows of one daemon; the others are of a fleet."""
Rows: TypeAlias = Mapping[str, str | None]
"""What is new of them; None: a row that goes."""
NO_ROWS: Final[Rows] = MappingProxyType({})
_COMPANIONS: Final = ("-wal", "-shm", "-journal")

_SCHEMA: Final = """
BEGIN IMMEDIATE;
CREATE TABLE kept (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE messages (id TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entries (
  number INTEGER PRIMARY KEY, message TEXT NOT NULL, place TEXT NOT NULL, made INTEGER NOT NULL,
  due INTEGER NOT NULL, tries INTEGER NOT NULL, finals INTEGER NOT NULL, fate TEXT NOT NULL,
  at INTEGER, outcome TEXT
);
CREATE TABLE lanes (place TEXT PRIMARY KEY, failures INTEGER NOT NULL, free INTEGER NOT NULL)
  WITHOUT ROWID;
PRAGMA user_version = 1;
COMMIT;
"""


class Held(Exception):
    """Another notifier has the state: the sentence says which and what to do."""


class Unwritable(Exception):
    """The state cannot be written, or not even opened: the sentence says why and what to do."""


class Newer(Exception):
    """A newer version has written the state."""


@frozen
class Kept:
    """What was found.

    Attributes:
        state: of the rules, as they encoded it; None at the first start.
        cursor: how far the journal was heard.
        outbox: what waits, and the last of what does not.
        aside: where a file that could not be read was put.
        fleet: rows of the mind of a fleet, by name.
    """

    state: dict[str, Any] | None = None
    cursor: Cursor | None = None
    outbox: Content = field(default_factory=Content)
    aside: Path | None = None
    fleet: Mapping[str, str] = field(default_factory=dict)


class Store:
    """The file of one directory, held by one notifier.

    Args:
        directory: where it is; it must be there.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._lock = self._held(directory / LOCK)
        self._base: sqlite3.Connection | None = None
        self._seen: tuple[int, int] | None = None

    @staticmethod
    def _held(path: Path) -> int:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise Unwritable(
                f"cannot write in {path.parent} ({error.strerror}): make it, writable for the "
                "notifier's user, or give another --state-dir"
            ) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise Held(
                f"another kaspad-taskd-notify (process {owner}) uses {path.parent}: stop it, or "
                "give this one a --state-dir of its own"
            ) from None
        with suppress(OSError):  # a full disk takes the lock, and not our number
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        return handle

    def load(self, now: Moment) -> Kept:
        """Return what was kept; where it cannot be read it is put aside, and begun anew.

        Raises:
            Unwritable: there is a file, and it can be neither opened nor put aside.
            Newer: a newer version has written it.
        """
        try:
            return self._load()
        except (sqlite3.OperationalError, OSError) as error:
            self._let_go()
            if _is_damage(error):
                return self._begin_anew(now)
            raise Unwritable(_unwritable(self._path, error)) from None
        except (sqlite3.Error, ValueError, TypeError, KeyError, AttributeError):
            self._let_go()
            return self._begin_anew(now)

    def _begin_anew(self, now: Moment) -> Kept:
        try:
            aside = quarantine(self._path, now, _COMPANIONS)
        except OSError as error:
            raise Unwritable(_unwritable(self._path, error)) from None
        with suppress(sqlite3.Error, OSError):  # the next save tries again
            self._open()
        return Kept(aside=aside)

    def _load(self) -> Kept:
        if not self._path.exists():
            with suppress(sqlite3.OperationalError, OSError):  # on a full disk: the next save
                self._open()
            return Kept()
        base = self._open()
        if base.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("damaged")
        kept = dict(base.execute("SELECT key, value FROM kept"))
        messages = base.execute("SELECT content FROM messages")
        entries = base.execute("SELECT * FROM entries")
        lanes = base.execute("SELECT place, failures, free FROM lanes")
        content = Content(
            tuple(message_of(text) for (text,) in messages),
            tuple(entry_of(row) for row in entries),
            {place: Lane(failures, free) for place, failures, free in lanes},
        )
        state = json.loads(kept["state"]) if "state" in kept else None
        fleet = {row: text for row, text in kept.items() if row not in OWN}
        return Kept(state, cursor_of(kept.get("cursor", "null")), content, fleet=fleet)

    def _open(self) -> sqlite3.Connection:
        if self._base is not None:
            return self._base
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        os.close(handle)
        base = sqlite3.connect(self._path, timeout=WAIT, isolation_level=None)
        try:
            # not WAL, which could not even be read on a full disk
            for pragma in (
                "journal_mode = TRUNCATE",
                "synchronous = FULL",
                "temp_store = MEMORY",
                "cache_size = -256",
            ):
                base.execute(f"PRAGMA {pragma}")
            (version,) = base.execute("PRAGMA user_version").fetchone()
            if version == 0:
                base.executescript(_SCHEMA)
            elif version > VERSION:
                raise Newer(f"{self._path} was written by a newer version: install that again")
        except BaseException:
            base.close()
            raise
        self._base = base
        self._seen = _identity(self._path)
        return base

    def save(
        self,
        state: dict[str, Any] | None,
        cursor: Cursor | None,
        changes: Content,
        rows: Rows = NO_ROWS,
    ) -> None:
        """Bring all of it to the disk, or nothing; of a fleet the `rows` that are new.

        Raises:
            Unwritable: it could not be; the sentence says why. What is on disk is as it was.
            Lost: the file is no more, or cannot be read any more: `renew` it.
        """
        if self._base is not None and _identity(self._path) != self._seen:
            self._let_go()
            raise Lost
        try:
            with self._written() as base:
                _save(base, state, cursor, changes, rows)
        except (sqlite3.Error, OSError) as error:
            if _is_damage(error):
                self._let_go()
                raise Lost from None
            raise Unwritable(_unwritable(self._path, error)) from None

    def renew(
        self,
        state: dict[str, Any] | None,
        cursor: Cursor | None,
        content: Content,
        now: Moment,
        rows: Rows = NO_ROWS,
    ) -> Path | None:
        """Write all of it to a new file; return where an old one that is no good was put.

        Raises:
            Unwritable: it could not be written.
        """
        self._let_go()
        aside = None
        try:
            if self._path.exists():
                aside = quarantine(self._path, now, _COMPANIONS)
            for ending in _COMPANIONS:
                self._path.with_name(FILE + ending).unlink(missing_ok=True)
            with self._written() as base:
                _save(base, state, cursor, content, rows)
        except (sqlite3.Error, OSError) as error:
            raise Unwritable(_unwritable(self._path, error)) from None
        return aside

    @contextmanager
    def _written(self) -> Iterator[sqlite3.Connection]:
        base = self._open()
        base.execute("BEGIN IMMEDIATE")
        try:
            yield base
            base.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                base.execute("ROLLBACK")
            raise

    def _let_go(self) -> None:
        if self._base is not None:
            with suppress(sqlite3.Error):
                self._base.close()
            self._base = None

    def close(self) -> None:
        """Let file and lock go."""
        self._let_go()
        os.close(self._lock)


class Lost(Exception):
    """The file that was open is no more, or is damaged."""


def _save(
    base: sqlite3.Connection,
    state: dict[str, Any] | None,
    cursor: Cursor | None,
    changes: Content,
    rows: Rows,
) -> None:
    kept = {row: text for row, text in rows.items() if text is not None}
    if state is not None:
        kept |= {"state": json.dumps(state, separators=(",", ":")), "cursor": cursor_json(cursor)}
    gone = ((row,) for row, text in rows.items() if text is None)
    base.executemany("DELETE FROM kept WHERE key = ?", gone)
    base.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", kept.items())
    base.executemany("DELETE FROM entries WHERE number = ?", ((n,) for n in changes.gone))
    messages = ((message.id, message_json(message)) for message in changes.messages)
    base.executemany("INSERT OR REPLACE INTO messages VALUES (?, ?)", messages)
    entries = map(entry_row, changes.entries)
    base.executemany("INSERT OR REPLACE INTO entries VALUES (?,?,?,?,?,?,?,?,?,?)", entries)
    lanes = ((place, lane.failures, lane.free) for place, lane in changes.lanes.items())
    base.executemany("INSERT OR REPLACE INTO lanes VALUES (?, ?, ?)", lanes)
    if changes.gone:
        base.execute("DELETE FROM messages WHERE id NOT IN (SELECT message FROM entries)")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_damage(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return False
    return code & 0xFF in _DAMAGE


def _unwritable(path: Path, error: Exception) -> str:
    why = getattr(error, "strerror", None) or str(error)
    return f"{path} cannot be written ({why}): make room, or make it writable"
