"""Snapshots as the bridge makes them, from the golden tasks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from kaspad_taskd.api.switches import switch_shape
from kaspad_taskd.core.switch import Switch
from kaspad_taskd.words.service import doing
from tests.fakes.golden import golden_tasks

ACTIONS = {
    "pending": ["start", "cancel"],
    "in-progress": ["pause", "cancel", "check"],
    "paused": ["start", "cancel"],
    "complete": ["retry"],
    "error": ["retry"],
    "cancelled": ["retry"],
}


def tasks(count: int = 5) -> list[dict[str, Any]]:
    """The first golden tasks, with what may be done with each; beyond them, copies of these."""
    known = golden_tasks()
    made = []
    for place in range(count):
        task = dict(known[place % len(known)])
        if place >= len(known):
            task["id"], task["service"] = f"{task['id']}-{place}", f"{task['service']}-{place}"
        made.append({**task, "actions": ACTIONS[task["status"]]})
    return made


def event(seq: int, name: str, at: str, service: str = "kaspa-node", **data: Any) -> dict[str, Any]:
    """An event of the 23rd of November 2026; `at` is HH:MM:SS."""
    head = {
        "seq": seq,
        "timestamp": f"2026-11-23T{at}.000Z",
        "taskId": f"node-sync-{service}",
        "service": service,
        "type": "node-sync",
    }
    return {"seq": seq, "event": name, "data": {**head, **data}}


def switched(seq: int, at: str, made: Switch) -> dict[str, Any]:
    """The event of somebody's switch at one of its states."""
    name = "progress" if not made.state.ended else "complete" if made.reason is None else "error"
    shape = switch_shape(made)
    more = {"to": made.to.value, "switch": shape, "step": doing(shape)}
    told = event(seq, f"switch:{name}", at, made.service, **more, error=shape["error"])
    told["data"] |= {"taskId": made.task_id, "type": "node-sync" if made.task_id else None}
    return told


EVENTS = [
    event(1, "task:added", "11:02:00", origin="vendor"),
    event(2, "sync:start", "11:02:00", attempt=1),
    event(3, "sync:health", "12:02:00", health="unreachable", reason="refused"),
    event(4, "sync:health", "12:05:00", health="ok", reason=None),
    event(5, "sync:health", "14:05:40", "kasia-indexer", health="unreachable", reason="refused"),
]


def points() -> list[dict[str, Any]]:
    """A point a minute from 11:02 to 14:11: four without an answer, ten in which nobody looked."""
    begin = datetime(2026, 11, 23, 11, 2, tzinfo=UTC)
    made = []
    for minute in range(190):
        at = (begin + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:00.000Z")
        point: dict[str, Any] = {
            "at": at,
            "progress": None,
            "done": None,
            "rate": None,
            "health": None,
        }
        if 150 <= minute < 154:
            point["health"] = "unreachable"
        elif not 160 <= minute < 170:
            point |= {"progress": min(71.4, minute * 0.38), "done": minute * 3000, "health": "ok"}
            point["rate"] = 100 + minute * 37 % 65
        made.append(point)
    return made


def snapshot(**changes: Any) -> dict[str, Any]:
    """What the bridge hands over, with changes."""
    return {
        "seq": 1042,
        "serverTime": "2026-11-23T14:12:09.000Z",
        "host": "node-1",
        "version": "1.0.0",
        "canChange": True,
        "needsToken": False,
        "store": {"durable": True, "problem": None},
        "warnings": [],
        "attentions": [],
        "tasks": tasks(),
        "events": EVENTS,
        "services": [],
        "tokenFile": "/var/lib/kaspad-taskd/bridge.token",
        "history": {"node-sync-kaspa-node": points()},
        **changes,
    }
