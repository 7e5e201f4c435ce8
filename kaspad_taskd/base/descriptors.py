"""Open files of this process: how many there may be, who may have them, and what it means to lack.

Each connection is one, each probe's too. What the doors may take is decided at the start, so that
looks, store and log never have to ask a client for theirs.
"""

from __future__ import annotations

import errno
import os
import resource
from functools import cache
from typing import Final

WANTED: Final = 32_768
"""Open files that the soft limit is raised to at the start, as far as the hard one goes."""
LEAST: Final = 4
"""Places of a door, however few files there are."""
STORE: Final = 16
"""What store, log and listening sockets will have open."""
UNLIMITED: Final = 1 << 20
"""What "unlimited" counts as."""
NO_MORE: Final = "kaspad-taskd may open no more files: raise LimitNOFILE in its unit"
"""What the log has when this process is at its limit."""
_OURS: Final = (errno.EMFILE, errno.ENFILE)
_KEPT: Final = 16
"""Files that are held for the moment at which there are no others: see Spare."""


def allow_files(count: int) -> None:
    """Raise the soft limit of open files to `count`, as far as the hard one goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def limit() -> int:
    """Return how many files this process may have open."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return UNLIMITED if soft == resource.RLIM_INFINITY else soft


def open_now() -> int:
    """Return how many it has open."""
    try:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names alone
    except OSError:  # no /proc, or not even a file for this question
        return 32


def share(doors: int) -> int:
    """Return the connections that each of `doors` may have, of what is left at the start.

    Half of it is the doors', the other half stays for looks, store and log.
    """
    return share_of(limit(), open_now() + STORE, doors)


def share_of(may: int, has: int, doors: int) -> int:
    """Return each door's share of `may` files, where `has` are open."""
    return max(LEAST, (may - has) // 2 // max(1, doors))


def is_own_limit(error: BaseException | None) -> bool:
    """Whether an error, or what led to it, is that this process (or host) may open no more files.

    Libraries wrap it, and some keep its number in their text alone.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if getattr(error, "errno", None) in _OURS:
            return True
        if isinstance(error, OSError) and any(f"[Errno {each}]" in str(error) for each in _OURS):
            return True
        error = getattr(error, "os_error", None) or error.__cause__ or error.__context__
    return False


def is_crowded(below: int) -> bool:
    """Whether all files with numbers below a bound are open: then each new one is beyond it.

    The kernel gives the lowest number that is free, so that this asks for no list of them. It is
    asked whenever looks begin: another number for a file that is open costs a fifth of opening one.
    """
    try:
        lowest = os.dup(_any_file())
    except OSError:
        return True
    os.close(lowest)
    return lowest >= below


@cache
def _any_file() -> int:
    """Return a file that stays open, to be given other numbers."""
    return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


def is_exhausted() -> bool:
    """Whether not one more file can be opened at this moment.

    For errors that do not tell: a name that cannot be looked up, a database that "cannot open".
    """
    try:
        os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return error.errno in _OURS
    return False


def why(error: OSError) -> str:
    """Return what an error of the system says, and whose files they are that are too many."""
    if is_own_limit(error):
        return "kaspad-taskd may open no more files (LimitNOFILE of its unit)"
    return error.strerror or str(error)


class Spare:
    """Files held back: let go one by one when there are none left, taken again as others go."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._held: list[int] = []
        self.fill()

    @classmethod
    def of(cls, may: int) -> Spare:
        """Return as many as are fit for a limit of `may` files."""
        return cls(min(_KEPT, may // 32))

    def fill(self) -> None:
        """Hold as many as before again, as far as there are any."""
        while len(self._held) < self._count:
            try:
                self._held.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
            except OSError:
                return

    def let_go(self) -> bool:
        """Let one go; returns whether there was one."""
        if not self._held:
            return False
        os.close(self._held.pop())
        return True

    def close(self) -> None:
        """Hold none any more."""
        self._count = 0
        while self.let_go():
            pass
