"""Keeps an open state where it belongs: what was removed under us is written anew."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from kaspad_taskd.base import files
from kaspad_taskd.core.model import Moment
from kaspad_taskd.store import rows, schema
from kaspad_taskd.store.fault import DamagedError, Lost, lost, sentence
from kaspad_taskd.store.place import Place
from kaspad_taskd.store.schema import Connection, SqliteError

_log = logging.getLogger(__name__)

Notice: TypeAlias = tuple[str, Mapping[str, str]]
"""A warning to be put on record: its code and what its sentences are filled with."""


class Keeper:
    """Looks after the place of a state, in the thread that writes it.

    What is gone from its place is still there for who has it open: it is copied to where it was, if
    nothing else is there, the directory is that of the start and the lock is ours.

    Args:
        path: of the state.
        place: what was opened.
        now: ms since 1970 UTC.

    Attributes:
        trouble: why nothing is written now, a sentence, or None.
        healed: how often there was such a trouble that is over.
        notices: what was done, for those who tell it.
    """

    def __init__(self, path: Path, place: Place, now: Callable[[], Moment]) -> None:
        self._path = path
        self._place = place
        self._now = now
        self._copy: Path | None = None
        self._adrift = False  # what was open is let go, and what is in its place not open yet
        self.trouble: str | None = None
        self.healed = 0
        self.notices: deque[Notice] = deque(maxlen=16)

    def begin(self) -> None:
        """Remember what is open now."""
        self._place.begin()

    def is_there(self) -> bool:
        """Whether a change can be believed; where not, `trouble` says why."""
        if self.trouble is None and self._place.is_there():
            return True
        return self.look() is None

    def look(self) -> Lost | None:
        """What is not in its place; `trouble` says it."""
        if self._adrift:
            return Lost.STATE
        try:
            found = self._place.look()
        except OSError as error:
            self.trouble = sentence(error, self._path)
            return Lost.LOCK
        if found is None:
            self._well()
        else:
            self.trouble = lost(found, self._path, self._copy)
        return found

    def mend(self, db: Connection, reopen: Callable[[], None]) -> None:
        """Look, and put right what can be.

        Args:
            db: has the state open.
            reopen: lets go of the file that is open, and opens the one in its place.
        """
        found = self.look()
        try:
            if self._adrift:
                self._open_again(reopen)
            elif found is Lost.STATE:
                self._write_anew(db, reopen)
            elif found is Lost.LOG:
                self._begin_log(db, reopen)
            elif found is Lost.OTHER:
                self._rescue(db)
        except (SqliteError, OSError, DamagedError) as error:
            self.trouble = f"{self.trouble} ({sentence(error, self._path)})"

    def _write_anew(self, db: Connection, reopen: Callable[[], None]) -> None:
        fresh = _copied(db, self._path)
        try:
            if self._place.look() is not Lost.STATE:
                return
            os.link(fresh, self._path)  # never over a file that somebody has put there meanwhile
            files.sync_directory(self._path.parent)
        finally:
            fresh.unlink(missing_ok=True)
        _log.error("%s was removed while in use: it is written anew, nothing is lost", self._path)
        self.notices.append(("state-recreated", {"path": str(self._path)}))
        self._open_again(reopen)

    def _begin_log(self, db: Connection, reopen: Callable[[], None]) -> None:
        """All that only the log had goes into the file."""
        (busy, *_) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            return
        _log.warning("the log of %s was removed while in use: nothing is lost", self._path)
        self._open_again(reopen)

    def _open_again(self, reopen: Callable[[], None]) -> None:
        self._adrift = True
        reopen()
        self._place.begin()
        self._adrift = False
        self._well()

    def _well(self) -> None:
        if self.trouble is not None:
            self.trouble = None
            self.healed += 1
        if self._copy is not None:  # the state itself has all of it
            self._copy.unlink(missing_ok=True)
            self._copy = None

    def _rescue(self, db: Connection) -> None:
        """Another file is there: what was acknowledged gets a name of its own beside it, once."""
        if self._copy is not None:
            return
        name = f"{self._path.name}.rescued-{files.stamp(self._now())}"
        copy = files.unused(self._path.with_name(name))
        schema.copy(db, copy)
        self._copy = copy
        self.trouble = lost(Lost.OTHER, self._path, copy)
        self.notices.append(("state-replaced", {"path": str(self._path), "copy": str(copy)}))


def _copied(db: Connection, path: Path) -> Path:
    """Write all of it beside `path`, with another identity of the journal, to the disk."""
    fresh = files.begin(path, schema.MODE)
    try:
        db.execute("VACUUM INTO ?", (str(fresh.absolute()),))
        with closing(sqlite3.connect(fresh)) as copied, copied:
            rows.rename_journal(copied)
        files.sync(fresh)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    return fresh
