"""One TOML file, read within bounds; whatever is wrong with it is a fault that names the cure."""

from __future__ import annotations

import errno
import os
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from kaspad_taskd.base.tables import Fault
from kaspad_taskd.base.values import quote

MAX_BYTES: Final = 256 * 1024
"""Size of a settings or definition file; real ones have one or two KiB."""

MAX_DOTS: Final = 200
"""Dots in a line. tomllib takes a minute for a key of 60,000 parts, and less than a second for a
file full of keys of 200."""


_NULL: Final = os.makedev(1, 3)


def is_null(path: Path) -> bool:
    """Whether it is /dev/null, or a link to it: somebody wants nothing to be here."""
    try:
        return is_null_device(path.stat())
    except OSError:
        return False


def is_null_device(status: os.stat_result) -> bool:
    """Whether this is what `stat` says of /dev/null."""
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == _NULL


def shown(path: Path) -> str:
    """Return a path as text that can be written anywhere, whatever bytes it has."""
    return os.fsencode(path).decode("utf-8", "replace")


def read_toml(path: Path) -> dict[str, Any] | Fault:
    """Return the top table of a TOML file, or why there is none. Blocks, on a regular file only."""
    try:
        text = read_bounded(path, MAX_BYTES).decode("utf-8-sig").replace("\r\n", "\n")
        _check_dots(text)
        return tomllib.loads(text)
    except OSError as error:
        problem = os_problem(path, error)
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text (byte {error.start + 1}); save it as UTF-8"
    except RecursionError:
        problem = "is no TOML: nested too deeply"
    except ValueError as error:
        problem = f"is no TOML: {_one_line(error)}"
    return Fault("", problem, shown(path))


def os_problem(path: Path, error: OSError) -> str:
    """Return what an OSError at a file or directory means and what to do about it."""
    if isinstance(error, _UnfitError):
        return str(error)
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"may not be read by uid {os.geteuid()}; make it readable for the daemon's user"
    if error.errno == errno.ELOOP:
        return "is a link that leads to itself; remove it"
    if error.errno == errno.ENOENT and path.is_symlink():
        return "is a link to nothing; remove it, or make what it points to"
    if error.errno == errno.ENOTDIR:
        return "is no directory"
    return f"cannot be read: {error.strerror or error}"


class _UnfitError(OSError):
    """Not what is read here; the sentence says why."""


def read_bounded(
    path: Path, most: int, look: Callable[[os.stat_result], object] = lambda _: None
) -> bytes:
    """Return what is in a regular file. Blocks, on a regular file only.

    Args:
        path: of the file.
        most: bytes that it may have, whole KiB.
        look: sees what kind of file it is before it is read.

    Raises:
        OSError: it cannot be read, is none, or is too large: `os_problem` says what that means.
    """
    # A pipe in place of a file would block the open for ever.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:  # a directory's handle is no file's: that would neither take it nor close it
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            raise _UnfitError("is a directory; it must be a file")
        if not stat.S_ISREG(status.st_mode):
            raise _UnfitError("is no regular file")
        look(status)
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(most + 1)
    finally:
        os.close(handle)
    if len(data) > most:
        raise _UnfitError(f"is larger than {most // 1024} KiB")
    return data


def _check_dots(text: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MAX_DOTS:
            raise ValueError(f"more than {MAX_DOTS} dots (at line {number})")


def _one_line(error: ValueError) -> str:
    """Its first line, without the text that it quotes at length."""
    return quote(str(error).split("\n")[0]).strip('"') if len(str(error)) > 200 else str(error)
