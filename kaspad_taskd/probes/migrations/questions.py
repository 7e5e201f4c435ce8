"""What is asked of a server about its sessions, and what its rows say: one query a look.

pg_locks can be read by every role, so the locks of a session that is hidden are known as well.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from kaspad_taskd.kaspa.client import clean as printable
from kaspad_taskd.probes.migrations.counters import TENDS, Counted, counted
from kaspad_taskd.probes.migrations.seen import Backend, Server, clean

MAX_TEXT: Final = 200
"""Characters of a text of the database's that is shown."""

_VIEWS: Final = ("index", "create_index"), ("cluster", "cluster"), ("vacuum", "vacuum"), (
    "analyze", "analyze",
), ("copy", "copy")  # fmt: skip
_COPY_SINCE: Final = 14
_STRONG: Final = "'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'"
_LIGHT: Final = "'ShareUpdateExclusiveLock'"
_NO_SYSTEM: Final = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

_SESSIONS: Final = """
WITH home AS MATERIALIZED (
  SELECT coalesce(n.oid, c.relnamespace) AS schema, c.relowner AS owner, d.oid AS base
  FROM pg_database d
  LEFT JOIN pg_namespace n ON n.nspname = $2
  LEFT JOIN pg_class c ON c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'f')
    AND CASE WHEN $2 = '' THEN pg_table_is_visible(c.oid) ELSE c.relnamespace = n.oid END
  WHERE d.datname = current_database() LIMIT 1
), client AS MATERIALIZED (
  SELECT a.* FROM home, pg_stat_activity a WHERE a.datid = home.base AND a.pid <> pg_backend_pid()
    AND a.usesysid IS NOT NULL AND coalesce(a.backend_type, 'client backend') = 'client backend'
    AND a.application_name NOT IN ('pg_dump', 'pg_dumpall')
), held AS (
  SELECT l.pid, bool_or(l.mode IN ({strong}) AND n.oid IS NOT NULL AND c.relname ~ $3) OR
      bool_or(l.mode IN ({strong}) AND l.locktype = 'relation' AND c.oid IS NULL)
      AND bool_or(l.locktype = 'object' AND (n.oid IS NOT NULL OR home.schema IS NULL
        AND NOT EXISTS (SELECT FROM pg_namespace s WHERE s.oid = l.objid))) AS locks,
    bool_or(l.mode = {light} AND n.oid IS NOT NULL AND c.relname ~ $3) AS light,
    bool_or(NOT l.granted) AS waits
  FROM home, pg_locks l
  LEFT JOIN pg_class c ON l.locktype = 'relation' AND c.oid = l.relation
  LEFT JOIN pg_namespace n ON n.oid = coalesce(c.relnamespace, l.objid) AND
    CASE WHEN (SELECT schema FROM home) IS NULL THEN {no_system}
      ELSE n.oid = (SELECT schema FROM home) END
  WHERE l.database = home.base AND (l.locktype = 'relation' AND l.mode IN ({strong}, {light})
    OR l.locktype = 'object' AND l.classid = 'pg_namespace'::regclass)
  GROUP BY l.pid
), progress AS (
  SELECT p.pid, p.kind, p.line || jsonb_build_object('indexes',
      (SELECT count(*) FROM pg_index i WHERE i.indrelid = p.relid)) AS line,
    CASE WHEN c.oid IS NULL THEN p.relid IS NULL
      WHEN home.schema IS NULL THEN {no_system}
      ELSE c.relnamespace = home.schema AND c.relname ~ $3 END AS here
  FROM home CROSS JOIN ({views}) p LEFT JOIN pg_class c ON c.oid = p.relid
    LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
)
SELECT a.pid, a.usename::text AS usename, a.application_name, a.state, a.wait_event_type,
  left(a.query, 1024) AS query, a.backend_type, a.backend_xid IS NOT NULL AS writes,
  greatest(0, extract(epoch FROM clock_timestamp() - a.query_start))::float8 AS seconds,
  greatest(0, extract(epoch FROM clock_timestamp() - a.xact_start))::float8 AS age,
  coalesce(held.locks, false) AS locks, coalesce(held.light, false) AS light,
  coalesce(held.waits, false) AS waits,
  CASE WHEN a.wait_event_type = 'Lock' OR held.waits THEN pg_blocking_pids(a.pid) END AS blockers,
  coalesce(pg_has_role(a.usesysid, home.owner, 'USAGE'), true) AS may,
  progress.kind, progress.line::text AS line, progress.here,
  pg_is_in_recovery() AS replica, current_user::text AS me, pg_backend_pid() AS own,
  extract(epoch FROM clock_timestamp())::float8 AS clock,
  EXISTS (SELECT FROM held p WHERE p.pid IS NULL AND p.locks) AS prepared,
  EXISTS (SELECT FROM client o WHERE o.application_name <> 'kaspad-taskd'
    AND CASE WHEN $4 = '' AND $5 = '' THEN o.usesysid = home.owner
    ELSE $4 IN ('', o.usename) AND $5 IN ('', o.application_name) END) AS connected
FROM home LEFT JOIN (client a LEFT JOIN held ON held.pid = a.pid
  LEFT JOIN progress ON progress.pid = a.pid) ON coalesce(a.state, '') <> 'idle'
    AND (a.application_name <> 'kaspad-taskd' OR a.backend_xid IS NOT NULL OR held.locks
      OR progress.here)
ORDER BY held.locks DESC NULLS LAST, progress.here DESC NULLS LAST, a.backend_xid IS NULL
LIMIT 500
"""
"""Arguments: table, schema or "", pattern of the table names, role or "", application or "".

A relation that cannot be seen yet is made by its session; in which schema is told by the lock that
it has on that one, which may be as new itself where any is watched. Ours has no lock of that
strength; a pooler may have given our name to another.
"""


