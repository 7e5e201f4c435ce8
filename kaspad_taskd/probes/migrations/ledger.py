"""Tools that write a row for each migration: how such a table is read, told by a few expressions.

Pure. What a definition names is checked by the tool's pattern before it stands in a query.
"""

from __future__ import annotations

import re
from typing import Any, Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.probes.migrations.seen import Record
from kaspad_taskd.probes.migrations.tool import Rows, Tool, at_least, numbers, quoted

LONGEST: Final = 200
"""Characters of a migration's name that are read."""
NUMBER: Final = re.compile(r"\d{1,18}")
DOTTED: Final = re.compile(r"\d{1,18}([.]\d{1,18}){0,15}")


def several(one: str) -> re.Pattern[str]:
    """Return the pattern of one name, or of up to ten that are separated by commas."""
    return re.compile(rf"{one}(, ?{one}){{0,9}}")


@frozen
class Ledger:
    """How a tool's table is read: expressions of SQL over one of its rows.

    Attributes:
        names: what a definition may call the migration; the first is shown, and a row without it
            is of none.
        order: the newest row has the most of it. Of several rows of one migration it counts.
        applied: whether it was applied.
        begun: whether it was begun and has not ended: it runs, or it failed.
        runs: of such a one, whether somebody holds the tool's lock, so that it runs.
        failed: whether it is recorded as failed.
        numbered: names are (dotted) numbers, and a later one is beyond an earlier one.
        scope: what the part before a name's dot is; only rows of such a part are read.
    """

    names: tuple[str, ...]
    order: str
    applied: str = "true"
    begun: str = "false"
    runs: str = "false"
    failed: str = "false"
    numbered: bool = False
    scope: str = ""

    def ask(self, table: str, wanted: str) -> str:
        """Return the query: the rows that are wanted, then the newest."""
        want = parts(wanted)
        names = ", ".join(f"left(({name})::text, {LONGEST})" for name in self.names)
        asked = " OR ".join(f"({name})::text IN ({_texts(want)})" for name in self.names)
        scope = f" WHERE {self.scope} IN ({_texts(_scopes(want))})" if self.scope else ""
        return (
            f"SELECT ARRAY[{names}] AS names, ({self.applied}) AS applied, ({self.begun}) AS begun,"  # noqa: S608 - checked names
            f" ({self.begun}) AND ({self.runs}) AS runs, ({self.failed}) AS failed,"
            f" row_number() OVER (ORDER BY {self.order} DESC) AS place FROM {quoted(table)}{scope}"
            f" ORDER BY coalesce({asked}, false) DESC, {self.order} DESC LIMIT 1000"
        )

    def read(self, rows: Rows, wanted: str) -> Record:
        """Return the newest migration that was applied, and whether the wanted ones were."""
        last: dict[str, Any] = {}
        for row in sorted(rows, key=lambda each: int(each["place"])):
            if row["names"][0] is not None:
                last.setdefault(str(row["names"][0]), row)
        applied = [name for name, row in last.items() if row["applied"] is True]
        begun = [name for name, row in last.items() if row["begun"] is True]
        left = [name for name in begun if last[name]["runs"] is not True]
        failed = [name for name, row in last.items() if row["failed"] is True]
        if self.numbered:
            version = max(
                filter(numbers, applied), key=lambda name: numbers(name) or (), default=None
            )
            reached = at_least(version, wanted)
        else:
            version = applied[0] if applied else None
            known = {each for name in applied for each in last[name]["names"]}
            reached = set(parts(wanted)) <= known
        facts: dict[str, Any] = {"applied": len(applied)}
        failure = f"migration {failed[0]} is recorded as failed" if failed else None
        said = f"migration {left[0]} is recorded as begun and not as ended" if left else None
        if begun:
            facts["unfinished"] = begun[0]
        underway = bool(begun) and not left
        return Record(version, reached and not begun, failure=failure, unfinished=said,
                      underway=underway, metadata=facts)  # fmt: skip


def tool(name: str, table: str, ledger: Ledger, pattern: re.Pattern[str], example: str) -> Tool:
    """Return the tool of a ledger; `example` is a version of it."""
    return Tool(name, table, None, pattern, ledger.ask, ledger.read, example=example)


def parts(wanted: str) -> list[str]:
    """Return the names that a definition wants."""
    return [each.strip() for each in wanted.split(",")]


def _scopes(want: list[str]) -> list[str]:
    return sorted({each.partition(".")[0] for each in want})


def _texts(values: list[str]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)
