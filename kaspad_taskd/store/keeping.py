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
from kaspad_taskd.store.place import Identity, Place, identity
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
        self._fresh: Identity | None = None  # what was written anew, and is not open yet
        self.trouble: str | None = None
        self.healed = 0
        self.notices: deque[Notice] = deque(maxlen=16)

    @property
    def is_kept(self) -> bool:
        """Whether all that was committed has a name, in its place or beside it."""
        return self.trouble is None or self._copy is not None

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
        if self._fresh is not None and identity(str(self._path)) == self._fresh:
            return Lost.STATE
        self._fresh = None
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

    def mend(self, db: Connection, reopen: Callable[[Identity], None]) -> None:
        """Look, and put right what can be.

        Args:
            db: has the state open.
            reopen: opens the file that was put in its place, and lets the other go only then.
        """
        found = self.look()
        try:
            if found is Lost.OTHER:
                self._rescue(db)
            elif self._fresh is None and found in (Lost.STATE, Lost.LOG):
                self._write_anew(db, found)
            if self._fresh is not None:
                reopen(self._fresh)
                self._fresh = None
                self._place.begin()
                self._well()
        except (SqliteError, OSError, DamagedError) as error:
            self.trouble = f"{self.trouble} ({sentence(error, self._path)})"

    def _write_anew(self, db: Connection, lost: Lost) -> None:
        """Put a copy of what is open in its place, unless something else has happened there.

        Without its log SQLite could go on in the same file, but not read it once its name is gone,
        too, and who removes files does it one by one.
        """
        fresh = _copied(db, self._path, removed=lost is Lost.STATE)
        try:
            if self._place.look() is not lost:
                return
            made = identity(str(fresh))
            if lost is Lost.LOG:
                fresh.rename(self._path)
                _log.warning("the log of %s was removed while in use: nothing is lost", self._path)
            else:
                os.link(fresh, self._path)  # never over a file that was put there meanwhile
                _log.error(
                    "%s was removed while in use: it is written anew, nothing is lost", self._path
                )
                self.notices.append(("state-recreated", {"path": str(self._path)}))
            self._fresh = made
        finally:
            fresh.unlink(missing_ok=True)
        files.sync_directory(self._path.parent)

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


def _copied(db: Connection, path: Path, *, removed: bool) -> Path:
    """Write all of it beside `path`, to the disk; where it was removed, under another identity."""
    fresh = files.begin(path, schema.MODE)
    try:
        db.execute("VACUUM INTO ?", (str(fresh.absolute()),))
        if removed:
            with closing(sqlite3.connect(fresh)) as copied, copied:
                rows.rename_journal(copied)
        files.sync(fresh)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    return fresh
