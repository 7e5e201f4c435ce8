"""What the page of a task tells of its past: the record, and the incidents of a page of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from kaspad_taskd.api.context import Api
from kaspad_taskd.api.methods.records import FOR_EVER, LONGEST_DAYS, incidents_of, record_of
from kaspad_taskd.base.clock import parse_iso
from kaspad_taskd.core.model import Moment

Json: TypeAlias = Any

INCIDENTS: Final = 20
"""Incidents of a page; one more is read, to know whether there are earlier ones."""
DAYS: Final = ("1", "7", "30", "90")


async def past(api: Api, task_id: str, query: Mapping[str, str]) -> dict[str, Json]:
    """Return `record` (of `days`) and `incidents` (those that began before `until`) of a task.

    A query that asks for something else is answered as if it did not ask.
    """
    days = query.get("days", "")
    record = await record_of(api, task_id, int(days) if days in DAYS else LONGEST_DAYS)
    end = _moment(query.get("until", ""))
    incidents = await incidents_of(api, task_id, 0, end, INCIDENTS + 1)
    return {"record": record, "incidents": incidents}


def _moment(text: str) -> Moment:
    try:
        return parse_iso(text[:40])
    except ValueError:
        return FOR_EVER
