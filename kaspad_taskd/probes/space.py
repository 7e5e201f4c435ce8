"""How much room the file system of a directory has, or what hides the directory from us.

Only the directory itself is asked. What a sandbox puts in its place, and what lies above it, may
belong to another file system, whose room says nothing.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.observation import Scalar
from kaspad_taskd.core.runway import Space

MOUNTS: Final = Path("/proc/self/mountinfo")
"""Our own mounts; it is there with ProcSubset=pid too."""
_HOMES: Final = ("/home", "/root", "/run/user")
"""What ProtectHome= hides."""
_TEMPORARY: Final = ("/tmp", "/var/tmp")  # noqa: S108 - what PrivateTmp= has its own of
_PLAIN: Final = re.compile(r"/[A-Za-z0-9._/@+-]*")
"""What can stand in a unit file and in a shell as it is."""
_OURS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR})
"""What tells of us, not of the directory."""
_ENTRIES, _DEPTH = 500, 6
"""So much is looked at to see whether a directory is a stand-in."""
_AT: Final = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


@frozen
class Hidden:
    """A directory that cannot be seen: what its hint says."""

    params: Mapping[str, Scalar]


def measure(path: str) -> Space | Hidden | None:
    """Return the room of the file system that holds a directory, or what hides it. May block.

    None where nothing was learnt: what was missing was ours.
    """
    try:
        opened = os.open(path, _AT)
    except OSError as error:
        return None if error.errno in _OURS else Hidden(_why(path, error))
    try:
        if kind := _stand_in(opened):
            return Hidden(_covered(path, path, kind))
        return _space(path, os.statvfs(opened))
    except OSError as error:
        return None if error.errno in _OURS else Hidden(_why(path, error))
    finally:
        os.close(opened)


def _space(path: str, found: os.statvfs_result) -> Space | Hidden:
    if not found.f_blocks:  # a file system without a size: an automount that nobody woke, /proc
        return Hidden({"path": path, "problem": "its file system tells no size"})
    size = found.f_frsize or found.f_bsize
    inodes = found.f_favail if found.f_files else None
    return Space(found.f_bavail * size, found.f_blocks * size, inodes, found.f_files or None)


def _why(path: str, error: OSError) -> dict[str, Scalar]:
    """What keeps us from a directory: found by going down to it."""
    reached = "/"
    for part in _ways(path):
        try:
            opened = os.open(part, os.O_PATH | os.O_CLOEXEC)
        except OSError as refusal:
            error = refusal
            break
        try:
            if not stat.S_ISDIR(os.fstat(opened).st_mode):
                return {"path": path, "problem": f"{part} is no directory"}
            if kind := _stand_in(opened):
                return _covered(path, part, kind)
        finally:
            os.close(opened)
        reached = part
    if error.errno == errno.EACCES:
        return _named(path, "home" if _home(reached) else "closed", reached)
    if error.errno == errno.ENOENT:
        own = _own_temporary(path)
        return _named(path, "tmp", own) if own else {"path": path, "missing": path}
    return {"path": path, "problem": error.strerror or str(error)}


def _ways(path: str) -> Iterator[str]:
    """The directories on the way to a path, and the path."""
    for each in (*reversed(Path(path).parents), Path(path)):
        yield str(each)


def _covered(path: str, covered: str, kind: str) -> dict[str, Scalar]:
    if covered in _TEMPORARY:
        return _named(path, "tmp", covered)
    return _named(path, "home" if _home(covered) else kind, covered)


def _named(path: str, key: str, what: str) -> dict[str, Scalar]:
    """The params of a hint, whose cure can be typed where the path is a plain one."""
    return {"path": path, key: what, **({"plain": path} if _PLAIN.fullmatch(path) else {})}


def _home(path: str) -> bool:
    """Whether it is a place that the sandbox covers whole: a home in it would be reached."""
    return path in _HOMES


def _own_temporary(path: str) -> str | None:
    """The directory for temporary files above a path, where ours is not everybody's."""
    place = next((each for each in _TEMPORARY if path.startswith(f"{each}/")), None)
    mounts = [] if place is None else list(_mounts())
    private = any(at == place and "systemd-private-" in root for _, root, at, _ in mounts)
    return place if private else None


def _stand_in(opened: int) -> str | None:
    """How a sandbox put this directory in the place of the real one, None where it did not.

    systemd covers with a directory of mode 000 ("inaccessible"), or with a tmpfs in which there is
    nothing but what leads to places that are let through ("covered").
    """
    found = os.fstat(opened)
    if stat.S_IMODE(found.st_mode) == 0 and found.st_uid == 0:
        return "inaccessible"
    empty = _is_tmpfs(found.st_dev) and _has_no_file(opened, found.st_dev)
    return "covered" if empty else None


def _is_tmpfs(device: int) -> bool:
    number = f"{os.major(device)}:{os.minor(device)}"
    return any(which == number and kind == "tmpfs" for which, _, _, kind in _mounts())


def _mounts() -> Iterator[tuple[str, str, str, str]]:
    """Device, root in the file system, mount point and type of each mount of ours."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        fields, _, kind = line.partition(" - ")
        parts = fields.split(" ")
        if len(parts) > 4:
            yield parts[2], parts[3], parts[4], kind.split(" ")[0]


def _has_no_file(opened: int, device: int) -> bool:
    """Whether nothing lies in a directory but directories; what may not be read may hold some."""
    left = _ENTRIES
    waiting = [(f"/proc/self/fd/{opened}", 0)]
    while waiting:
        place, depth = waiting.pop()
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    left -= 1
                    if left < 0 or not entry.is_dir(follow_symlinks=False):
                        return False
                    if entry.stat(follow_symlinks=False).st_dev == device:
                        waiting.append((entry.path, depth + 1))
        except OSError:
            return False
        if depth >= _DEPTH:
            return False
    return True
