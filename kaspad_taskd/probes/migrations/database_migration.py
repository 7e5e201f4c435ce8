"""The type `database-migration`: how far is a migration of a PostgreSQL database, and is it over?

Over is: the wanted version is recorded, no session migrates, and nothing is left over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from kaspad_taskd.base.tables import Table
from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Hint, Json, Observation, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.client import clean as printable
from kaspad_taskd.probes.data_dir import read_data_dir
from kaspad_taskd.probes.migrations import TOOLS
from kaspad_taskd.probes.migrations.judge import Measured, judge, running_step
from kaspad_taskd.probes.migrations.postgres import (
    NEEDS_GRANT,
    NO_RIGHT,
    Database,
    PostgresError,
    no_right,
    read_dsn,
)
from kaspad_taskd.probes.migrations.questions import (
    MAX_TEXT,
    arguments,
    progress_query,
    server_of,
    sessions_query,
)
from kaspad_taskd.probes.migrations.rights import explained, lacking
from kaspad_taskd.probes.migrations.seen import Record, Server
from kaspad_taskd.probes.migrations.sql import ShapeError
from kaspad_taskd.probes.migrations.tool import Tool, beside
from kaspad_taskd.probes.migrations.whose import Wanted
from kaspad_taskd.probes.probe_type import Checker, Means, ProbeType

PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}")
MAX_QUERY: Final = 4000
MAX_ROWS: Final = 1000
"""Rows of a record that are read, whatever a query gives."""
_MISSING: Final = frozenset({"42P01", "3F000"})
_LOCKED: Final = "55P03"
_NOT_OURS: Final = {
    "42601": "the query is no SQL statement",
    "42703": "the query names a column that is not there",
    "42883": "the query names a function that is not there",
    "42P01": "the query names a table that is not there",
}
"""What the server says of the administrator's own query."""
_PLAIN_WORDS: Final = "must be a plain name: letters, digits, _"


def parse(table: Table, _service: str) -> Checker:
    """Read `dsn`, `tool`, `version`, `schema`, `table`, `user`, `application`, `query`.

    And `data_dir`.
    """
    dsn = read_dsn(table)
    tool = TOOLS.get(table.string("tool", choices=tuple(TOOLS)))
    config: dict[str, Json] = {"dsn": dsn, "tool": tool.name if tool else None}
    config["version"] = _version(table, tool)
    for key in ("schema", "table"):
        config[key] = table.string(key, None, pattern=PLAIN, must=_PLAIN_WORDS)
    for key in ("user", "application"):
        config[key] = table.string(key, None)
    config["query"] = _query(table, tool)
    config["dataDir"] = read_data_dir(table)
    if tool is not None and tool.table is None and (config["schema"] or config["table"]):
        table.fault("table", "the tool sql has none; its query names what it reads")
    kept = {key: value for key, value in config.items() if value is not None}
    return Checker(kept, f"postgresql:{dsn}" if dsn else None)


def _version(table: Table, tool: Tool | None) -> str | None:
    if tool is None or not tool.table:
        if table.raw("version", "string", "integer") is not None and tool is not None:
            table.fault("version", "the tool sql has none; its query says when it is complete")
        return None
    written = table.raw("version", "string", "integer")
    if isinstance(written, int) and not isinstance(written, bool):
        written = str(written)
    if written is None:
        if tool.version is None:
            table.fault("version", f"is required: the version that {tool.name} has to reach")
        return tool.version
    if not isinstance(written, str) or not tool.pattern.fullmatch(written):
        like = f"; it must be like {tool.example}" if tool.example else ""
        table.fault("version", f"is no version of {tool.name}{like}")
        return None
    return written


def _query(table: Table, tool: Tool | None) -> str | None:
    query = table.string("query", None, maximum=MAX_QUERY)
    if query is not None and table.style == "json":
        table.fault("query", "a query can only stand in a file of tasks.d", kind="forbidden")
    if tool is not None and (tool.name == "sql") is (query is None):
        missing = "is required: one row with completed, done, total"
        table.fault("query", missing if query is None else "is for the tool sql alone")
    return query


