"""Who listens on a port of this host, as far as the kernel tells an ordinary user."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
_LISTENS: Final = "0A"
_MOST: Final = 64 << 20
"""Bytes of a table of connections that are read: half a million lines."""


def holder(port: int, proc: Path = PROC) -> str | None:
    """Return `nginx (pid 812) of user root`, or as much of it as is told; None for nobody. Blocks.

    The user stands in the kernel's table; the program is shown to root and to its own user.
    """
    found = next(_listeners(port, proc), None)
    if found is None:
        return None
    uid, inode = found
    program = _program(inode, proc)
    return f"{program or 'a program'} of user {_name(uid)}"


def _listeners(port: int, proc: Path) -> Iterator[tuple[int, str]]:
    """Uid and inode of each socket that listens on a port, of any address."""
    for table in ("tcp", "tcp6"):
        try:
            with (proc / "net" / table).open() as lines:
                rows = lines.read(_MOST).splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if len(fields) > 9 and fields[3] == _LISTENS and _port(fields[1]) == port:
                yield int(fields[7]), fields[9]


def _port(local: str) -> int:
    return int(local.rpartition(":")[2], 16)


def _program(inode: str, proc: Path) -> str | None:
    wanted = f"socket:[{inode}]"
    for process in proc.iterdir():
        if process.name.isdigit() and _has(process, wanted):
            try:
                name = (process / "comm").read_text(errors="replace").strip()
            except OSError:
                return None
            shown = "".join(each if each.isprintable() else "?" for each in name)
            return f"{shown[:40]} (pid {process.name})"
    return None


def _has(process: Path, wanted: str) -> bool:
    try:
        with os.scandir(process / "fd") as files:
            return any(os.readlink(each) == wanted for each in files)  # noqa: PTH115
    except OSError:  # another user's, or it has ended
        return False


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
