"""What our role may not read, and the GRANTs that mend it: asked when the server said no."""

from __future__ import annotations

from typing import Final

from kaspad_taskd.core.observation import Hint, Scalar
from kaspad_taskd.kaspa.client import clean as printable
from kaspad_taskd.probes.migrations.postgres import (
    NEEDS_GRANT,
    NO_RIGHT,
    Database,
    PostgresError,
    no_right,
)

_LONGEST: Final = 140
"""Characters of a name, quoted, with its schema."""

_QUERY: Final = """
WITH path AS (SELECT CASE btrim(part, ' "') WHEN '$user' THEN current_user::text
  ELSE btrim(part, ' "') END AS name, place
  FROM unnest(string_to_array(coalesce(nullif($2, ''), current_setting('search_path')), ','))
  WITH ORDINALITY AS given(part, place))
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
        row = await connection.fetchrow(_QUERY, name, schema)
    if row is None or (row["opens"] and row["reads"]):
        return None
    keys = ("user", "table", "schema", "owner")
    known: dict[str, Scalar] = {key: printable(row[key], _LONGEST) for key in keys}
    if not row["opens"]:
        known["closed"] = known["schema"]
    return Hint(NEEDS_GRANT, known)


async def explained(database: Database, error: PostgresError, table: str) -> PostgresError:
    """Return an error with the GRANTs that mend it, where it is a missing right to that table.

    One that says already what is closed stays as it is.
    """
    bare = Hint(NEEDS_GRANT, {"user": database.user})
    if error.state != NO_RIGHT or error.observation.hints != (bare,):
        return error
    if not table:
        return no_right(
            Hint(NEEDS_GRANT, {**bare.params, "query": True}), "all that the query reads"
        )
    try:
        hint = await lacking(database, table)
    except PostgresError:
        return error
    return error if hint is None else no_right(hint)
