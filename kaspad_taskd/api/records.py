"""The record of what is kept watch on, as it is told: seconds by state, in days; incidents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from kaspad_taskd import words
from kaspad_taskd.base.clock import iso
from kaspad_taskd.core.ageing import DAY, HOUR
from kaspad_taskd.core.incidents import Incident
from kaspad_taskd.core.model import Moment
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.seen import COUNTED, MINUTE, Counts, Slot, window
from kaspad_taskd.core.watch_record import WatchRecord
from kaspad_taskd.words.spans import up

Json: TypeAlias = Any

STATES = (*(each.value for each in COUNTED), "unknown")
"""What seconds are told of, in this order."""
REASONS = frozenset(each.value for each in Reason)


def reach(record: WatchRecord, days: int, now: Moment) -> tuple[Moment, Moment]:
    """From when to when there is something to tell of so many days, ended at now or with the task.

    It begins with the record, or so many days before the end of this hour (one day: this minute).
    """
    end = now if record.until is None else min(record.until, now)
    return min(end, max(record.since, _begin(days, now))), end


def _begin(days: int, now: Moment) -> Moment:
    grain = MINUTE if days == 1 else HOUR
    return (now // grain + 1) * grain - days * DAY


def parts(start: Moment, end: Moment, days: int, now: Moment) -> Iterator[tuple[Moment, Moment]]:
    """The parts of so many days, as a strip shows them: 24 h each, of one day 24 hours.

    They are counted back from now, so they are the same whatever the time zone is, none is of 23 or
    25 hours, and the last one is the last 24 h. The first one begins with the record.
    """
    step = HOUR if days == 1 else DAY
    begin = _begin(days, now)
    while start < end:
        over = min(end, start + step - (start - begin) % step)
        yield start, over
        start = over


def record_told(record: WatchRecord, slots: list[Slot], days: int, now: Moment) -> dict[str, Json]:
    """Return what `getRecord` tells of the time, from what is on record of it."""
    start, end = reach(record, days, now)
    kept = record.since, end
    found = [
        (begin, over, window(slots, begin, over, kept))
        for begin, over in parts(start, end, days, now)
    ]
    total = Counts()
    for _, _, counts in found:
        total = total.plus(counts)
    return {
        "since": iso(record.since),
        "until": None if record.until is None else iso(record.until),
        "from": iso(start),
        "to": iso(end),
        "seconds": seconds(total, end - start),
        "series": [
            {"from": iso(begin), "to": iso(over), "seconds": seconds(counts, over - begin)}
            for begin, over, counts in found
        ],
    }


def nothing_told() -> dict[str, Json]:
    """The same of a task that was never complete: there is no record."""
    none = {"since": None, "until": None, "from": None, "to": None}
    return {**none, "seconds": seconds(Counts(), 0), "series": []}


def seconds(counts: Counts, span: int) -> dict[str, int]:
    """Whole seconds by state, which together are the span's: who is cut most gets one more."""
    spent = (*counts.numbers(), max(0, span - counts.known))
    whole = [part // 1000 for part in spent]
    rest = round(span / 1000) - sum(whole)
    for place in sorted(range(len(spent)), key=lambda place: -(spent[place] % 1000))[:rest]:
        whole[place] += 1
    return dict(zip(STATES, whole, strict=True))


def incidents_told(found: Sequence[Incident], start: Moment, end: Moment) -> dict[str, Json]:
    """How many incidents reach into this time, and how long the longest of them is in it, s."""
    spans = [
        min(end, end if each.ended is None else each.ended) - max(start, each.began)
        for each in found
    ]
    return {"count": len(spans), "longest": max(0, *spans, 0) // 1000}


def incident_shape(incident: Incident) -> dict[str, Json]:
    """An incident as it is listed."""
    behind = incident.worst_behind
    return {
        "id": incident.id,
        "taskId": incident.task_id,
        "service": incident.service,
        "began": iso(incident.began),
        "ended": None if incident.ended is None else iso(incident.ended),
        "health": incident.health.value,
        "reason": incident.reason,
        "note": _note(incident),
        "worstBehind": None if behind is None else up(behind),
        "ending": None if incident.ending is None else incident.ending.value,
    }


def _note(incident: Incident) -> str | None:
    """The sentence of the cause: of a reason, or of why the next attempt began."""
    if incident.reason is None:
        return None
    if incident.reason in REASONS:
        return words.note(incident.reason, incident.params, incident.type)
    return words.maybe(f"incident.because.{incident.reason}") or words.say("incident.because.other")
