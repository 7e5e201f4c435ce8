"""What a look at a PostgreSQL server brought: the sessions that change something, and the record.

Pure. Nothing of a statement's text leaves this room but which statement it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

_COMMENTS: Final = re.compile(r"\s*(?:--[^\n]*(?:\n|$)|/\*.*?\*/)", re.DOTALL)
_SPACE: Final = re.compile(r"\s+")
_CHANGES: Final = re.compile(
    r"(CREATE|ALTER|DROP|TRUNCATE|REINDEX|CLUSTER|REFRESH MATERIALIZED VIEW|VACUUM \(?FULL)\b",
    re.IGNORECASE,
)
_TEMPORARY: Final = re.compile(r"(CREATE|DROP)( LOCAL)? TEMP", re.IGNORECASE)
_BULK: Final = re.compile(r"(INSERT|UPDATE|DELETE|MERGE|CALL|DO)\b|COPY .*\bFROM\b", re.IGNORECASE)
_NAMES: Final = (
    "CREATE TABLE", "CREATE INDEX", "CREATE UNIQUE INDEX", "CREATE", "ALTER TABLE", "ALTER",
    "DROP TABLE", "DROP INDEX", "DROP", "TRUNCATE", "REINDEX", "CLUSTER", "REFRESH", "VACUUM",
    "ANALYZE", "INSERT", "UPDATE", "DELETE", "MERGE", "CALL", "DO", "COPY", "SELECT",
)  # fmt: skip
BULK_S: Final = 10.0
"""Seconds from which a statement that writes rows is no program's everyday work any more."""


def clean(query: str) -> str:
    """Return a statement on one line, without the comments before it."""
    while found := _COMMENTS.match(query):
        query = query[found.end() :]
    return _SPACE.sub(" ", query).strip()


@dataclass(frozen=True, slots=True)
class Backend:
    """A session of the database that is not idle.

    Attributes:
        pid: of the server's process.
        user: the role it logged in as.
        application: its application_name, which whoever connects chooses.
        idle: in a transaction, but between two statements.
        statement: what it runs, or ran last; `clean`.
        seconds: since that statement began.
        locked: it waits for a lock.
        blockers: pids of the sessions that hold what it waits for.
        hidden: our role may not see what it does.
    """

    pid: int
    user: str = ""
    application: str = ""
    idle: bool = False
    statement: str = ""
    seconds: float = 0.0
    locked: bool = False
    blockers: tuple[int, ...] = ()
    hidden: bool = False

    @property
    def changes(self) -> bool:
        """Whether it changes the schema, or writes rows for longer than programs usually do."""
        if _CHANGES.match(self.statement):
            return not _TEMPORARY.match(self.statement)
        return self.seconds >= BULK_S and _BULK.match(self.statement) is not None

    @property
    def name(self) -> str:
        """Which statement it is, without anything of its own: `CREATE INDEX`."""
        head = self.statement[:40].upper()
        return next((each for each in _NAMES if head.startswith(each)), "other")


@dataclass(frozen=True, slots=True)
class Counted:
    """What the server counts of a running statement (a row of pg_stat_progress_*).

    Attributes:
        kind: "index", "copy", "cluster", "vacuum" or "analyze".
        phase: the server's own word for what it does now.
        done: how much of `total` is done.
        total: None where it is not known.
        unit: "pages", "rows" or "bytes".
    """

    kind: str
    phase: str
    done: float = 0.0
    total: float | None = None
    unit: str = "pages"


_UNITS: Final = {
    "copy": (("bytes", "bytes"), ("tuples", "rows")),
    "index": (("tuples", "rows"), ("blocks", "pages")),
}
_PAGES: Final = (("blocks", "pages"),)
_LOADS: Final = "sorting", "loading"


def loads(phase: str) -> bool:
    """Whether an index build has read its table and writes the index, by the server's word."""
    return any(word in phase for word in _LOADS)


def counted(kind: str, phase: str, numbers: Mapping[str, int | None]) -> Counted:
    """Return what a row says: of its counters the first that has a total, else the first at all.

    `numbers` are `blocks`, `blocks_total`, `tuples`, `tuples_total`, `bytes`, `bytes_total`.
    A parallel index build that sorts still shows the pages that it has read, all of them.
    """
    units = _UNITS.get(kind, _PAGES)
    if kind == "index" and loads(phase):
        units = units[:1]
    for name, unit in units:
        total = numbers.get(f"{name}_total") or 0
        if total > 0:
            return Counted(kind, phase, min(numbers.get(name) or 0, total), total, unit)
    name, unit = next(((n, u) for n, u in units if numbers.get(n)), units[-1])
    return Counted(kind, phase, numbers.get(name) or 0, None, unit)


@dataclass(frozen=True, slots=True)
class Server:
    """What the server tells of its sessions.

    Attributes:
        backends: those that are not idle, and those that are hidden.
        counted: by pid, for the statements that the server counts.
        user: the role that we are.
        replica: it only follows another server, whose sessions cannot be seen here.
    """

    backends: Sequence[Backend] = ()
    counted: Mapping[int, Counted] = field(default_factory=dict)
    user: str = ""
    replica: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """What the program itself wrote down about its migrations.

    Attributes:
        version: where it is, or None where nothing is recorded.
        reached: the wanted version is there, and nothing that it needs is missing.
        leftover: what is there in the middle of a migration only, or is missing then.
        failure: a migration that is recorded as failed, in our words.
        unfinished: one that is recorded as begun and not as ended, in our words: nobody who works
            on it is failure as well.
        done: how far the program says it is, of `total`, where it says so.
        metadata: named facts.
    """

    version: str | None = None
    reached: bool = False
    leftover: tuple[str, ...] = ()
    failure: str | None = None
    unfinished: str | None = None
    done: float | None = None
    total: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
