"""What a look at a PostgreSQL server brought: the sessions that do something, and the record.

Pure. Nothing of a statement's text leaves this room but which statement it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.probes.migrations.counters import Counted

_COMMENTS: Final = re.compile(r"\s*(?:--[^\n]*(?:\n|$)|/\*.*?\*/)", re.DOTALL)
_QUOTED: Final = re.compile(r"\$(\w*)\$.*?(?:\$\1\$|$)|'[^']*(?:'|$)|\"[^\"]*(?:\"|$)")
"""A body, a string or a name; only the begin of a long one is there."""
_SPACE: Final = re.compile(r"\s+")
_NAMES: Final = (
    "CREATE TABLE", "CREATE INDEX", "CREATE UNIQUE INDEX", "CREATE", "ALTER TABLE", "ALTER",
    "DROP TABLE", "DROP INDEX", "DROP", "TRUNCATE", "REINDEX", "CLUSTER", "REFRESH", "VACUUM",
    "ANALYZE", "INSERT", "UPDATE", "DELETE", "MERGE", "CALL", "DO", "COPY", "SELECT", "WITH",
)  # fmt: skip


def clean(query: str) -> str:
    """Return a statement on one line, without the comments before it."""
    while found := _COMMENTS.match(query):
        query = query[found.end() :]
    return _SPACE.sub(" ", query).strip()


@frozen
class Backend:
    """A session of the database that is not idle.

    Attributes:
        pid: of the server's process.
        user: the role it logged in as.
        application: its application_name, which whoever connects chooses.
        idle: in a transaction, but between two statements.
        statement: what it runs, or ran last; `clean`. It only tells what to call it.
        seconds: since that statement began.
        locked: it waits for a lock.
        blockers: pids of the sessions that hold what it waits for.
        hidden: our role may not see what it does.
        locks: it holds or awaits a lock of SHARE strength or more on a table of the watched schema
            (and of the tool's own tables, where these are known), or makes a table there.
        light: it holds or awaits the lock below that there (SHARE UPDATE EXCLUSIVE), which no
            reader or writer takes: VACUUM, ANALYZE, an index build beside writers, VALIDATE.
        writes: its transaction has written something.
        age: seconds since its transaction began.
        may: its role may change the table of versions, as far as there is one.
        client: it waits for its own client.
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
    locks: bool = False
    light: bool = False
    writes: bool = False
    age: float = 0.0
    may: bool = True
    client: bool = False

    @property
    def works(self) -> bool:
        """Whether it is the server that works: it waits for nobody, no lock and no client."""
        return not (self.idle or self.locked or self.client or self.hidden)

    @property
    def several(self) -> bool:
        """Whether several statements were sent as one text: which one runs is not told by it."""
        return ";" in _QUOTED.sub("", self.statement).rstrip("; ")

    @property
    def name(self) -> str:
        """Which statement it is, without anything of its own: `CREATE INDEX`."""
        head = self.statement[:40].upper()
        return next((each for each in _NAMES if head.startswith(each)), "other")


@frozen
class Server:
    """What the server tells of its sessions.

    Attributes:
        backends: those that are not idle, and those that are hidden.
        counted: by pid, for the statements that the server counts.
        user: the role that we are.
        replica: it only follows another server, whose sessions cannot be seen here.
        connected: a session of the migration's role is there, idle or not.
        clock: the server's own, s.
        pooled: a pooler stands between.
        prepared: a prepared transaction, which is no session's, holds such a lock as `locks` tells.
    """

    backends: Sequence[Backend] = ()
    counted: Mapping[int, Counted] = field(default_factory=dict)
    user: str = ""
    replica: bool = False
    connected: bool = False
    clock: float = 0.0
    pooled: bool = False
    prepared: bool = False


@frozen
class Record:
    """What the program itself wrote down about its migrations.

    Attributes:
        version: where it is, or None where nothing is recorded.
        reached: the wanted version is there, and nothing that it needs is missing.
        leftover: what is there in the middle of a migration only, or is missing then.
        failure: a migration that is recorded as failed, in our words.
        unfinished: one that is recorded as begun and not as ended, in our words: nobody who works
            on it is failure as well.
        underway: what is begun and not ended runs: somebody holds the tool's own lock.
        done: how far the program says it is, of `total`, where it says so.
        metadata: named facts.
    """

    version: str | None = None
    reached: bool = False
    leftover: tuple[str, ...] = ()
    failure: str | None = None
    unfinished: str | None = None
    underway: bool = False
    done: float | None = None
    total: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
