"""The type `report`: nobody looks, the work itself reports by `reportTask`.

What is looked at is whether the process is there that said it would report.
"""

from __future__ import annotations

from collections.abc import Mapping

from kaspad_taskd.base.running import is_gone
from kaspad_taskd.base.tables import Table
from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Json, Observation, Refused
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes.probe_type import Checker, Means, ProbeType

RUN = "run"
"""What a report leaves in the memory of its task: `{pid, ticks, began}`."""


def is_over(run: Mapping[str, Json]) -> bool:
    """Return whether the process of such a record has surely ended."""
    return is_gone(run["pid"], run["ticks"], run["began"])


class ReportProbe:
    """Sees when the process has ended without a word, if one was named."""

    async def observe(self, memory: Mapping[str, Json]) -> Observation | None:
        """Return that it was lost, or None: there is nothing to be seen."""
        run = memory.get(RUN)
        if not run or not is_over(run):
            return None
        return Refused(Reason.RUN_LOST, {"pid": run["pid"]})

    async def close(self) -> None:
        """There is nothing to let go."""


def parse(_table: Table, _service: str) -> Checker:
    """Return an empty checker: there is nothing to say about it."""
    return Checker()


def open_probe(_definition: Definition, _means: Means) -> ReportProbe:
    """Return what sees whether the process that reports has gone."""
    return ReportProbe()


TYPE = ProbeType("report", parse, open_probe)
