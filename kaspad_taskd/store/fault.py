"""What can go wrong with the state, as sentences that name the place and the cure."""

from __future__ import annotations

import errno
from enum import StrEnum
from pathlib import Path

from kaspad_taskd.base.descriptors import NO_MORE, is_exhausted, is_own_limit


class StoreError(Exception):
    """The state cannot be opened, read, copied or closed; its text is a sentence for people.

    At a start the daemon says it and exits 1.
    """


class NewerError(StoreError):
    """A newer version has changed the state: no try of this one can succeed (exit 78)."""


class UnwritableError(StoreError):
    """The state's directory lets us make no lock file; what is there can perhaps be read."""


class DamagedError(Exception):
    """The file is no sound database, or a row of it makes no sense."""


class Lost(StrEnum):
    """What is not in its place. The first that holds is told."""

    DIRECTORY = "directory"  # gone, moved, or covered by another
    LOCK = "lock"  # another program has made a lock file
    OTHER = "other"  # another file is in the place of the state
    STATE = "state"  # the state is gone from its place
    LOG = "log"  # one of those beside it is


_NO_WRITING = (
    errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE,
    errno.ENFILE,
)  # fmt: skip
_DAMAGE = (DamagedError, UnicodeDecodeError)  # SQLite quotes the file in what it complains of


def _kind(error: BaseException) -> str | None:
    """SQLite's own word for an error (`FULL` of `SQLITE_FULL`), None where it is not SQLite's.

    Of a detailed name (`SQLITE_IOERR_FSYNC`) it is the first word.
    """
    name: str | None = getattr(error, "sqlite_errorname", None)
    return None if name is None else name.split("_")[1]


def is_own(error: BaseException) -> bool:
    """Whether a change itself is at fault (it cannot be stored), not the disk or the file."""
    kind = _kind(error)
    return kind in ("TOOBIG", "CONSTRAINT", "MISMATCH") or (
        kind is None and not isinstance(error, (OSError, *_DAMAGE))
    )


def is_damage(error: BaseException) -> bool:
    """Whether, at a start, the file is at fault, so that moving it aside helps.

    ERROR is a wrong statement; ours are right, so the file's idea of its tables is wrong.
    """
    return isinstance(error, _DAMAGE) or _kind(error) in ("CORRUPT", "NOTADB", "ERROR")


def is_locked(error: BaseException) -> bool:
    """Whether another program uses the file just now."""
    return _kind(error) in ("BUSY", "LOCKED")


def is_unwritable(error: BaseException) -> bool:
    """Whether, at a start, the place lets nobody write, while what is there can perhaps be read."""
    if isinstance(error, UnwritableError):
        return True
    if isinstance(error, OSError):
        return error.errno in _NO_WRITING
    return _kind(error) in ("READONLY", "FULL", "CANTOPEN", "IOERR", "PERM")


def lost(what: Lost, path: Path, copy: Path | None = None) -> str:
    """Say that the state is not in its place any more, and the cure; `copy`: where it is kept."""
    match what:
        case Lost.DIRECTORY:
            return (
                f"{path.parent} is not the directory that was opened: put that one back in its "
                "place, or restart the daemon"
            )
        case Lost.LOCK:
            return f"another program has taken the lock of {path}: stop it, or restart the daemon"
        case Lost.OTHER:
            kept = "" if copy is None else f" (what was saved is in {copy})"
            return (
                f"another file is in the place of {path}, it is left alone{kept}: move it away, "
                "or restart the daemon to go on with it"
            )
        case Lost.STATE:
            return f"{path} was removed: it is written anew, try again"
        case Lost.LOG:
            return f"the log of {path} was removed: it is begun anew, try again"


def sentence(error: BaseException, path: Path) -> str:
    """Say what is wrong with the state at `path`, and the cure."""
    where = path.parent
    if is_own_limit(error) or (_kind(error) in ("CANTOPEN", "IOERR") and is_exhausted()):
        return f"{path}: {NO_MORE}"
    damaged = (
        f"{path} is damaged: restart the daemon, it saves what can be read and keeps the file aside"
    )
    match _kind(error):
        case "FULL":
            return f"the disk of {where} is full: free space there, no restart is needed"
        case "READONLY":
            return f"{where} is read-only: make it writable for the daemon's user"
        case "IOERR":
            return f"the disk of {where} fails ({error}): see its quota and the kernel's log"
        case "CANTOPEN" | "PERM" | "AUTH":
            return f"{path} cannot be opened: give it to the daemon's user"
        case "BUSY" | "LOCKED":
            return f"{path} is locked: close the program that has it open (a sqlite3 shell?)"
        case "CORRUPT" | "NOTADB":
            return damaged
        case None if isinstance(error, _DAMAGE):
            return damaged
        case None if not isinstance(error, OSError):
            return (
                f"a change cannot be stored ({type(error).__name__}: {error}), nor those after it"
            )
        case _:
            return f"{path}: {error}"
