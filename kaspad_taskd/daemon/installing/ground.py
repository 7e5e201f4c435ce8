"""Whether a program's files are root's alone: what root and systemd run, nobody else may change."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from kaspad_taskd.switching.trust import way

HIDDEN: Final = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - to be refused
"""What the unit's sandbox hides (ProtectHome=, PrivateTmp=)."""


def doubt(
    tops: Iterable[Path],
    owner: int = 0,
    root: Path = Path("/"),
    *,
    below: bool = True,
    also: int | None = None,
) -> str | None:
    """Return why one of these files and directories is not to be run as root, or None.

    Each of them, each directory on the way to it and everything below it has to be the owner's and
    writable by the owner alone; links are followed. One that is not there yet is judged by who
    could make it.

    Args:
        tops: absolute paths.
        owner: the user whose they have to be: root.
        root: of the host that is looked at; what is outside of it is not asked.
        below: False, to look at the way alone.
        also: another user who may own them.

    Raises:
        OSError: something cannot be looked at.
    """
    for path, found in _reached(tops, root, below=below):
        device = not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode))
        if not device and (why := _writable(found, (owner, also))):  # /dev/null stays what it is
            return f"{path} {why}"
    return None


def _writable(found: os.stat_result, owners: Sequence[int | None]) -> str | None:
    if found.st_uid not in owners:
        return f"belongs to uid {found.st_uid}: chown root it"
    if stat.S_IMODE(found.st_mode) & 0o022:
        return "can be written by others: chmod go-w it"
    return None


def closed(tops: Iterable[Path], root: Path = Path("/")) -> str | None:
    """Return why the service's user, who is nobody's group, could not run what is there, or None.

    Args:
        tops: absolute paths; everything below them counts.
        root: as above.

    Raises:
        OSError: something cannot be looked at.
    """
    for path, found in _reached(tops, root):
        need = 0o005 if stat.S_ISDIR(found.st_mode) else 0o004
        if found.st_mode & need != need:
            return f"{path} is closed to the user kaspad-taskd: chmod o+rX it"
    return None


def hidden(path: Path) -> str | None:
    """Return the directory that hides a path from the service, or None."""
    real = path.resolve()
    return next((each for each in HIDDEN if real.is_relative_to(each)), None)


def _reached(
    tops: Iterable[Path], root: Path, *, below: bool = True
) -> Iterator[tuple[Path, os.stat_result]]:
    """Each file and directory once: on the way, named, and below; links as what they lead to."""
    told: set[Path] = set()
    walked: set[Path] = set()
    stack = [_there(top) for top in tops]
    while stack:
        top = stack.pop()
        if not top.resolve().is_relative_to(root):
            continue
        steps = list(way(top))
        for step in steps:
            if step not in told and step.is_relative_to(root):
                told.add(step)
                yield step, step.stat()
        if below:
            yield from _below(steps[-1], told, walked, stack)


def _below(
    top: Path, told: set[Path], walked: set[Path], stack: list[Path]
) -> Iterator[tuple[Path, os.stat_result]]:
    """What is below a directory to which no link leads; links in it go on the stack."""
    waiting = [top] if top.is_dir() else []
    while waiting:
        directory = waiting.pop()
        if directory in walked:
            continue
        walked.add(directory)
        with os.scandir(directory) as entries:
            for entry in entries:
                path = Path(entry.path)
                if entry.is_symlink():
                    stack.append(_there(path))
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                if path not in told:
                    told.add(path)
                    yield path, entry.stat(follow_symlinks=False)


def _there(path: Path) -> Path:
    """The path, or where somebody could make it: a link to nothing leads somewhere, too."""
    real = path
    while not real.exists():
        real = Path(os.path.realpath(real)).parent
    return real
