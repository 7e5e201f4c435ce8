"""Copies of the state as files: which are ours, what is in them, whether they are sound."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import time
from contextlib import closing
from urllib.parse import quote

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from typing import NamedTuple

    class Copy(NamedTuple):
        """What is in a copy.

        Attributes:
            lineage: of the state that it is of: random, the same through backup and restore.
            journal: the identity of that state's journal then.
            seq: of its last event.
            tasks: how many.
            events: how many.
        """

        lineage: int
        journal: str
        seq: int
        tasks: int
        events: int
else:
    from collections import namedtuple

    Copy = namedtuple("Copy", "lineage journal seq tasks events")

_STAMP = r"\d{8}T\d{6}\.\d{6}Z"
OF_THE_DAEMON = re.compile(rf"backup-{_STAMP}\.db")
"""Names of the copies that the daemon makes beside its state."""
_TABLES = {"tasks", "definitions", "journal", "history", "decisions", "cursors", "meta"}
_SEQ = "SELECT coalesce(max(seq), (SELECT value FROM meta WHERE key = 'floor')) FROM journal"


def name_of(host: str, now: float) -> str:
    """Return the name of a copy that is made now, seconds since 1970, on a host."""
    whole = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now))
    return f"{_stem(host)}-{whole}.{int(now % 1 * 1e6):06}Z.db"


def is_ours(name: str, host: str) -> bool:
    """Whether a file's name is exactly one that `name_of` makes for this host."""
    return re.fullmatch(rf"{re.escape(_stem(host))}-{_STAMP}\.db", name) is not None


def _stem(host: str) -> str:
    return f"kaspad-taskd-{re.sub('[^A-Za-z0-9.-]', '_', host)[:64] or 'host'}"


def is_plain(path: str) -> bool:
    """Whether it is a file, under this name alone: no link of either kind."""
    found = os.lstat(path)
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1


def examine(path: str) -> Copy | None:
    """Return what is in a copy, or None: it is no sound copy of a state of ours.

    It is read as it is: nothing is written beside it, and a log beside it is not played in.
    """
    place = f"file:{quote(os.path.abspath(path))}?mode=ro&immutable=1"  # noqa: PTH100
    try:
        with closing(sqlite3.connect(place, uri=True)) as db:
            return _read(db)
    except (sqlite3.Error, TypeError, ValueError):
        return None


def _read(db: sqlite3.Connection) -> Copy | None:
    db.execute("PRAGMA trusted_schema = OFF")
    if db.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
        return None
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not tables >= _TABLES:
        return None
    meta = dict(db.execute("SELECT key, value FROM meta"))
    if not {"lineage", "journal", "leap"} <= meta.keys():  # `leap`: it is a copy, not a state
        return None
    (tasks,) = db.execute("SELECT count(*) FROM tasks").fetchone()
    (events,) = db.execute("SELECT count(*) FROM journal").fetchone()
    (seq,) = db.execute(_SEQ).fetchone()
    return Copy(meta["lineage"], f"{meta['journal']:016x}", int(seq), tasks, events)
