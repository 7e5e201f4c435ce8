"""Any other program: a read-only query of the administrator's, one row of named columns.

`completed` (boolean), and as far as they are known `done`, `total`, `version`, and `failed`
(boolean).
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any, Final

from kaspad_taskd.probes.migrations.seen import Record
from kaspad_taskd.probes.migrations.tool import Rows, Tool

LARGEST: Final = 2.0**53


class ShapeError(ValueError):
    """The query answers something else than is expected; the sentence says what."""


def read(rows: Rows, _wanted: str) -> Record:
    """Return what the row says.

    Raises:
        ShapeError: there is not one row, `completed` is missing, or a column is of another kind.
    """
    if len(rows) != 1:
        raise ShapeError(f"the query must give one row, not {'several' if rows else 'none'}")
    row = rows[0]
    total = _number(row, "total")
    return Record(
        version=None if row.get("version") is None else str(row["version"])[:64],
        reached=_flag(row, "completed", needed=True),
        failure="the query says that it failed" if _flag(row, "failed") else None,
        done=_number(row, "done"),
        total=total if total else None,
    )


def _flag(row: Any, name: str, needed: bool = False) -> bool:
    value = row.get(name)
    if isinstance(value, bool) or (value is None and not (needed and name not in row)):
        return value is True
    raise ShapeError(f"the query must have a boolean column {name}")


def _number(row: Any, name: str) -> float | None:
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ShapeError(f"the column {name} must be a number")
    number = float(value)
    if not math.isfinite(number) or not 0 <= number <= LARGEST:
        raise ShapeError(f"the column {name} must be from 0 to 2^53")
    return number


def ask(_table: str, _wanted: str) -> str:
    """Return none: the definition has the query."""
    return ""


TOOL: Final = Tool("sql", None, "", re.compile(""), ask, read)
