"""Whose word counts: files that nobody but root, or the user whose helper this is, can change."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from kaspad_taskd.config.reading import is_null_device

DOCKER: Final = Path("/var/run/docker.sock")
LINKS: Final = 40
"""As many links in a row does Linux follow (path_resolution(7))."""


def doubt(path: Path, uid: int, docker: Path | None = None) -> str | None:
    """Return why a file is not to be trusted, or None.

    It, and each directory on the way to it, must be root's or `uid`'s, and writable by its owner
    alone (an ACL that lets others write shows in the group's bits). Links are followed; each
    directory that they are in, or lead through, counts.

    Args:
        path: absolute.
        uid: whose helper this is.
        docker: the socket whose group may own it as well: they could run containers themselves.

    Raises:
        OSError: it is not there, or cannot be looked at.
    """
    for each in way(path):
        found = each.stat()
        if is_null_device(found):
            continue
        if found.st_uid not in (0, uid) and not (docker and _may_use(found.st_uid, docker)):
            return f"{each} belongs to uid {found.st_uid}: chown root it"
        if stat.S_IMODE(found.st_mode) & 0o022:
            return f"{each} can be written by others: chmod go-w it"
    return None


def way(path: Path) -> Iterator[Path]:
    """Yield each directory that an absolute path leads through, then what it names; never a link.

    Raises:
        OSError: it is not there, or cannot be looked at.
    """
    here, names, links = Path("/"), [*reversed(path.parts[1:])], 0
    yield here
    while names:
        name = names.pop()
        found = here.parent if name == ".." else here / name
        if not found.is_symlink():
            here = found
            yield here
            continue
        links += 1
        if links > LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target = found.readlink()
        here = Path("/") if target.is_absolute() else here
        names += reversed(target.parts[target.is_absolute() :])


def _may_use(uid: int, socket: Path) -> bool:
    """Whether a user is in the group of a socket."""
    try:
        group = socket.stat().st_gid
        user = pwd.getpwuid(uid)
        members = grp.getgrgid(group).gr_mem
    except (OSError, KeyError):
        return False
    return user.pw_gid == group or user.pw_name in members


def readers(paths: Sequence[Path]) -> tuple[int, int]:
    """Return a group, and a mode with which a new file is read by those who can read all of these.

    Raises:
        OSError: one cannot be looked at.
    """
    found = [each.stat() for each in paths]

    def reads(group: int) -> bool:
        return all(each.st_mode & (0o040 if each.st_gid == group else 0o004) for each in found)

    group = next((each.st_gid for each in found if reads(each.st_gid)), found[0].st_gid)
    others = 0o004 if all(each.st_mode & 0o004 for each in found) else 0
    return group, 0o600 | (0o040 if reads(group) else 0) | others
