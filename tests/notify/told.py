"""Events as the daemon tells them, and a notifier that keeps what it told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from kaspad_taskd.notify import reading, rules
from kaspad_taskd.notify.model import Item, Kind, Message, Rule
from kaspad_taskd.notify.rules import State

BASE = 1_780_000_000_000  # 2026-05-28 20:26:40 UTC
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
NODE = "node-sync-kaspa-node"


def iso(at: int) -> str:
    """A moment as the wire has it."""
    there = datetime.fromtimestamp(at // 1000, UTC)
    return there.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03}Z"


def event(name: str, at: int, task: str | None = NODE, **data: Any) -> dict[str, Any]:
    """An event of the wire."""
    service = None if task is None else task.removeprefix("node-sync-")
    head = {"seq": 1, "timestamp": iso(at), "taskId": task, "service": service, "type": "node-sync"}
    return {"seq": 1, "event": name, "data": {**head, **data}}


def health(value: str, at: int, task: str = NODE, **data: Any) -> dict[str, Any]:
    """A `sync:health`."""
    known = {"health": value, "since": iso(at), "reason": None, "note": None}
    return event("sync:health", at, task, **{**known, **data})


class Told:
    """A notifier: its rules, its state, what it told."""

    def __init__(self, *given: Rule, zone: str = "UTC") -> None:
        self.rules = given or (Rule("phone"),)
        self.zone = ZoneInfo(zone)
        self.state: State = rules.first("5eed")
        self.messages: list[Message] = []

    def hear(self, *events: dict[str, Any], now: int | None = None) -> Told:
        """Hear events, each at its own time where none is given."""
        for each in events:
            at = reading.moment(each["data"]["timestamp"]) or 0
            self.state = rules.hear(self.state, self.rules, each, at if now is None else now)
        return self

    def at(self, now: int) -> list[Message]:
        """Let time pass, ticking whenever something is due, and return what was told."""
        before = len(self.messages)
        for _ in range(10_000):
            due = rules.due(self.state, self.rules)
            if due is None or due > now:
                break
            self.tick(max(due, self.state.now - self.state.offset))
        self.tick(now)
        return self.messages[before:]

    def tick(self, now: int, ahead: int = 0) -> list[Message]:
        """Let the rules see what time it is; clocks on the wall may be ahead."""
        wall = now + ahead
        self.state, told = rules.tick(self.state, self.rules, now, self.zone, wall=wall)
        self.messages += told
        return list(told)

    def killed(self) -> Told:
        """Let another life begin with what the disk has."""
        self.state = rules.decode(json.loads(json.dumps(rules.encode(self.state))))
        return self

    def found(self, now: int) -> Told:
        """Let the daemon answer, with nothing new."""
        self.state = rules.answers(self.state, self.rules, now)
        return self


def kinds(messages: Sequence[Message]) -> list[Kind]:
    """What was told, one after the other."""
    return [item.kind for item in items(messages)]


def items(messages: Sequence[Message]) -> list[Item]:
    """Likewise, all of it."""
    return [item for message in messages for item in message.items]
