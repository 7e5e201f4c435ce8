"""JSON Schemas of the events' data (contract section 4): what `wire.event_data` makes of facts."""

from __future__ import annotations

import re
from typing import Any

from kaspad_taskd.api.schemas import (
    FLAG,
    FREE,
    HEALTH,
    MAYBE_TEXT,
    MAYBE_WHOLE,
    MOMENT,
    NUMBER,
    ORIGIN,
    STATUS,
    TEXT,
    TEXTS,
    TIME,
    WARNING,
    WHOLE,
    listed,
    record,
    word,
)
from kaspad_taskd.api.switches import SIDE, SWITCH
from kaspad_taskd.core.fact import EventName

DURATION = record("Duration", seconds=WHOLE, minutes=WHOLE, hours=WHOLE, formatted=TEXT)

HEAD: dict[str, Any] = {
    "seq": WHOLE,
    "timestamp": MOMENT,
    "taskId": TEXT,
    "service": TEXT,
    "type": TEXT,
}
"""What every event has."""

SKIPPED = record("SkippedService", service=TEXT, reason=word("SkipReason", ["held"]))
_SWITCH = {"taskId": MAYBE_TEXT, "type": MAYBE_TEXT, "to": SIDE, "switch": SWITCH}
"""A user's switch has no task."""
_OWN: dict[EventName, dict[str, Any]] = {
    EventName.TASK_ADDED: {"origin": ORIGIN},
    EventName.TASK_CHANGED: {},
    EventName.TASK_REMOVED: {},
    EventName.START: {"attempt": WHOLE},
    EventName.PROGRESS: {
        "status": STATUS,
        "health": HEALTH,
        "phase": MAYBE_TEXT,
        "progress": NUMBER,
        "percentage": NUMBER,
        "estimatedTimeRemaining": MAYBE_WHOLE,
        "formattedTimeRemaining": TEXT,
        "syncRate": NUMBER,
        "connected": FLAG,
        "synced": FLAG,
    },
    EventName.COMPLETE: {
        "status": word("StatusComplete", ["complete"]),
        "progress": {"type": "number", "const": 100},
        "completedAt": MOMENT,
        "duration": DURATION,
    },
    EventName.ERROR: {
        "status": word("StatusError", ["error"]),
        "error": TEXT,
        "erroredAt": MOMENT,
        "reason": TEXT,
    },
    EventName.CANCELLED: {"cancelledAt": MOMENT},
    EventName.PAUSED: {},
    EventName.RESUMED: {},
    EventName.HEALTH: {"health": HEALTH, "since": TIME, "reason": MAYBE_TEXT, "note": MAYBE_TEXT},
    EventName.EPOCH: {"number": WHOLE, "since": TIME, "reason": MAYBE_TEXT},
    EventName.SWITCH_PROGRESS: {**_SWITCH, "step": TEXT},
    EventName.SWITCH_COMPLETE: _SWITCH,
    EventName.SWITCH_ERROR: {**_SWITCH, "error": TEXT, "reason": TEXT},
    EventName.NODE_READY: {
        "host": MAYBE_TEXT,
        "port": MAYBE_WHOLE,
        "url": TEXT,
        "message": TEXT,
        "switched": TEXTS,
        "failed": TEXTS,
    },
    EventName.ATTENTION: {
        "taskId": MAYBE_TEXT,
        "type": MAYBE_TEXT,
        "code": MAYBE_TEXT,
        "params": FREE,
        "note": MAYBE_TEXT,
        "cure": MAYBE_TEXT,
        "since": TIME,
    },
    EventName.WARNING: {
        "taskId": MAYBE_TEXT,
        "service": MAYBE_TEXT,
        "type": MAYBE_TEXT,
        **WARNING,
    },
}
_MAYBE: dict[EventName, dict[str, Any]] = {
    EventName.NODE_READY: {"skipped": listed("SkippedServices", SKIPPED)},
    EventName.TASK_ADDED: {"directory": TEXT},
    EventName.START: {"because": TEXT},
    EventName.COMPLETE: {"because": TEXT},
    EventName.HEALTH: {"behind": NUMBER, "was": HEALTH},
    EventName.PROGRESS: {
        "healthSince": TIME,
        "lastChecked": TIME,
        "behind": NUMBER,
        "currentBlock": WHOLE,
        "targetBlock": WHOLE,
        "blocksRemaining": WHOLE,
    },
}
"""Fields that an event may lack: services that are held where they are; blocks, before the node
answered; how it is now, of what is not kept watch on, or how far behind, where that is not known;
why an attempt began, where somebody began it; the directory of a definition that no file holds."""


def title_of(name: str) -> str:
    """Return what a message is called as a type: `SyncProgress` for `sync:progress`."""
    return "".join(part[:1].upper() + part[1:] for part in re.split("[:-]", name))


def event_schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of each event's data, by the event's name."""
    schemas = {}
    for name, own in _OWN.items():
        schema = record(f"{title_of(name)}Event", **{**HEAD, **own})
        schema["properties"].update(_MAYBE.get(name, {}))
        schemas[name.value] = schema
    return schemas
