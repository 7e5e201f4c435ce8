"""Whose word counts: files that nobody but root, or the user whose helper this is, can change."""

from __future__ import annotations

import grp
import pwd
import stat
from pathlib import Path
from typing import Final

DOCKER: Final = Path("/var/run/docker.sock")


def doubt(path: Path, uid: int, docker: Path | None = None) -> str | None:
    """Return why a file is not to be trusted, or None.

    It, and each directory on the way to it, must be root's or `uid`'s, and writable by its owner
    alone (an ACL that lets others write shows in the group's bits). A link is followed; the
    directories of both ends count.

    Args:
        path: absolute.
        uid: whose helper this is.
        docker: the socket whose group may own it as well: they could run containers themselves.

    Raises:
        OSError: it is not there, or cannot be looked at.
    """
    real = path.resolve(strict=True)
    for each in dict.fromkeys((real, *real.parents, *path.parents)):
        found = each.stat()
        if found.st_uid not in (0, uid) and not (docker and _may_use(found.st_uid, docker)):
            return f"{each} belongs to uid {found.st_uid}: chown root it"
        if stat.S_IMODE(found.st_mode) & 0o022:
            return f"{each} can be written by others: chmod go-w it"
    return None


def _may_use(uid: int, socket: Path) -> bool:
    """Whether a user is in the group of a socket."""
    try:
        group = socket.stat().st_gid
        user = pwd.getpwuid(uid)
        members = grp.getgrgid(group).gr_mem
    except (OSError, KeyError):
        return False
    return user.pw_gid == group or user.pw_name in members


def readers(path: Path) -> tuple[int, int]:
    """Return the group of a file, and a mode with which a new one is read by the same people.

    Raises:
        OSError: it cannot be looked at.
    """
    found = path.stat()
    return found.st_gid, 0o600 | (stat.S_IMODE(found.st_mode) & 0o044)
