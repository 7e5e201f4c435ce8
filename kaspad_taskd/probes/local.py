"""A Unix socket that a definition names: what was checked is what is connected to.

A socket of the daemon's own is asked by no task, however it is reached: told by its path resolved,
and by its device and inode (a hard link, a bind mount).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from kaspad_taskd.base.descriptors import is_own_limit
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.connect import own_limit
from kaspad_taskd.probes.answers import HttpError, bad_answer, of_connection

Own: TypeAlias = Callable[[], Iterable[Path]]
"""Where the daemon's own sockets are."""


class LocalSocket:
    """One socket, held by a descriptor while it is used; all of it blocks.

    Args:
        path: where it is.
        own: the sockets that are never asked.
    """

    def __init__(self, path: str, own: Own | None = None) -> None:
        self.path = path
        self._own = own
        self._held: int | None = None

    def hold(self) -> bool:
        """Hold what is there now; returns whether it is another one than was held.

        Raises:
            HttpError: it is not there, is closed to us, is no socket, or is our own.
        """
        try:
            fresh = os.open(self.path, os.O_PATH | os.O_CLOEXEC)
        except OSError as error:
            self.let_go()
            raise self._closed(error) from None
        try:
            self._check(fresh)
        except HttpError:
            os.close(fresh)
            self.let_go()
            raise
        if self._held is not None and _identity(self._held) == _identity(fresh):
            os.close(fresh)
            return False
        self.let_go()
        self._held = fresh
        return True

    @property
    def place(self) -> str:
        """The path that leads to what is held, whatever is put in its place meanwhile."""
        return f"/proc/self/fd/{self._held}"

    def let_go(self) -> None:
        """Hold nothing."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _check(self, held: int) -> None:
        if not stat.S_ISSOCK(os.fstat(held).st_mode):
            raise bad_answer("unix_socket of its definition names no socket")
        real, same = os.path.realpath(self.path), _identity(held)
        for path in self._own() if self._own is not None else ():
            known = None
            with suppress(OSError):
                known = _identity(path)
            if known == same or os.path.realpath(path) == real:
                raise HttpError(Reason.FORBIDDEN, {"socket": self.path})

    def _closed(self, error: OSError) -> HttpError:
        if is_own_limit(error):
            return of_connection(own_limit())
        if isinstance(error, PermissionError):
            return self.refused()
        return HttpError(Reason.REFUSED, {"address": f"unix:{self.path}"})

    def refused(self) -> HttpError:
        """Return what it means that we may not use it."""
        return HttpError(Reason.CREDENTIALS, {"socket": self.path})


def _identity(what: int | Path) -> tuple[int, int]:
    found = os.fstat(what) if isinstance(what, int) else what.stat()
    return found.st_dev, found.st_ino
