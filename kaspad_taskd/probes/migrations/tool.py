"""What every migration tool has: where it writes its versions down, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.probes.migrations.seen import Record

Rows: TypeAlias = Sequence[Mapping[str, Any]]

_NUMBER: Final = re.compile(r"\d{1,18}(\.\d{1,18}){0,15}")


@frozen
class Step:
    """A statement of a known script that may take long.

    Attributes:
        keys: of its phases: one, or for an index two, reading the table and writing the index,
            which the server counts apart.
        begins: what the statement begins with (a pattern).
        weight: its share, by the seconds of the recorded migration of 2 million transactions.
        unit: of `measure`.
        measure: the query for how far it is: `start`, `done`, `total`; by the
            name of the version table. Where `done` is null the record has it.
        reads: the table beside that one which this needs the right to read.
    """

    keys: tuple[str, ...]
    begins: re.Pattern[str]
    weight: float
    unit: str = ""
    measure: Callable[[str], str] | None = None
    reads: str = ""


@frozen
class Script:
    """A script from one version to the next, as the steps of it that may take long.

    `stamps_first`: the script writes its version down before it begins.
    """

    version: int
    steps: tuple[Step, ...]
    stamps_first: bool = False


@frozen
class Tool:
    """A migration tool.

    Attributes:
        name: as definitions call it.
        table: where it records versions, or None for none of its own.
        version: the one wanted where the definition names none; None: it must.
        pattern: what a wanted version looks like.
        ask: the query for the record in a table, of a wanted version.
        read: rows and the wanted version -> the record.
        tables: a pattern of PostgreSQL's for the names of its tables, where these are known; ""
            is every table of the schema.
        upkeep: what its commands of every day begin with, which are no migration; "" is none.
        scripts: the known ones, in order.
        example: what a wanted version looks like, for who wrote something else.
    """

    name: str
    table: str | None
    version: str | None
    pattern: re.Pattern[str]
    ask: Callable[[str, str], str]
    read: Callable[[Rows, str], Record]
    tables: str = ""
    upkeep: str = ""
    scripts: tuple[Script, ...] = ()
    example: str = ""


def numbers(version: str | None) -> tuple[int, ...] | None:
    """Return the parts of a dotted version that compare, or None where it is none."""
    if version is None or not _NUMBER.fullmatch(version):
        return None
    parts = [int(part) for part in version.split(".")]
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return tuple(parts)


def at_least(found: str | None, wanted: str) -> bool:
    """Whether a dotted version is the wanted one or a later one."""
    here, there = numbers(found), numbers(wanted)
    return here is not None and there is not None and here >= there


def quoted(table: str) -> str:
    """Return `schema.table` for a statement; both parts were checked to be plain names."""
    return ".".join(f'"{part}"' for part in table.split("."))


def beside(table: str, name: str) -> str:
    """Return the name of another table in the schema that `table` names, if it names one."""
    return f"{table.rpartition('.')[0]}.{name}" if "." in table else name
