"""Every kind of statement that people migrate with, held amid its work on a real server.

A statement is held by a function that it has to call (`b.gate`, a comparison of its own), by a
trigger or by another session's transaction, never by its size. What is shown of it stands in
docs/migrations.md, by the same names.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

BASE: Final = (
    "CREATE SCHEMA b",
    """CREATE FUNCTION b.gate(n bigint) RETURNS bigint IMMUTABLE PARALLEL SAFE
    LANGUAGE plpgsql AS $$ BEGIN IF n = 2000 THEN WHILE EXISTS (SELECT FROM pg_catalog.pg_locks
    WHERE locktype = 'advisory' AND objid = 7) LOOP PERFORM pg_catalog.pg_sleep(0.005);
    END LOOP; END IF; RETURN n; END $$""",
    """CREATE FUNCTION b.compare(a point, b point) RETURNS int IMMUTABLE PARALLEL SAFE
    LANGUAGE plpgsql AS $$ BEGIN IF 1000 IN (a[0], b[0]) THEN PERFORM b.gate(2000); END IF;
    RETURN sign(a[0] - b[0])::int; END $$""",
    *(
        f"CREATE FUNCTION b.{name}(a point, b point) RETURNS bool IMMUTABLE PARALLEL SAFE"
        f" LANGUAGE sql AS 'SELECT a[0] {sign} b[0]'"
        for name, sign in (("lt", "<"), ("le", "<="), ("eq", "="), ("ge", ">="), ("gt", ">"))
    ),
    *(
        f"CREATE OPERATOR b.{sign} (LEFTARG = point, RIGHTARG = point, FUNCTION = b.{name})"
        for name, sign in (("lt", "<"), ("le", "<="), ("eq", "="), ("ge", ">="), ("gt", ">"))
    ),
    """CREATE OPERATOR CLASS b.points DEFAULT FOR TYPE point USING btree AS OPERATOR 1 b.<,
    OPERATOR 2 b.<=, OPERATOR 3 b.=, OPERATOR 4 b.>=, OPERATOR 5 b.>,
    FUNCTION 1 b.compare(point, point)""",
    """CREATE FUNCTION b.at_row() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM b.gate(NEW.n); RETURN NEW; END $$""",
    """CREATE FUNCTION b.at_end() RETURNS event_trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM b.gate(2000); END $$""",
)
"""What holds a statement amid its work, made once: functions, and how points are compared."""
TABLE: Final = (
    "CREATE TABLE s.big AS SELECT n::bigint AS n, point(n, n) AS p FROM generate_series(1, 3000) n"
)
"""What every statement is tried on."""

INDEX: Final = "CREATE INDEX gated ON s.big (b.gate(n))"
END: Final = "CREATE EVENT TRIGGER at_end ON ddl_command_end EXECUTE FUNCTION b.at_end()"
ROW: Final = "CREATE TRIGGER held BEFORE INSERT ON s.big FOR EACH ROW EXECUTE FUNCTION b.at_row()"
PARTS: Final = (
    "CREATE TABLE s.parts (n bigint) PARTITION BY RANGE (n)",
    *(
        f"CREATE TABLE s.part{low} PARTITION OF s.parts FOR VALUES FROM ({low}) TO ({low + 1500})"
        for low in (0, 1500, 3000)
    ),
    "INSERT INTO s.parts SELECT n FROM s.big WHERE n < 3000",
)

RUNS: Final = "that it runs"
READ: Final = "reading the table (pages)"
SORT: Final = "sorting (no number)"
LOAD: Final = "writing the index (rows)"
WAIT: Final = "waiting for other transactions (no number)"
PREPARE: Final = "preparing (no number)"
BUILD: Final = "building (pages)"
AFTER: Final = "building (no number)"
AGAIN: Final = "reading the index again (pages)", "reading the table again (pages)"
FINISH: Final = "finishing (no number)"
INDEXES: Final = "index N of M (indexes)"
READ_ALL: Final = "reading the table (no number)"
UNSEEN: Final = (RUNS,), RUNS, "writes"
BTREE: Final = (PREPARE, READ, READ_ALL, SORT, LOAD)
CONCURRENTLY: Final = (*BTREE, WAIT, *AGAIN)
REWRITE: Final = (PREPARE, READ, FINISH, INDEXES)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of statement.

    Attributes:
        name: as the table in docs/migrations.md has it.
        text: what is sent, as one text; `{file}` is a file with the rows.
        shown: all that may be shown of it, one after the other; what is brief is seen by luck.
        held: what is shown while it is held.
        by: what tells that it migrates: "lock", "counter", "upkeep" or "writes", else "nothing".
        unknown: what nobody can know.
        before: statements before it.
        blocker: what another session does in a transaction, in place of the gate.
        older: `shown`, `held` and `by` of the versions below `since`.
        since: the first version that has it, or has what `shown` says.
        session: settings of its session.
        stdin: rows come from the client.
        long: another kind stands for it where time is short.
    """

    name: str
    text: str
    shown: Sequence[str] = (RUNS,)
    held: str = RUNS
    by: str = "lock"
    unknown: str = "how far it is"
    before: Sequence[str] = ()
    blocker: str = ""
    older: tuple[Sequence[str], str, str] | None = None
    since: int = 13
    session: Mapping[str, str] = field(default_factory=dict)
    stdin: bool = False
    long: bool = False

    def at(self, version: int) -> tuple[Sequence[str], str, str] | None:
        """What is shown, what is held and what tells, or None where it does not exist yet."""
        if version >= self.since:
            return self.shown, self.held, self.by
        return self.older

    def row(self) -> str:
        """Its line of the table in docs/migrations.md."""
        cells = [_cell(found[0]) if (found := self.at(each)) else "-" for each in VERSIONS]
        told = self.at(VERSIONS[-1])
        assert told is not None
        short = [cells[0], *("the same" if here == left else here
                             for left, here in itertools.pairwise(cells))]  # fmt: skip
        return f"| {' | '.join((self.name, *short, TOLD[told[2]], self.unknown or '-'))} |"