class DatabaseMigrationProbe:
    """Takes looks at one database over one connection that is kept."""

    def __init__(self, definition: Definition, means: Means) -> None:
        """Make the client; it connects with the first look.

        Raises:
            ImportError: asyncpg is not installed.
        """
        config = definition.checker
        tool = TOOLS[str(config["tool"])]
        table = str(config.get("table") or tool.table or "")
        schema = config.get("schema")
        self._wanted = Wanted(
            tool,
            str(config.get("version") or ""),
            f"{schema}.{table}" if schema and table else table,
            str(config.get("user") or ""),
            str(config.get("application") or ""),
        )
        asked = tool.ask(self._wanted.table, self._wanted.version)
        self._query = str(config.get("query") or asked)
        self._database = Database(str(config["dsn"]), means.databases, definition.timeout)

    async def observe(self, memory: Mapping[str, Json]) -> Observation:
        """Ask for the sessions, the record and, while something runs, for its numbers."""
        try:
            server = await self._server()
            record = await self._record(memory)
            measured = await self._measure(server, record, memory)
        except PostgresError as error:
            told = await explained(self._database, error, self._wanted.table)
            return told.observation
        except ShapeError as error:
            return Unreachable(Reason.BAD_ANSWER, {"detail": str(error)})
        lacks = measured if isinstance(measured, Hint) else None
        number = None if isinstance(measured, Hint) else measured
        found = judge(self._wanted, server, record, memory, number)
        if isinstance(found, Unreachable):
            return replace(found, params={**found.params, "address": self._address})
        return found if lacks is None else replace(found, hints=(*found.hints, lacks))

    @property
    def _address(self) -> str:
        return f"postgresql:{self._database.name}"

    async def close(self) -> None:
        """Let the connection go."""
        self._database.drop()

    async def _server(self) -> Server:
        wanted = self._wanted
        given = arguments(wanted.table, wanted.tool.tables, wanted.user, wanted.application)
        async with self._database.transaction() as connection:
            query = sessions_query(progress_query(self._database.version))
            rows = await connection.fetch(query, *given)
            server = server_of(rows, connection.get_server_pid())
        self._database.pooled = server.pooled
        return server

    async def _record(self, memory: Mapping[str, Json]) -> Record | None:
        """The program's record; None where its table is missing, what was known while it is locked.

        Raises:
            PostgresError: there is no answer.
            ShapeError: the query answers something else.
        """
        try:
            async with self._database.transaction() as connection:
                cursor = await connection.cursor(self._query)
                rows = [dict(row) for row in await cursor.fetch(MAX_ROWS)]
        except PostgresError as error:
            if error.state == _LOCKED:
                known = memory.get("version")
                return Record(known if isinstance(known, str) else None)
            if error.state in _MISSING and self._wanted.table:
                hint = await lacking(self._database, self._wanted.table)
                if hint is not None:  # it is there, in a schema that is closed to us
                    raise no_right(hint) from None
                return None
            if not self._wanted.table and error.state in _NOT_OURS:
                raise ShapeError(_NOT_OURS[error.state]) from None
            raise
        record = self._wanted.tool.read(rows, self._wanted.version)
        shown = None if record.version is None else printable(record.version, MAX_TEXT)
        return replace(record, version=shown)

    async def _measure(
        self, server: Server, record: Record | None, memory: Mapping[str, Json]
    ) -> Measured | Hint | None:
        """How far the running step is, where it has a query for that and that is not locked.

        A hint where our role may not read what that takes.
        """
        at = running_step(self._wanted, server, record.version if record else None, memory)
        if at is None or at.step.measure is None:
            return None
        try:
            async with self._database.transaction() as connection:
                row = await connection.fetchrow(at.step.measure(self._wanted.table))
        except PostgresError as error:
            if error.state is None:
                raise
            if error.state == NO_RIGHT:
                read = beside(self._wanted.table, at.step.reads)
                return await lacking(self._database, read) or Hint(
                    NEEDS_GRANT, {"user": server.user}
                )
            return None
        return None if row is None else Measured(row["start"], row["done"], row["total"])


def open_probe(definition: Definition, means: Means) -> DatabaseMigrationProbe:
    """Return the probe; see DatabaseMigrationProbe."""
    return DatabaseMigrationProbe(definition, means)


TYPE = ProbeType("database-migration", parse, open_probe)
