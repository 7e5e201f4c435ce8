"""JSON Schemas of what the methods answer.

Shapes have a `title`, the name that generators of clients give their types; one name means one
shape (api.components holds us to it, and names the rest).
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from kaspad_taskd.core.model import Health, Origin, Status, Watch

TEXT = {"type": "string"}
MAYBE_TEXT = {"type": ["string", "null"]}
NUMBER = {"type": "number"}
MAYBE_NUMBER = {"type": ["number", "null"]}
WHOLE = {"type": "integer"}
MAYBE_WHOLE = {"type": ["integer", "null"]}
FLAG = {"type": "boolean"}
MAYBE_FLAG = {"type": ["boolean", "null"]}
MOMENT = {"type": "string", "format": "date-time"}
TIME = {"type": ["string", "null"], "format": "date-time"}
FREE = {"type": "object"}
ANYTHING: dict[str, Any] = {}
NULL = {"type": "null"}
YES = {"type": "boolean", "const": True}


def record(title: str, /, **fields: Any) -> dict[str, Any]:
    """An object with all these fields."""
    return some(title, list(fields), **fields)


def some(title: str, required: list[str], /, **fields: Any) -> dict[str, Any]:
    """An object with some of these fields, the required ones always."""
    return {"title": title, "type": "object", "properties": fields, "required": required}


def listed(title: str, items: Any) -> dict[str, Any]:
    """A list of them."""
    return {"title": title, "type": "array", "items": items}


def maybe(schema: Any) -> dict[str, Any]:
    """This, or null."""
    return {"anyOf": [schema, NULL]}


def word(title: str, words: type[Enum] | list[str]) -> dict[str, Any]:
    """One of a few words."""
    listed_words = words if isinstance(words, list) else [each.value for each in words]
    return {"title": title, "type": "string", "enum": listed_words}


TEXTS = listed("Texts", TEXT)
STATUS = word("TaskStatus", Status)
HEALTH = word("TaskHealth", Health)
ORIGIN = word("TaskOrigin", Origin)

_FIELDS: dict[str, Any] = {
    "id": TEXT,
    "type": TEXT,
    "service": TEXT,
    "endpoint": MAYBE_TEXT,
    "config": FREE,
    "checkInterval": WHOLE,
    "timeout": WHOLE,
    "stallAfter": WHOLE,
    "giveUpAfter": MAYBE_WHOLE,
    "after": TEXTS,
    "autoSwitch": FLAG,
    "keepWatching": FLAG,
    "watchInterval": WHOLE,
    "behindAfter": WHOLE,
    "relapseAfter": WHOLE,
    "status": STATUS,
    "watch": word("TaskWatch", Watch),
    "health": HEALTH,
    "healthSince": TIME,
    "reason": MAYBE_TEXT,
    "note": MAYBE_TEXT,
    "hints": listed("Hints", record("Hint", code=TEXT, params=FREE)),
    "waitingFor": TEXTS,
    "progress": {"type": "number", "minimum": 0, "maximum": 100},
    "progressBasis": word("ProgressBasis", ["exact", "estimated", "unknown"]),
    "phase": MAYBE_TEXT,
    "phases": listed(
        "Phases",
        record(
            "Phase",
            key=TEXT,
            state=word("PhaseState", ["done", "current", "next"]),
            weight=NUMBER,
            progress=MAYBE_NUMBER,
            basis=TEXT,
            startedAt=TIME,
            endedAt=TIME,
        ),
    ),
    "pass": WHOLE,
    "progressDetail": maybe(
        record("ProgressDetail", done=NUMBER, total=MAYBE_NUMBER, unit=MAYBE_TEXT, basis=TEXT)
    ),
    "behind": MAYBE_NUMBER,
    "syncRate": MAYBE_NUMBER,
    "rateUnit": MAYBE_TEXT,
    "estimatedTimeRemaining": MAYBE_WHOLE,
    "etaReason": MAYBE_TEXT,
    "formattedTimeRemaining": TEXT,
    "confirmations": record("Confirmations", have=WHOLE, need=WHOLE),
    "epoch": record("Epoch", number=WHOLE, since=TIME, reason=MAYBE_TEXT),
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
    "because": MAYBE_TEXT,
    "revision": WHOLE,
    "origin": ORIGIN,
    "directory": MAYBE_TEXT,
    "switches": TEXTS,
    "actions": TEXTS,
    "metadata": FREE,
}

TASK = {"$ref": "#/components/schemas/Task"}
TASKS = listed("Tasks", TASK)
EVENT = {"$ref": "#/components/schemas/Event"}

COMPONENTS = {
    "Task": record("Task", **_FIELDS),
    "Event": record("Event", seq=WHOLE, event=TEXT, data=FREE),
}
"""What the schemas refer to."""


WARNING: dict[str, Any] = {
    "id": WHOLE,
    "code": TEXT,
    "params": FREE,
    "note": TEXT,
    "cure": MAYBE_TEXT,
}
"""What a warning says, in its event and in lists."""

POINT = record(
    "HistoryPoint",
    at=MOMENT,
    progress=MAYBE_NUMBER,
    done=MAYBE_NUMBER,
    rate=MAYBE_NUMBER,
    health=maybe(HEALTH),
)
"""A point of a history."""

_CHOICE = word("StrategyChoice", ["wait", "background", "skip"])
STRATEGY = record(
    "SyncStrategy",
    recommended=_CHOICE,
    options=listed(
        "StrategyOptions",
        record(
            "StrategyOption", id=_CHOICE, label=TEXT, title=TEXT, description=TEXT, recommended=FLAG
        ),
    ),
    estimatedTime=TEXT,
    estimatedSeconds=MAYBE_WHOLE,
    note=MAYBE_TEXT,
    syncStatus=some(
        "StrategySyncStatus", ["percentage"],
        percentage=NUMBER, currentBlock=WHOLE, targetBlock=WHOLE, blocksRemaining=WHOLE,
    ),
    nodeKey=TEXT,
)  # fmt: skip
"""What a wizard's user may choose while a node syncs."""


DECISION = record("Decision", id=WHOLE, decision=TEXT, context=ANYTHING, timestamp=MOMENT)
"""A choice on record."""

FAULT = record("DefinitionFault", file=MAYBE_TEXT, key=TEXT, problem=TEXT)
"""What is wrong with settings or a definition."""


def done(title: str, /, **fields: Any) -> dict[str, Any]:
    """`{success: true, taskId, ...}`."""
    return record(title, success=YES, taskId=TEXT, **fields)


ACTED = done("TaskActed")
CHANGED = done("TaskChanged", task=TASK)
"""What is told of a change: the task as it is then."""
