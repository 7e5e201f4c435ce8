"""Masks: links to /dev/null in the administrator's directory, made and removed with our own rights.

Which directory that is a daemon has told us. Root takes nobody's word for where it writes: every
directory on the way must be root's alone.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager

from kaspad_taskd.cli.faults import Fault

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Iterator

NULL = "/dev/null"
_NULL = os.makedev(1, 3)
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def mask(directory: str, name: str) -> bool:
    """Mask the definition whose file is `name`; return whether it was not masked before.

    Args:
        directory: where masks are; made where it is missing.
        name: of the file ("node-sync-kaspa-node.toml").

    Raises:
        Fault: `mask-own`: a file of that name is there; `mask-foreign`: the directory is not
            root's alone, and we are root.
        OSError: it cannot be made.
    """
    _make(directory)
    with _opened(directory) as place:
        try:
            os.symlink(NULL, name, dir_fd=place)  # whole or not there, and in nobody's place
        except FileExistsError:
            if _is_mask(name, place):
                return False
            raise Fault("mask-own", file=f"{directory}/{name}", move=_move(directory)) from None
        os.fsync(place)
    return True


def unmask(directory: str, name: str) -> bool:
    """Remove a mask, and nothing else; return whether there was one.

    Raises:
        Fault: `mask-foreign`, as in `mask`.
        OSError: it cannot be removed.
    """
    try:
        with _opened(directory) as place:
            if not _is_mask(name, place):
                return False
            os.unlink(name, dir_fd=place)
            os.fsync(place)
    except FileNotFoundError:
        return False
    return True


def _make(directory: str) -> None:
    """Make it where it is missing; as root only where it will be root's alone."""
    above = os.path.realpath(directory)
    while not os.path.lexists(above):
        above = os.path.dirname(above)  # noqa: PTH120 - pathlib costs start time
    if os.geteuid() == 0 and not is_roots_alone(above):
        raise Fault("mask-foreign", directory=directory)
    os.makedirs(directory, 0o755, exist_ok=True)  # noqa: PTH103


def _move(directory: str) -> str:
    return "mv" if os.access(directory, os.W_OK) else "sudo mv"


@contextmanager
def _opened(directory: str) -> Iterator[int]:
    path = os.path.realpath(directory)
    if os.geteuid() == 0 and not is_roots_alone(path):
        raise Fault("mask-foreign", directory=directory)
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)


def is_roots_alone(path: str) -> bool:
    """Whether nobody else can put another directory in the place of one on the way.

    Args:
        path: a real one, without links.
    """
    while True:
        status = os.lstat(path)
        sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
        if status.st_uid != 0 or (status.st_mode & _OTHERS and not sticky):
            return False
        if path == "/":
            return True
        path = path.rpartition("/")[0] or "/"


def _is_mask(name: str, place: int) -> bool:
    try:
        link = os.stat(name, dir_fd=place, follow_symlinks=False)
        target = os.stat(name, dir_fd=place)
    except OSError:
        return False
    leads = stat.S_ISCHR(target.st_mode) and target.st_rdev == _NULL
    return stat.S_ISLNK(link.st_mode) and leads
