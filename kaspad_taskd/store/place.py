"""Whether the state is where it was opened: a file can be removed, renamed or covered while in use.

Who has it open reads and writes on, and all of it is lost with the last one who has. So names are
compared with what they led to at the start, device and inode, before a change is believed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

from kaspad_taskd.store.fault import Lost
from kaspad_taskd.store.lock import Lock

Identity: TypeAlias = tuple[int, int]
"""Device and inode."""
BESIDE = "-wal", "-shm"
"""Endings of what SQLite has open beside the state."""


class Place:
    """The places of an open state.

    Args:
        path: of the state.
        lock: its lock, which is held.
    """

    def __init__(self, path: Path, lock: Lock) -> None:
        self._path = path
        self._lock = lock
        self._parent = str(path.parent)
        self._directory = identity(self._parent)
        self._known: dict[str, Identity | None] = {}
        self._needed: tuple[str, ...] = ()

    def begin(self) -> None:
        """Remember the files that are open now."""
        names = (str(self._path), *(f"{self._path}{each}" for each in BESIDE))
        self._known = {each: identity(each) for each in names}
        self._needed = names[:2]

    def is_there(self) -> bool:
        """Whether the state and its log are: what a commit needs, in two questions to the system.

        A directory that was moved or covered is told by them, too.
        """
        for name in self._needed:
            found = identity(name)
            if found is None or found != self._known[name]:
                return False
        return True

    def look(self) -> Lost | None:
        """What is not in its place, or None; some µs. A lock file that is gone is made again.

        Raises:
            OSError: the lock file cannot be made.
        """
        if self._directory is None or identity(self._parent) != self._directory:
            return Lost.DIRECTORY
        if not self._lock.keep():
            return Lost.LOCK
        for name, known in self._known.items():
            found = identity(name)
            if found == known and (found is not None or name not in self._needed):
                continue
            if name.endswith(BESIDE) and name != str(self._path):
                return Lost.LOG
            return Lost.STATE if found is None and not os.path.lexists(name) else Lost.OTHER
        return None


def identity(path: str) -> Identity | None:
    """Return what a name leads to; None: nothing, or nobody can know."""
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path costs as much again
    except OSError:
        return None
    return found.st_dev, found.st_ino
