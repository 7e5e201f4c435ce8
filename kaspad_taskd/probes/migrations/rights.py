"""What our role may not read, and the GRANTs that mend it: asked when the server said no."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kaspad_taskd.core.observation import Hint, Scalar, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.client import clean as printable
from kaspad_taskd.probes.migrations.postgres import Database, PostgresError

NO_RIGHT: Final = "42501"
"""SQLSTATE: insufficient_privilege."""
CODE: Final = "permission-missing"
_LONGEST: Final = 140
"""Characters of a name, quoted, with its schema."""

_QUERY: Final = """
WITH path AS (SELECT CASE btrim(part, ' "') WHEN '$user' THEN current_user::text
  ELSE btrim(part, ' "') END AS name, place
  FROM unnest(string_to_array($2, ',')) WITH ORDINALITY AS given(part, place))
SELECT quote_ident(n.nspname) AS schema, quote_ident(n.nspname) || '.' || quote_ident(c.relname)
  AS "table", quote_ident(pg_get_userbyid(c.relowner)) AS owner,
  quote_ident(current_user) AS "user",
  has_schema_privilege(n.oid, 'USAGE') AS opens, has_table_privilege(c.oid, 'SELECT') AS reads
FROM path JOIN pg_namespace n ON n.nspname = path.name JOIN pg_class c ON c.relnamespace = n.oid
WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY path.place LIMIT 1
"""


async def lacking(database: Database, table: str) -> Hint | None:
    """Return the hint with what our role lacks to read `table` or `schema.table`.

    None: it lacks nothing, or there is no such table.

    Raises:
        PostgresError: there is no answer.
    """
    schema, _, name = table.rpartition(".")
    async with database.transaction() as connection:
        path = schema or await connection.fetchval("SELECT current_setting('search_path')")
        row = await connection.fetchrow(_QUERY, name, path)
    if row is None or (row["opens"] and row["reads"]):
        return None
    keys = ("user", "table", "schema", "owner")
    known: dict[str, Scalar] = {key: printable(row[key], _LONGEST) for key in keys}
    if not row["opens"]:
        known["closed"] = known["schema"]
    return Hint(CODE, known)


async def explained(database: Database, error: PostgresError, table: str) -> PostgresError:
    """Return an error with the GRANTs that mend it, where it is a missing right to that table."""
    told = any("database" in hint.params for hint in error.observation.hints)
    if error.state != NO_RIGHT or told:
        return error
    if not table:
        return _of_a_query(error)
    try:
        hint = await lacking(database, table)
    except PostgresError:
        return error
    return error if hint is None else no_right(hint)


def _of_a_query(error: PostgresError) -> PostgresError:
    found = error.observation
    params = {**found.params, "object": "all that the query reads"}
    hints = tuple(Hint(CODE, {**hint.params, "query": True}) for hint in found.hints)
    return PostgresError(replace(found, params=params, hints=hints), error.state)


def no_right(hint: Hint) -> PostgresError:
    """Return the error of a table that our role may not read."""
    params: dict[str, Scalar] = {"user": hint.params["user"], "object": "the version table"}
    return PostgresError(Unreachable(Reason.CREDENTIALS, params, (hint,)), NO_RIGHT)
