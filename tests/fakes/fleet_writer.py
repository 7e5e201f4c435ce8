"""A host of a fleet as its relay writes it (docs/contract.md, section 8), from a truth of its own.

It stands in where a real relay would be too many (a thousand) or too honest (a hostile host): what
it holds is the truth that every reader has to come to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from kaspad_taskd.base.jsontext import dumps
from kaspad_taskd.fleet import keys
from kaspad_taskd.fleet.host import Read
from tests.fakes.golden import golden_tasks

Json: TypeAlias = Any
Command: TypeAlias = tuple[str | bytes | int, ...]

TIME = "2026-11-30T12:00:00.000Z"


def a_task(number: int = 0, **given: Json) -> dict[str, Json]:
    """A running node's task, as `getTask` shows it."""
    return {**golden_tasks()[0], "id": f"task-{number}", "service": f"node-{number}", **given}


def a_progress(task_id: str, **given: Json) -> dict[str, Json]:
    """The data of a `sync:progress`."""
    share = given.get("progress", 50)
    return {
        "seq": 1, "timestamp": TIME, "taskId": task_id, "service": "node", "type": "node-sync",
        "status": "in-progress", "health": "ok", "phase": "blocks", "progress": share,
        "percentage": share, "estimatedTimeRemaining": 60, "formattedTimeRemaining": "1m",
        "syncRate": 12.5, "connected": True, "synced": False, "currentBlock": 1000,
        "targetBlock": 2000, "blocksRemaining": 1000, "peers": 8, **given,
    }  # fmt: skip


@dataclass
class FleetHost:
    """What is so on a host, and what of it stands in Redis.

    Attributes:
        state: by part, the hash that would be there.
    """

    name: str
    run: str = "run1"
    journal: str = "0123456789abcdef"
    labels: Mapping[str, str] = field(default_factory=lambda: {"site": "berlin"})
    at: int = 1_796_000_000_000
    count: int = 0
    seq: int = 0
    answers: bool = True
    tasks: dict[str, Json] = field(default_factory=dict)
    progress: dict[str, Json] = field(default_factory=dict)
    services: Json = field(default_factory=list)
    warnings: Json = field(default_factory=lambda: {"warnings": []})
    events: list[dict[str, Json]] = field(default_factory=list)
    newest: bytes | None = None

    @property
    def stream(self) -> str:
        """The part of its events."""
        return keys.events_part(self.journal)

    def key(self, part: str) -> str:
        """A key of it."""
        return keys.key(self.name, part)

    def event(self, name: str = "sync:paused", task_id: str = "task-0", **data: Json) -> Json:
        """Something that happened, on record."""
        self.seq += 1
        head = {"seq": self.seq, "timestamp": TIME, "taskId": task_id}
        data = {**head, "service": "node", "type": "node-sync", **data}
        self.events.append({"seq": self.seq, "event": name, "data": data})
        return self.events[-1]

    def batch(
        self,
        tasks: Sequence[Json] = (),
        progress: Sequence[Json] = (),
        events: Sequence[Json] = (),
        gone: Sequence[str] = (),
        **more: Json,
    ) -> bytes:
        """Let it be so; returns the entry of `now`."""
        for each in tasks:
            self.tasks[each["id"]] = each
            self.progress.pop(each["id"], None)
        for each in progress:
            self.progress[each["taskId"]] = each
        for each in gone:
            self.tasks.pop(each, None)
            self.progress.pop(each, None)
        self.services = more.get("services", self.services)
        self.warnings = more.get("warnings", self.warnings)
        self.count += 1
        self.newest = dumps(
            {
                "run": self.run, "at": self.at, "stream": self.stream,
                "from": self.seq - len(events), "to": self.seq, "events": list(events),
                "tasks": list(tasks), "progress": list(progress), "gone": list(gone),
                "daemon": {"answers": self.answers, "since": self.at}, **more,
            }
        )  # fmt: skip
        return self.newest

    def commands(self, entry: bytes, events: Sequence[Json] = ()) -> list[Command]:
        """What is written of a batch, in one MULTI."""
        written: list[Command] = [
            ("XADD", self.key(self.stream), "MAXLEN", "~", 400, keys.entry_id(each["seq"]),
             "e", each["event"], "d", dumps(each["data"]))
            for each in events
        ]  # fmt: skip
        for part, state in ((keys.TASKS, self.tasks), (keys.PROGRESS, self.progress)):
            written.append(("DEL", self.key(part)))
            if state:
                pairs = [text for item in state.items() for text in (item[0], dumps(item[1]))]
                written.append(("HSET", self.key(part), *pairs))
        written.append(("SET", self.key(keys.SERVICES), dumps(self.services)))
        written.append(("SET", self.key(keys.WARNINGS), dumps(self.warnings)))
        written.append(("XADD", self.key(keys.NOW), "MAXLEN", "~", 32,
                        keys.entry_id(self.count), "w", entry))  # fmt: skip
        return written

    def meta(self) -> dict[str, str]:
        """Whose keys these are."""
        return {
            "host": self.name, "labels": dumps(self.labels).decode(), "relay": "1.0",
            "daemon": "1.0", "run": self.run, "address": f"{self.name}.example.org",
            "journal": self.journal, "stream": self.stream, "since": str(self.at), "gap": "null",
        }  # fmt: skip

    def begin(self) -> list[Command]:
        """What a relay writes as it starts."""
        pairs = [text for item in self.meta().items() for text in item]
        return [("HSET", self.key(keys.META), *pairs)]

    def read(self, after: int = 0) -> Read:
        """What a reader finds who knows the events up to `after`."""
        newer = [each for each in self.events if each["seq"] > after]
        return Read(
            {key.encode(): text.encode() for key, text in self.meta().items()},
            {key.encode(): dumps(each) for key, each in self.tasks.items()},
            {key.encode(): dumps(each) for key, each in self.progress.items()},
            dumps(self.services), dumps(self.warnings), self.count, self.newest,
            [(keys.entry_id(each["seq"]), {b"e": each["event"].encode(), b"d": dumps(each["data"])})
             for each in newer],
            whole=True,
        )  # fmt: skip