VERSIONS: Final = 13, 15, 18
TOLD: Final = {
    "lock": "its lock",
    "counter": "its counter",
    "upkeep": "its counter, of the role",
    "writes": "its transaction",
    "nothing": "nothing",
}
HEAD: Final = (
    "| statement | shown on 13 | on 15 | on 18 | known by | cannot be known |\n"
    "|---|---|---|---|---|---|\n"
)


def _cell(shown: Sequence[str]) -> str:
    each = "partition N of M, "
    if all(token.startswith(each) for token in shown):
        return each[:-2] + ": " + _cell([token.removeprefix(each) for token in shown])
    return "; ".join(token for token in shown if token not in BRIEF)


BRIEF: Final = frozenset({PREPARE, FINISH, READ_ALL, "building (rows)"})
"""Not in the table: over at once, or what comes of small memory alone."""

_METHODS = {
    "GiST": "USING gist (point(b.gate(n), n))",
    "BRIN": "USING brin (b.gate(n))",
    "SP-GiST": "USING spgist (point(b.gate(n), n))",
    "hash": "USING hash (b.gate(n))",
}
_SORT_LEFT = "how long the sort takes"
_REST_LEFT = "how long it builds after the last page"
_NOTHING = "how far it is; whose it is, once the version is recorded"

