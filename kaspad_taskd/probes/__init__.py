"""The types of tasks: how a definition's checker is read, and the probes that take looks.

`config` and `api` read definitions with `TYPES[name].parse`, the daemon makes probes with
`open_probe`. A new type is one module in the folder of its family and two lines below. It is loaded
for the first definition of its type: few hosts have them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from kaspad_taskd.base.tables import Fault
from kaspad_taskd.core.model import Definition
from kaspad_taskd.probes.others import load
from kaspad_taskd.probes.probe_type import Checker, Means, Probe, ProbeType

__all__ = ["TYPES", "Checker", "Means", "Probe", "ProbeType", "add", "open_probe"]


def _node_sync() -> ProbeType:
    from kaspad_taskd.probes.node.node_sync import TYPE

    return TYPE


def _indexer_sync() -> ProbeType:
    from kaspad_taskd.probes.indexers.indexer_sync import TYPE

    return TYPE


def _database_migration() -> ProbeType:
    from kaspad_taskd.probes.migrations.database_migration import TYPE

    return TYPE


def _command() -> ProbeType:
    from kaspad_taskd.probes.general.command import TYPE

    return TYPE


def _http_json() -> ProbeType:
    from kaspad_taskd.probes.general.http_json import TYPE

    return TYPE


def _report() -> ProbeType:
    from kaspad_taskd.probes.general.report import TYPE

    return TYPE


def _later(name: str, loaded: Callable[[], ProbeType]) -> ProbeType:
    """Return a type that is loaded when it first reads a definition, or makes a probe."""
    return ProbeType(
        name,
        lambda table, service: loaded().parse(table, service),
        lambda definition, means: loaded().open(definition, means),
    )


_OURS: Mapping[str, Callable[[], ProbeType]] = {
    "node-sync": _node_sync,
    "indexer-sync": _indexer_sync,
    "database-migration": _database_migration,
    "command": _command,
    "http-json": _http_json,
    "report": _report,
}
_TYPES: dict[str, ProbeType] = {name: _later(name, loaded) for name, loaded in _OURS.items()}
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
    from kaspad_taskd.probes.data_dir import watched

    means = means or Means()
    return watched(TYPES[definition.type].open(definition, means), definition, means)
