"""The shapes of a record and of an incident, as they are told of what is kept watch on."""

from __future__ import annotations

from kaspad_taskd.api.records import STATES
from kaspad_taskd.api.schemas import (
    HEALTH,
    MAYBE_NUMBER,
    MAYBE_TEXT,
    MOMENT,
    TEXT,
    TIME,
    WHOLE,
    listed,
    maybe,
    record,
    word,
)
from kaspad_taskd.core.incidents import Ending

_STATE = dict.fromkeys(STATES, WHOLE)
_SECONDS = record("SecondsByState", **_STATE)
RECORD = record(
    "WatchRecord",
    taskId=TEXT,
    service=TEXT,
    days=WHOLE,
    since=TIME,
    until=TIME,
    seconds=_SECONDS,
    series=listed(
        "WatchSeries", record("WatchPart", seconds=_SECONDS, **{"from": MOMENT, "to": MOMENT})
    ),
    incidents=record("IncidentsInAll", count=WHOLE, longest=WHOLE),
    **{"from": TIME, "to": TIME},
)
INCIDENT = record(
    "Incident",
    id=WHOLE,
    taskId=TEXT,
    service=TEXT,
    began=MOMENT,
    ended=TIME,
    health=HEALTH,
    reason=MAYBE_TEXT,
    note=MAYBE_TEXT,
    worstBehind=MAYBE_NUMBER,
    ending=maybe(word("HowItEnded", Ending)),
)
