"""What is told to whom and when."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from kaspad_taskd.notify import rules
from kaspad_taskd.notify.model import Item, Kind, Message, Rule
from kaspad_taskd.notify.rules import State

BASE = 1_780_000_000_000  # 2026-05-28 20:26:40 UTC
MINUTE = 60_000
HOUR = 60 * MINUTE


def iso(at: int) -> str:
    return (
        datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03}Z"
    )


def event(
    name: str, at: int, task: str | None = "node-sync-kaspa-node", **data: Any
) -> dict[str, Any]:
    service = None if task is None else task.removeprefix("node-sync-")
    head = {"seq": 1, "timestamp": iso(at), "taskId": task, "service": service, "type": "node-sync"}
    return {"seq": 1, "event": name, "data": {**head, **data}}


def health(value: str, at: int, task: str = "node-sync-kaspa-node", **data: Any) -> dict[str, Any]:
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
        for each in events:
            at = rules.reading.moment(each["data"]["timestamp"]) or 0
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

    def tick(self, now: int) -> None:
        self.state, told = rules.tick(self.state, self.rules, now, self.zone)
        self.messages += told

    def killed(self) -> Told:
        self.state = rules.decode(json.loads(json.dumps(rules.encode(self.state))))
        return self


def kinds(messages: Sequence[Message]) -> list[Kind]:
    return [item.kind for message in messages for item in message.items]


def items(messages: Sequence[Message]) -> list[Item]:
    return [item for message in messages for item in message.items]


def test_a_trouble_is_told_once_it_has_lasted_and_its_end_once_that_has() -> None:
    told = Told().hear(health("unreachable", BASE))
    assert told.at(BASE + 5 * MINUTE - 1) == []
    (message,) = told.at(BASE + 6 * MINUTE)
    assert (message.kind, message.id, message.rule) == (Kind.TROUBLE, "5eed-1", "phone")
    told.hear(health("ok", BASE + 60 * MINUTE))
    (message,) = told.at(BASE + 66 * MINUTE)
    (item,) = message.items
    assert item.kind is Kind.RECOVERED
    assert (item.began, item.ended) == (BASE, BASE + 60 * MINUTE)


def test_a_shorter_trouble_is_never_told() -> None:
    told = Told().hear(health("stalled", BASE), health("ok", BASE + 5 * MINUTE - 1))
    assert told.at(BASE + 24 * HOUR) == []
