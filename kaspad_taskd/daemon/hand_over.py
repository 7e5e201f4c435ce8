"""Gives to root what an earlier version gave to the daemon: the files of secrets/, one by one.

A program of its own for the package's postinst, `python3 -I hand_over.py DIRECTORY`: standard
library alone. What is changed is what was looked at, by its descriptor, and no link is followed:
the daemon may have had all day to prepare the place.
"""

from __future__ import annotations

import os
import pwd
import stat
import sys
from collections.abc import Iterator

USER = "kaspad-taskd"
_PASSWORDS = 4  # colons of a line HOST:PORT:DATABASE:USER:PASSWORD, at least
_LOOK = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_LONG = 65_536  # bytes of a file that are looked at


def is_owners_alone(found: os.stat_result, uid: int, gid: int) -> bool:
    """Whether the daemon (`uid`, of the group `gid`) can read a file only because it owns it."""
    mode = found.st_mode
    by_group = found.st_gid == gid and mode & stat.S_IRGRP
    by_others = found.st_gid != gid and mode & stat.S_IROTH
    return found.st_uid == uid and bool(mode & stat.S_IRUSR) and not (by_group or by_others)


def is_password_file(content: bytes) -> bool:
    """Whether PostgreSQL's clients would read passwords there: at 0600 of their user alone."""
    lines = [line for line in content.splitlines() if line.strip() and not line.startswith(b"#")]
    return bool(lines) and all(
        line.count(b":") >= _PASSWORDS and b"://" not in line for line in lines
    )


def hand_over(place: str, uid: int, gid: int, *, root: int = 0) -> Iterator[str]:
    """Give what only its owner could read to `root` and the group; yields what was done to what.

    Directories of the daemon's become 0750, files 0640. What it can read as one of its group, or as
    anybody, stays as it is, and so does a file with a second name.

    Raises:
        OSError: the place is no directory, or a file cannot be given.
    """
    top = os.open(place, _LOOK | os.O_DIRECTORY)
    try:
        yield from _within(top, place, (uid, gid, root))
    finally:
        os.close(top)


def _within(directory: int, place: str, who: tuple[int, int, int]) -> Iterator[str]:
    for name in sorted(os.listdir(directory)):
        try:
            each = os.open(name, _LOOK, dir_fd=directory)
        except OSError:  # a link, a socket
            continue
        try:
            yield from _one(each, f"{place}/{name}", who)
        finally:
            os.close(each)


def _one(each: int, path: str, who: tuple[int, int, int]) -> Iterator[str]:
    uid, gid, _ = who
    found = os.fstat(each)
    if stat.S_ISDIR(found.st_mode):
        if found.st_uid == uid:  # before its names are read: from now on they stay
            yield _give(each, path, who, 0o750)
        yield from _within(each, path, who)
    elif stat.S_ISREG(found.st_mode) and is_owners_alone(found, uid, gid) and found.st_nlink == 1:
        if is_password_file(os.read(each, _LONG)):
            yield f"{path} is a password file of PostgreSQL's clients, and stays as it is"
        else:
            yield _give(each, path, who, 0o640)


def _give(each: int, path: str, who: tuple[int, int, int], mode: int) -> str:
    _, gid, root = who
    os.fchmod(each, mode)  # first: it can be read at any time
    os.fchown(each, root, gid)
    return f"{path} is now root:{USER} {mode:04o}"


def main(place: str) -> int:
    """Do it, and say what was done to what; returns the exit code."""
    try:
        user = pwd.getpwnam(USER)
        for said in hand_over(place, user.pw_uid, user.pw_gid):
            print(f"{USER}: {said}")
    except (OSError, KeyError) as error:
        print(f"{USER}: {place} stays as it is: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
