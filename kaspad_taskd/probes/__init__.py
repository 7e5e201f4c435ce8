"""The types of tasks: how a definition's checker is read, and the probes that take looks.

`config` and `api` read definitions with `TYPES[name].parse`, the daemon makes probes with
`open_probe`. A new type is one module in the folder of its
family and one line below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from kaspad_taskd.base.tables import Fault
from kaspad_taskd.core.model import Definition
from kaspad_taskd.probes.data_dir import watched
from kaspad_taskd.probes.general import command, http_json, report
from kaspad_taskd.probes.indexers import indexer_sync
from kaspad_taskd.probes.migrations import database_migration
from kaspad_taskd.probes.node import node_sync
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


def add(names: Iterable[str], file: Path | str | None) -> list[Fault]:
    """Take in types of other packages that a file of the settings names; returns what is wrong.

    To be called before any definition is read.
    """
    faults = []
    for name in names:
        try:
            _TYPES[name] = load(name, _TYPES)
        except ValueError as problem:
            faults.append(Fault("probes", str(problem), None if file is None else str(file)))
    return faults


def open_probe(definition: Definition, means: Means | None = None) -> Probe | None:
    """Return the probe of a definition, None where its type has none.

    Raises:
        ImportError: a library that this type needs is missing.
    """
    means = means or Means()
    return watched(TYPES[definition.type].open(definition, means), definition, means)
