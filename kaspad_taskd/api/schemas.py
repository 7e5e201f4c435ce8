"""JSON Schemas of what the methods answer."""

from __future__ import annotations

from typing import Any

from kaspad_taskd.core.model import Health, Status

TEXT = {"type": "string"}
MAYBE_TEXT = {"type": ["string", "null"]}
MAYBE_NUMBER = {"type": ["number", "null"]}
WHOLE = {"type": "integer"}
TIME = {"type": ["string", "null"], "format": "date-time"}
TEXTS = {"type": "array", "items": TEXT}
FREE = {"type": "object"}

_FIELDS: dict[str, Any] = {
    "id": TEXT,
    "type": TEXT,
    "service": TEXT,
    "endpoint": MAYBE_TEXT,
    "config": FREE,
    "checkInterval": WHOLE,
    "timeout": WHOLE,
    "stallAfter": WHOLE,
    "giveUpAfter": {"type": ["integer", "null"]},
    "after": TEXTS,
    "autoSwitch": {"type": "boolean"},
    "status": {"enum": [each.value for each in Status]},
    "health": {"enum": [each.value for each in Health]},
    "healthSince": TIME,
    "reason": MAYBE_TEXT,
    "note": MAYBE_TEXT,
    "hints": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"code": TEXT, "params": FREE},
            "required": ["code", "params"],
        },
    },
    "waitingFor": TEXTS,
    "progress": {"type": "number", "minimum": 0, "maximum": 100},
    "progressBasis": {"enum": ["exact", "estimated", "unknown"]},
    "phase": MAYBE_TEXT,
    "phases": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "key": TEXT,
                "state": {"enum": ["done", "current", "next"]},
                "weight": {"type": "number"},
                "progress": MAYBE_NUMBER,
                "basis": TEXT,
                "startedAt": TIME,
                "endedAt": TIME,
            },
            "required": ["key", "state", "weight", "progress", "basis", "startedAt", "endedAt"],
        },
    },
    "pass": WHOLE,
    "progressDetail": {
        "type": ["object", "null"],
        "properties": {
            "done": {"type": "number"},
            "total": MAYBE_NUMBER,
            "unit": MAYBE_TEXT,
            "basis": TEXT,
        },
    },
    "behind": MAYBE_NUMBER,
    "syncRate": MAYBE_NUMBER,
    "rateUnit": MAYBE_TEXT,
    "estimatedTimeRemaining": {"type": ["integer", "null"]},
    "etaReason": MAYBE_TEXT,
    "formattedTimeRemaining": TEXT,
    "confirmations": {
        "type": "object",
        "properties": {"have": WHOLE, "need": WHOLE},
        "required": ["have", "need"],
    },
    "epoch": {
        "type": "object",
        "properties": {"number": WHOLE, "since": TIME, "reason": MAYBE_TEXT},
        "required": ["number", "since", "reason"],
    },
    "createdAt": TIME,
    "startedAt": TIME,
    "lastChecked": TIME,
    "lastUpdate": TIME,
    "lastMoved": TIME,
    "nextCheck": TIME,
    "completedAt": TIME,
    "erroredAt": TIME,
    "cancelledAt": TIME,
    "error": MAYBE_TEXT,
    "attempt": WHOLE,
    "revision": WHOLE,
    "origin": {"enum": ["vendor", "api", "admin"]},
    "directory": MAYBE_TEXT,
    "switches": TEXTS,
    "actions": TEXTS,
    "metadata": FREE,
}

TASK = {"$ref": "#/components/schemas/Task"}
TASKS = {"type": "array", "items": TASK}
EVENT = {"$ref": "#/components/schemas/Event"}

COMPONENTS = {
    "Task": {"type": "object", "properties": _FIELDS, "required": list(_FIELDS)},
    "Event": {
        "type": "object",
        "properties": {"seq": WHOLE, "event": TEXT, "data": FREE},
        "required": ["seq", "event", "data"],
    },
}
"""What the schemas refer to."""


def record(**fields: Any) -> dict[str, Any]:
    """An object with all these fields."""
    return {"type": "object", "properties": fields, "required": list(fields)}


WARNING: dict[str, Any] = {
    "id": WHOLE,
    "code": TEXT,
    "params": FREE,
    "note": TEXT,
    "cure": MAYBE_TEXT,
}
"""What a warning says, in its event and in lists."""

POINT = record(
    at={"type": "string", "format": "date-time"},
    progress=MAYBE_NUMBER,
    done=MAYBE_NUMBER,
    rate=MAYBE_NUMBER,
    health={"enum": [*(each.value for each in Health), None]},
)
"""A point of a history."""

_CHOICE = {"enum": ["wait", "background", "skip"]}
STRATEGY = record(
    recommended=_CHOICE,
    options={
        "type": "array",
        "items": record(id=_CHOICE, title=TEXT, description=TEXT, recommended={"type": "boolean"}),
    },
    estimatedTime={"anyOf": [record(seconds=WHOLE, formatted=TEXT), {"type": "null"}]},
)
"""What a wizard's user may choose while a node syncs."""


def done(**fields: Any) -> dict[str, Any]:
    """`{success: true, taskId, ...}`."""
    return record(success={"const": True}, taskId=TEXT, **fields)
