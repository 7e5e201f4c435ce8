"""The type `report`: nobody looks, the work itself reports by `reportTask`."""

from __future__ import annotations

from kaspad_taskd.base.tables import Table
from kaspad_taskd.core.model import Definition
from kaspad_taskd.probes.probe_type import Checker, Means, ProbeType


def parse(_table: Table, _service: str) -> Checker:
    """Return an empty checker: there is nothing to say about it."""
    return Checker()


def open_probe(_definition: Definition, _means: Means) -> None:
    """Return None: this type has no probe."""


TYPE = ProbeType("report", parse, open_probe)
