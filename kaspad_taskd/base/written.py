"""Tables of several files laid one over the other, and which file wrote what. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Written:
    """Who wrote a value.

    Attributes:
        file: the last one that set it; of a table, that set anything in it.
        parts: of a table, the same of each key.
    """

    file: str
    parts: dict[str, Written] = field(default_factory=dict)

    def at(self, *names: str) -> Written:
        """Return who wrote what stands there; where nothing does, who wrote the table around it."""
        found = self
        for name in names:
            if name not in found.parts:
                break
            found = found.parts[name]
        return found


def merge(layers: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[dict[str, Any], Written]:
    """Lay tables one over the other: tables key by key, any other value replaces what was there.

    Args:
        layers: file and table of each, the lowest first.
    """
    merged: dict[str, Any] = {}
    written = Written("")
    for file, table in layers:
        # not recursive: a file may nest deeper than Python does
        below = [(merged, written, table)]
        while below:
            into, by, given = below.pop()
            by.file = file
            for key, value in given.items():
                is_table = isinstance(value, Mapping)
                if not is_table or not isinstance(into.get(key), dict):
                    into[key], by.parts[key] = {} if is_table else value, Written(file)
                if is_table:
                    below.append((into[key], by.parts[key], value))
    return merged, written