KINDS: Final = (
    Kind("`CREATE INDEX` (btree), reading", INDEX, BTREE, READ, unknown=_SORT_LEFT),
    Kind("`CREATE INDEX` (btree), sorting", "CREATE INDEX ON s.big (p)", BTREE, SORT,
         unknown=_SORT_LEFT),
    Kind("`CREATE INDEX` by parallel workers", "CREATE INDEX ON s.big (p)", BTREE, SORT,
         unknown=_SORT_LEFT, session={"max_parallel_maintenance_workers": "2",
                                      "min_parallel_table_scan_size": "0"}),
    Kind("`CREATE INDEX CONCURRENTLY`", "CREATE INDEX CONCURRENTLY ON s.big (b.gate(n))",
         CONCURRENTLY, READ, "counter", "how long others hold it up"),
    Kind("`CREATE INDEX CONCURRENTLY`, others write",
         "CREATE INDEX CONCURRENTLY ON s.big (n)", CONCURRENTLY, WAIT, "counter",
         "how long they go on; whose session it is, is said",
         blocker="UPDATE s.big SET n = n WHERE n = 1"),
    Kind("`CREATE INDEX CONCURRENTLY`, others read",
         "CREATE INDEX CONCURRENTLY ON s.big (n)", CONCURRENTLY, WAIT, "counter",
         "how long they go on; whose session it is, is said",
         blocker="SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT FROM s.big LIMIT 1",
         long=True),
    Kind("`REINDEX ... CONCURRENTLY`", "REINDEX TABLE CONCURRENTLY s.big", CONCURRENTLY, READ,
         "counter", "how many indexes follow", before=(INDEX, "CREATE INDEX ON s.big (n)")),
    Kind("`REINDEX`", "REINDEX TABLE s.big", BTREE, READ, unknown="how many indexes follow",
         before=(INDEX, "CREATE INDEX ON s.big (n)"), long=True),
    Kind("`CREATE INDEX` on partitions", "CREATE INDEX ON s.parts (b.gate(n))",
         tuple(f"partition N of M, {each}" for each in BTREE),
         f"partition N of M, {READ}", unknown="how large the other partitions are", before=PARTS),
    *(
        Kind(f"`CREATE INDEX` ({name})", f"CREATE INDEX ON s.big {how}",
             (PREPARE, BUILD, AFTER, "building (rows)"), BUILD, unknown=_REST_LEFT,
             long=name in ("SP-GiST", "BRIN"))
        for name, how in _METHODS.items()
    ),
    Kind("`CREATE INDEX` (GIN)", "CREATE INDEX ON s.big USING gin ((ARRAY[b.gate(n)]))",
         (PREPARE, READ, READ_ALL, SORT, LOAD), READ, unknown=_REST_LEFT, since=18,
         older=((PREPARE, BUILD, AFTER), BUILD, "lock")),
    Kind("`ADD PRIMARY KEY`", "ALTER TABLE s.big ADD PRIMARY KEY (p)", BTREE, SORT,
         unknown=_SORT_LEFT),
    Kind("`ALTER COLUMN ... TYPE`", "ALTER TABLE s.big ALTER n TYPE numeric USING b.gate(n)"),
    Kind("`ALTER COLUMN ... TYPE`, its indexes", "ALTER TABLE s.big ALTER n TYPE int",
         before=(INDEX,), long=True),
    Kind("`SET UNLOGGED`", "ALTER TABLE s.big SET UNLOGGED", before=(INDEX,), long=True),
    Kind("`SET TABLESPACE`", "ALTER TABLE s.big SET TABLESPACE other", before=(END,)),
    Kind("`ADD FOREIGN KEY`", "ALTER TABLE s.big ADD FOREIGN KEY (n) REFERENCES s.keys (n)",
         before=("CREATE TABLE s.keys AS SELECT n FROM s.big", ("ALTER TABLE s.keys ADD PRIMARY KEY"
                 " (n)"), END)),
    Kind("`VALIDATE CONSTRAINT`", "ALTER TABLE s.big VALIDATE CONSTRAINT held", by="writes",
         unknown=_NOTHING,
         before=("ALTER TABLE s.big ADD CONSTRAINT held CHECK (b.gate(n) > 0) NOT VALID",)),
    Kind("`CREATE TABLE ... AS`", "CREATE TABLE s.new AS SELECT b.gate(n) FROM s.big"),
    Kind("`SELECT ... INTO`", "SELECT b.gate(n) INTO s.new FROM s.big"),
    Kind("`CREATE MATERIALIZED VIEW`",
         "CREATE MATERIALIZED VIEW s.seen AS SELECT b.gate(n) FROM s.big", long=True),
    Kind("`REFRESH MATERIALIZED VIEW`", "REFRESH MATERIALIZED VIEW s.seen",
         before=("CREATE MATERIALIZED VIEW s.seen AS SELECT b.gate(n) FROM s.big",), long=True),
    Kind("`REFRESH ... CONCURRENTLY`", "REFRESH MATERIALIZED VIEW CONCURRENTLY s.seen",
         before=("CREATE MATERIALIZED VIEW s.seen AS SELECT b.gate(n) AS n FROM s.big",
                 "CREATE UNIQUE INDEX ON s.seen (n)")),
    Kind("`REFRESH ... CONCURRENTLY`, its own `ANALYZE`",
         "REFRESH MATERIALIZED VIEW CONCURRENTLY s.seen",
         before=("CREATE MATERIALIZED VIEW s.seen AS SELECT n, p FROM s.big",
                 "CREATE UNIQUE INDEX ON s.seen (n)")),
    Kind("`VACUUM FULL`", "VACUUM (VERBOSE, FULL) s.big", REWRITE, INDEXES,
         unknown="how long an index takes", before=(INDEX, "CREATE INDEX ON s.big (n)")),
    Kind("`CLUSTER` by its index", "CLUSTER s.big USING by_n",
         (PREPARE, READ, "reading the table (rows)", SORT, "writing rows (rows)", FINISH, INDEXES),
         INDEXES, unknown="how many rows there are, while it reads them",
         before=("CREATE INDEX by_n ON s.big (n)", INDEX), session={"enable_seqscan": "off"}),
    Kind("`COPY ... FROM` a client", "", ("writing rows (rows)",), "writing rows (rows)", "counter",
         "how many rows follow", before=(ROW,), since=14, older=UNSEEN, stdin=True),
    Kind("`COPY ... FROM` a file", "COPY s.big (n) FROM '{file}'", ("writing rows (bytes)",),
         "writing rows (bytes)", "counter", "", before=(ROW,), since=14, older=UNSEEN),
    Kind("`COPY ... FROM PROGRAM`", "COPY s.big (n) FROM PROGRAM 'cat {file}'",
         ("writing rows (rows)",), "writing rows (rows)", "counter", "how many rows follow",
         before=(ROW,), since=14, older=UNSEEN, long=True),
    Kind("`COPY ... TO`, `pg_dump`", "COPY (SELECT b.gate(n) FROM s.big) TO '/dev/null'",
         by="nothing", unknown="it is no migration", shown=("nothing",)),
    Kind("`VACUUM`", "VACUUM (FREEZE) s.big",
         (PREPARE, READ, "clearing the table (pages)", INDEXES, FINISH), READ, "upkeep",
         "how long an index takes",
         blocker="DECLARE c CURSOR FOR SELECT FROM s.big; FETCH 1 FROM c",
         since=17, older=((PREPARE, READ, "clearing its indexes (no number)",
                           "clearing the table (pages)", FINISH), READ, "upkeep")),
    Kind("`ANALYZE`", "ANALYZE s.big", (PREPARE, READ, "computing (no number)", FINISH),
         "computing (no number)", "upkeep", "how long it computes", before=(INDEX,)),
    Kind("`UPDATE`", "UPDATE s.big SET n = b.gate(n)", by="writes", unknown=_NOTHING),
    Kind("`DELETE`", "DELETE FROM s.big WHERE b.gate(n) > 0", by="writes", unknown=_NOTHING,
         long=True),
    Kind("`INSERT ... SELECT`", "INSERT INTO s.big (n) SELECT b.gate(n) FROM s.big", by="writes",
         unknown=_NOTHING, long=True),
    Kind("`WITH ... INSERT`",
         "WITH old AS (DELETE FROM s.big RETURNING n)"
         " INSERT INTO s.big (n) SELECT b.gate(n) FROM old",
         by="writes", unknown=_NOTHING),
    Kind("`MERGE`", "MERGE INTO s.big b USING s.big o ON b.n = o.n"
         " WHEN MATCHED THEN UPDATE SET n = b.gate(o.n)", by="writes",
         unknown=_NOTHING, since=15, long=True),
    Kind("`SELECT migrate()`", "SELECT s.migrate()", by="writes", unknown=_NOTHING,
         before=(("CREATE FUNCTION s.migrate() RETURNS void LANGUAGE sql AS"
                 " 'UPDATE s.big SET n = b.gate(n)'"),)),
    Kind("`DO`", "DO $$ BEGIN UPDATE s.big SET n = b.gate(n); END $$", by="writes",
         unknown=_NOTHING, long=True),
    Kind("`CALL`", "CALL s.migrate()", by="writes", unknown=_NOTHING, long=True,
         before=(("CREATE PROCEDURE s.migrate() LANGUAGE sql AS"
                 " 'UPDATE s.big SET n = b.gate(n)'"),)),
    Kind("`SELECT migrate()` that alters", "SELECT s.migrate()",
         before=(("CREATE FUNCTION s.migrate() RETURNS void LANGUAGE plpgsql AS $$ BEGIN"
                 " ALTER TABLE s.big ADD x int; PERFORM b.gate(2000); END $$"),)),
    Kind("`SET ...; CREATE INDEX ...` as one text",
         f"SET lock_timeout = '1min'; {INDEX}", BTREE, READ, unknown=_SORT_LEFT),
    Kind("`BEGIN; ...; COMMIT` as one text",
         "BEGIN; ALTER TABLE s.big ADD x int; UPDATE s.big SET n = b.gate(n); COMMIT",
         unknown="which of its statements runs"),
    Kind("waiting for a lock", "ALTER TABLE s.big ADD x int", unknown="how long; whose is said",
         blocker="SELECT FROM s.big LIMIT 1"),
    Kind("`DROP`", "DROP TABLE s.big", unknown="how long; whose is said", long=True,
         blocker="SELECT FROM s.big LIMIT 1"),
    Kind("`TRUNCATE`", "TRUNCATE s.big", unknown="how long; whose is said",
         blocker="SELECT FROM s.big LIMIT 1", long=True),
)  # fmt: skip


def table() -> str:
    """The table in docs/migrations.md."""
    return HEAD + "\n".join(kind.row() for kind in KINDS) + "\n"


if __name__ == "__main__":
    print(table(), end="")
