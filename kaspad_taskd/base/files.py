"""Files that are whole or not there: written beside, synced, renamed; and bad ones moved aside."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path


def write_atomically(path: Path, data: bytes, mode: int = 0o640) -> None:
    """Put `data` at `path`: after a crash or a power cut the old or the new content, whole.

    Args:
        path: replaced if it exists (a link itself is replaced, not what it points to).
        data: the new content.
        mode: permissions of the new file, whatever the umask.

    Raises:
        OSError: the directory is missing, not writable or full; `path` is as it was.
    """
    fresh = begin(path, mode)
    try:
        fresh.write_bytes(data)
        _publish(fresh, path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def begin(path: Path, mode: int) -> Path:
    """Make the empty file, beside `path`, that is to become it; `publish` does that.

    The name is fixed, so what a crash leaves is cleared by the next write. Never follows a link.

    Raises:
        OSError: it cannot be made.
    """
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        os.fchmod(handle, mode)
    finally:
        os.close(handle)
    return fresh


def publish(fresh: Path, path: Path) -> None:
    """Bring `fresh` to the disk, then to its name `path`, then that name to the disk.

    Raises:
        OSError: one of the three failed.
    """
    _publish(fresh, path)


def _publish(fresh: Path, path: Path) -> None:
    sync(fresh)
    fresh.rename(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Bring names made, changed or removed in a directory to the disk.

    Raises:
        OSError: the disk failed.
    """
    sync(path)


def sync(path: Path) -> None:
    """Bring a file to the disk.

    Raises:
        OSError: the disk failed.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def size_of(*paths: Path) -> int:
    """Return the bytes of all these files together; one that is not there has none."""
    total = 0
    for path in paths:
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total


def quarantine(path: Path, now: int, companions: Sequence[str] = ()) -> Path:
    """Move a file that cannot be used aside, as `NAME.corrupt-<UTC>`, and return its new path.

    Args:
        path: the file.
        now: ms since 1970 UTC, for the name.
        companions: endings of files that belong to it (`-wal`) and go along where they exist.

    Raises:
        OSError: it could not be moved.
    """
    aside = unused(path.with_name(f"{path.name}.corrupt-{stamp(now)}"))
    path.rename(aside)
    for ending in companions:
        companion = path.with_name(path.name + ending)
        if companion.exists():
            companion.rename(aside.with_name(aside.name + ending))
    sync_directory(path.parent)
    return aside


def stamp(now: int) -> str:
    """Return ms since 1970 UTC as names of files have it: `20261124T105500Z`."""
    return datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")


def unused(path: Path) -> Path:
    """Return the path, with a number behind it where it is taken: nothing is overwritten."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name}.{number}")
    return candidate
