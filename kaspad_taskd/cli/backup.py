"""`backup`: the daemon writes a copy beside its state; with --to it is brought to a directory.

That is done with the rights of who runs this: the daemon takes no path, and what it writes is its
user's alone. So it is for root, or for the daemon's user, as in kaspad-taskd-backup.service.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import time
from contextlib import contextmanager, suppress

from kaspad_taskd.cli.faults import Fault, UsageFault

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from kaspad_taskd.cli.copies import Copy
    from kaspad_taskd.cli.main import Run

_CHUNK = 1 << 20
_MODE = 0o600
_NEW = ".kaspad-taskd-backup.new"
"""What is being written; the next run clears what a crash has left of it."""


def run(run: Run) -> int:
    """Make a copy; print where it is, alone, for $(kaspad-taskctl backup)."""
    options = run.options
    if options.to is None:
        if options.keep is not None:
            raise UsageFault("--keep needs --to DIR", "kaspad-taskctl backup --help")
        answer = run.call("backup")
    else:
        to = os.path.abspath(options.to)  # noqa: PTH100
        try:
            answer = _bring(run, to, options.keep)
        except OSError as error:
            said = error.strerror or str(error)
            raise Fault("backup-failed", path=error.filename or to, why=said) from None
    if options.json:
        run.print_json(answer)
    else:
        run.screen.show([[(answer["path"], "")]])
    return 0


def _bring(run: Run, to: str, keep: int | None) -> dict[str, Any]:
    info = run.call("getInfo")
    state, host = str(info["store"]["path"]), str(info["host"])
    _may_read(state, to)
    with _held(to):
        made = run.call("backup")["path"]
        try:
            path, copy = _copied(made, to, host)
        finally:
            _clear(made, state)
        removed = [] if keep is None else _prune(to, host, path, copy, keep)
    return {
        "path": path,
        "journal": copy.journal,
        "seq": copy.seq,
        "tasks": copy.tasks,
        "events": copy.events,
        "removed": removed,
    }


def _may_read(state: str, to: str) -> None:
    """See, before anything is written, that the copy will be readable: it is as the state is."""
    if not os.path.isdir(to):  # noqa: PTH112
        raise Fault("backup-directory", directory=to)
    if not os.access(state, os.R_OK):
        raise Fault("backup-forbidden", directory=to)


@contextmanager
def _held(to: str) -> Iterator[None]:
    """Hold the directory: one that copies to it, and removes from it, at a time."""
    handle = os.open(to, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Fault("backup-busy", directory=to) from None
    finally:
        os.close(handle)


def _copied(made: str, to: str, host: str) -> tuple[str, Copy]:
    """Bring the daemon's copy to the directory, whole and read back, or not at all."""
    from kaspad_taskd.cli import copies

    fresh, path = f"{to}/{_NEW}", f"{to}/{copies.name_of(host, time.time())}"
    try:
        with suppress(FileNotFoundError):
            os.unlink(fresh)  # noqa: PTH108
        written = _write(made, fresh)
        if _digest(fresh) != written:
            raise Fault("backup-unsound", path=path)
        copy = copies.examine(fresh)
        if copy is None:
            raise Fault("backup-unsound", path=path)
        os.rename(fresh, path)  # noqa: PTH104
        _sync(to)
    finally:
        with suppress(OSError):
            os.unlink(fresh)  # noqa: PTH108
    return path, copy


def _write(source: str, target: str) -> bytes:
    """Copy a file to a new one, to the disk; returns the digest of what was read."""
    digest = hashlib.sha256()
    # root takes nobody's word for what it opens: not a pipe that never ends, nor a link
    careful = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    reading = os.open(source, os.O_RDONLY | careful)
    with open(reading, "rb") as old:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(reading).st_mode):
            raise OSError(errno.EINVAL, "it is no file", source)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(target, flags, _MODE), "wb") as new:  # noqa: PTH123
            while chunk := old.read(_CHUNK):
                digest.update(chunk)
                new.write(chunk)
            new.flush()
            os.fsync(new.fileno())
    return digest.digest()


def _digest(path: str) -> bytes:
    """The digest of what the disk has."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:  # noqa: PTH123
        with suppress(OSError):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()


def _sync(path: str) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _clear(made: str, state: str) -> None:
    """Remove the daemon's copy: it has been brought away. Nothing else, whatever was answered."""
    from kaspad_taskd.cli import copies

    place, _, name = made.rpartition("/")
    if place == state.rpartition("/")[0] and copies.OF_THE_DAEMON.fullmatch(name):
        with suppress(OSError):
            if copies.is_plain(made):
                os.unlink(made)  # noqa: PTH108


def _prune(to: str, host: str, path: str, copy: Copy, keep: int) -> list[str]:
    """Remove older copies of the same state beside a new one, all but `keep` with that one.

    The newest are those with the highest last event, then the latest name: no clock decides alone.
    """
    from kaspad_taskd.cli import copies

    found: list[tuple[int, str, int]] = []
    for entry in os.scandir(to):
        if entry.path == path or not copies.is_ours(entry.name, host):
            continue
        with suppress(OSError):
            if copies.is_plain(entry.path):
                known = copies.examine(entry.path)
                if known is not None and known.lineage == copy.lineage:
                    found.append((known.seq, entry.path, os.lstat(entry.path).st_ino))
    found.sort(reverse=True)
    removed = []
    for _seq, old, number in found[keep - 1 :]:
        with suppress(OSError):
            if copies.is_plain(old) and os.lstat(old).st_ino == number:
                os.unlink(old)  # noqa: PTH108
                removed.append(old)
    return removed
