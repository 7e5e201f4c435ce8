"""What of the records of what is kept watch on can be saved from a damaged state.

Nothing of it decides what a task is: what makes no sense is left out, and that time is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kaspad_taskd.base.frozen import replace
from kaspad_taskd.core.ageing import HOUR
from kaspad_taskd.core.incidents import Incident
from kaspad_taskd.core.seen import MINUTE, Counts
from kaspad_taskd.core.watch_record import WatchRecord
from kaspad_taskd.store import codec
from kaspad_taskd.store.pages import Value
from kaspad_taskd.store.schema import Connection

_SPANS = (MINUTE, HOUR)
_LAST_SLOT = 2**40


@dataclass(slots=True)
class Found:
    """What the pages hold; of what was changed later, the newest that can be told."""

    slots: dict[tuple[str, int, int], Counts] = field(default_factory=dict)
    records: dict[str, WatchRecord] = field(default_factory=dict)
    incidents: dict[int, Incident] = field(default_factory=dict)


def take_slot(found: Found, task_id: str, span: int, slot: int, values: Sequence[Value]) -> None:
    """Take in a minute or an hour: counts only grow, so the larger one is the newer one.

    Raises:
        TypeError, ValueError: it makes no sense.
    """
    counts = [each for each in values if isinstance(each, int) and each >= 0]
    if span not in _SPANS or not 0 <= slot < _LAST_SLOT or len(counts) != len(values):
        raise ValueError("no such slot was ever written")
    taken, place = Counts(*counts), (task_id, span, slot)
    if taken.known > span:
        raise ValueError("more than there was time")
    if place not in found.slots or found.slots[place].known < taken.known:
        found.slots[place] = taken


def take_record(found: Found, task_id: str, text: str) -> None:
    """Take in a record: its totals only grow.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it makes no sense.
    """
    record = replace(codec.record_from(text), task_id=task_id)
    if min(record.unknown, *record.total.numbers()) < 0:
        raise ValueError("less than nothing")
    before = found.records.get(task_id)
    if before is None or _told(before) < _told(record):
        found.records[task_id] = record


def _told(record: WatchRecord) -> tuple[int, bool]:
    return record.total.known + record.unknown, record.until is not None


def take_incident(found: Found, number: int, task_id: str, text: str) -> None:
    """Take in an incident: one that has ended did not begin to last again.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it makes no sense.
    """
    incident = replace(codec.incident_from(text), id=number, task_id=task_id)
    before = found.incidents.get(number)
    if before is None or before.lasts:
        found.incidents[number] = incident


def put(db: Connection, found: Found) -> None:
    """Write all of it.

    Raises:
        SqliteError: it cannot be written.
    """
    rows = ((*place, *counts.numbers()) for place, counts in found.slots.items())
    db.executemany("INSERT INTO seen VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    texts = ((key, codec.record_text(record)) for key, record in found.records.items())
    db.executemany("INSERT INTO records VALUES (?, ?)", texts)
    told = ((n, each.task_id, codec.incident_text(each)) for n, each in found.incidents.items())
    db.executemany("INSERT INTO incidents VALUES (?, ?, ?)", told)
