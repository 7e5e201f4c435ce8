"""A file put in its place with the caller's rights: whole or not at all, by nobody else's leave."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from kaspad_taskd.cli.faults import Fault
from kaspad_taskd.cli.masks import is_roots_alone

_LIMIT = 1 << 20  # bytes; a definition has a KiB


def content(path: str) -> bytes:
    """Return a file, whatever stands at a path that a daemon has told: no pipe is waited for.

    Raises:
        OSError: it cannot be read, is no file or longer than a definition may be.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as file:  # noqa: PTH123 - pathlib costs start time
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError("it is no file")
        data = file.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        raise OSError("it is longer than 1 MiB")
    return data


def read(path: str) -> bytes:
    """Return a file.

    Raises:
        Fault: `bad-file`.
    """
    try:
        return content(path)
    except OSError as error:
        raise Fault("bad-file", file=path, detail=error.strerror or str(error)) from None


def may_place(target: str, task_id: str) -> None:
    """See, before anybody types, that the file could be put there.

    Raises:
        Fault: `edit-forbidden`: not with these rights; `edit-place`: root writes nothing where
            somebody else could put another file, or a link, in its place.
    """
    directory = os.path.dirname(target)  # noqa: PTH120 - as above
    while not os.path.exists(directory):  # noqa: PTH110 - it will be made
        directory = os.path.dirname(directory)  # noqa: PTH120
    if not os.access(directory, os.W_OK | os.X_OK, effective_ids=True):
        raise Fault("edit-forbidden", file=target, id=task_id)
    if os.geteuid() == 0 and not is_roots_alone(os.path.realpath(directory)):
        owner = _owner(os.stat(directory).st_uid)  # noqa: PTH116
        raise Fault("edit-place", directory=directory, id=task_id, owner=owner)


def _owner(uid: int) -> str | None:
    """The user whose directory it is; None where that is root, and others may write there too."""
    from pwd import getpwuid

    try:
        return getpwuid(uid).pw_name if uid else None
    except KeyError:
        return f"#{uid}"


def place(target: str, text: bytes) -> None:
    """Put a file in its place, on the disk; it keeps mode and owner of the one that was there.

    Raises:
        Fault: `edit-failed`; what was there is as it was.
    """
    directory, name = os.path.split(target)
    fresh = f"{directory}/.{name}.{os.getpid()}"
    try:
        os.makedirs(directory, mode=0o755, exist_ok=True)  # noqa: PTH103
        _write(fresh, text, target)
        os.rename(fresh, target)  # noqa: PTH104
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise Fault("edit-failed", file=target, why=error.strerror or str(error)) from None
    finally:
        with suppress(OSError):
            os.unlink(fresh)  # noqa: PTH108


def _write(fresh: str, text: bytes, like: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(fresh, flags, 0o600), "wb") as file:  # noqa: PTH123
        file.write(text)
        file.flush()
        try:
            old = os.stat(like)  # noqa: PTH116
        except FileNotFoundError:
            os.fchmod(file.fileno(), 0o644)
        else:
            if os.geteuid() == 0:
                os.fchown(file.fileno(), old.st_uid, old.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode))
        os.fsync(file.fileno())
