"""The types of tasks: how a definition's checker is read, and the probes that take looks.

`config` and `api` read definitions with `TYPES[name].parse`, the daemon makes probes with
`open_probe`. A new type is one module here and one line below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kaspad_taskd.core.model import Definition
from kaspad_taskd.probes import (
    command,
    database_migration,
    http_json,
    indexer_sync,
    node_sync,
    report,
)
from kaspad_taskd.probes.others import load
from kaspad_taskd.probes.probe_type import Checker, Means, Probe, ProbeType

__all__ = ["TYPES", "Checker", "Means", "Probe", "ProbeType", "add", "open_probe"]

_TYPES: dict[str, ProbeType] = {
    each.name: each
    for each in (
        node_sync.TYPE,
        indexer_sync.TYPE,
        database_migration.TYPE,
        command.TYPE,
        http_json.TYPE,
        report.TYPE,
    )
}
TYPES: Mapping[str, ProbeType] = _TYPES
"""All types by name: ours, and those that `add` took in."""


def add(names: Iterable[str]) -> list[str]:
    """Take in types of other packages that the settings name; returns what is wrong, as sentences.

    To be called before any definition is read.
    """
    problems = []
    for name in names:
        try:
            _TYPES[name] = load(name, _TYPES)
        except ValueError as fault:
            problems.append(str(fault))
    return problems


def open_probe(definition: Definition, means: Means | None = None) -> Probe | None:
    """Return the probe of a definition, None where its type has none.

    Raises:
        ImportError: a library that this type needs is missing.
    """
    return TYPES[definition.type].open(definition, means or Means())