def progress_query(version: int) -> str:
    """Return the query for what is counted; `version` is the major one (COPY: from 14 on)."""
    return " UNION ALL ".join(
        f"SELECT pid, relid, '{kind}' AS kind, to_jsonb(v) AS line FROM pg_stat_progress_{view} v"  # noqa: S608 - our own words
        " WHERE datname = current_database()"
        for kind, view in _VIEWS
        if version >= _COPY_SINCE or kind != "copy"
    )


def sessions_query(progress: str) -> str:
    """Return the query for the sessions, with what is counted of each: `progress_query`."""
    return _SESSIONS.format(no_system=_NO_SYSTEM, strong=_STRONG, light=_LIGHT, views=progress)


def arguments(table: str, pattern: str, user: str, application: str) -> tuple[str, ...]:
    """Return what the query asks with; `table` is "schema.table", "table" or ""."""
    schema, _, name = table.rpartition(".")
    return name, schema, pattern, user, application


def server_of(rows: Sequence[Any], told_pid: int) -> Server:
    """Return what the rows say; `told_pid` is the process that answers by its first message."""
    first = rows[0]
    found = [row for row in rows if row["pid"] is not None]
    return Server(
        backends=[_backend(row) for row in found],
        counted={row["pid"]: count for row in found if (count := _count(row)) is not None},
        user=printable(first["me"], MAX_TEXT),
        replica=first["replica"],
        connected=first["connected"],
        clock=first["clock"],
        pooled=first["own"] != told_pid,
        prepared=first["prepared"],
    )


def _backend(row: Any) -> Backend:
    hidden = row["backend_type"] is None
    return Backend(
        pid=row["pid"],
        user=row["usename"] or "",
        application=row["application_name"] or "",
        idle=str(row["state"]).startswith("idle in transaction"),
        statement="" if hidden else clean(row["query"] or ""),
        seconds=row["seconds"] or 0.0,
        locked=row["wait_event_type"] == "Lock" or (hidden and row["waits"]),
        blockers=tuple(row["blockers"] or ()),
        hidden=hidden,
        locks=row["locks"],
        light=row["light"],
        writes=row["writes"],
        age=row["age"] or 0.0,
        may=row["may"],
        client=row["wait_event_type"] == "Client",
    )


def _count(row: Any) -> Counted | None:
    """What is counted of a statement of the session's own.

    COPY to a client changes no table. The ANALYZE of a REFRESH ... CONCURRENTLY is of a table that
    only its session can see.
    """
    if row["kind"] is None:
        return None
    found = counted(row["kind"], json.loads(row["line"]), row["here"])
    reads = found.kind == "copy" and not found.builds
    inner = found.kind in TENDS and found.here is not True
    return None if reads or inner else found
