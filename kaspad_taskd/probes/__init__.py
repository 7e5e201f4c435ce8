"""The types of tasks: how a definition's checker is read, and the probes that take looks.

`config` and `api` read definitions with `TYPES[name].parse`, the daemon makes probes with
`open_probe`. A new type is one module here and one line below.
"""

from __future__ import annotations

from collections.abc import Mapping

from kaspad_taskd.core.model import Definition
from kaspad_taskd.probes import command, http_json, indexer_sync, node_sync, report
from kaspad_taskd.probes.later import later
from kaspad_taskd.probes.probe_type import Checker, Means, Probe, ProbeType

__all__ = ["TYPES", "Checker", "Means", "Probe", "ProbeType", "open_probe"]

TYPES: Mapping[str, ProbeType] = {
    each.name: each
    for each in (
        node_sync.TYPE,
        indexer_sync.TYPE,
        later("database-migration"),
        command.TYPE,
        http_json.TYPE,
        report.TYPE,
    )
}
"""All types by name."""


def open_probe(definition: Definition, means: Means | None = None) -> Probe | None:
    """Return the probe of a definition, None where its type has none.

    Raises:
        ImportError: a library that this type needs is missing.
    """
    return TYPES[definition.type].open(definition, means or Means())
