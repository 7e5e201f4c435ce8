"""Facts: things that happened. Committed, with its `seq`, a fact is an event, told to clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.model import Moment
from kaspad_taskd.core.observation import Json


class EventName(StrEnum):
    """The names of all events, on both doors."""

    TASK_ADDED = "task:added"
    TASK_CHANGED = "task:changed"
    TASK_REMOVED = "task:removed"
    START = "sync:start"
    PROGRESS = "sync:progress"  # state, not history: never journalled
    COMPLETE = "sync:complete"
    ERROR = "sync:error"
    CANCELLED = "sync:cancelled"
    PAUSED = "sync:paused"
    RESUMED = "sync:resumed"
    HEALTH = "sync:health"
    EPOCH = "sync:epoch"
    SWITCH_PROGRESS = "switch:progress"
    SWITCH_COMPLETE = "switch:complete"
    SWITCH_ERROR = "switch:error"
    NODE_READY = "node:ready"
    ATTENTION = "service:attention"  # a service needs somebody, or does not any more
    WARNING = "warning"  # of the daemon itself: it has no task


TERMINAL_EVENTS = frozenset({EventName.COMPLETE, EventName.ERROR, EventName.CANCELLED})


@frozen
class Fact:
    """Something that happened to a task.

    `data` is the event's own part, as JSON with moments in ms; `api.wire` gives it its public form.
    """

    name: EventName
    task_id: str
    service: str
    type: str
    at: Moment
    data: Mapping[str, Json] = field(default_factory=dict)


@frozen
class Event:
    """A fact on record: `seq` has no holes and is never reused."""

    seq: int
    fact: Fact
