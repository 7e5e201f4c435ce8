"""Whether the engine has what the daemons have, and whoever reads it shows that."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from redis.exceptions import RedisError
from socketio.exceptions import SocketIOError

from tests.fakes.fleet_reader import Followed
from tests.fakes.hub import HubProcess, Watcher
from tests.fakes.redis_server import Kept
from tests.fakes.taskd_process import Gone, Line, Taskd

LOOK_S = 0.5
"""Seconds between two looks."""
SAME = ("status", "health", "attempt", "origin", "createdAt")
"""What of a task has to be the same."""
PAGE = 1000
"""Events that are asked for at once."""

Event = dict[str, Any]


class Truth:
    """What a daemon says of itself: all its events, and its tasks.

    A line is opened when there is something to ask, for the daemon keeps none for longer than 30 s
    on which nothing was; and made anew where it was cut, as is one that took nothing for 20 s.
    """

    def __init__(self, taskd: Taskd) -> None:
        self._taskd = taskd
        self._line: Line | None = None
        self.events: list[Event] = []
        self.tasks: dict[str, dict[str, Any]] = {}

    async def renew(self, until: float) -> None:
        """Ask what is new; raises TimeoutError: until that moment it ended each line."""
        while True:
            try:
                await self._ask()
            except Gone:
                self._line = None
                if time.monotonic() > until:
                    raise TimeoutError(f"{self._taskd.socket} ends each line") from None
            else:
                return

    async def _ask(self) -> None:
        if self._line is None:
            self._line = await self._taskd.line()
        while True:
            after = self.events[-1]["seq"] if self.events else 0
            page = (await self._line.call("getEvents", after=after, limit=PAGE))["events"]
            if not page:
                break
            self.events += page
        self.tasks = {each["id"]: each for each in await self._line.call("getAllTasks")}


@dataclass
class Seen:
    """A host as somebody shows it.

    Attributes:
        fault: why it is not shown, or not as it has to be; "": nothing is wrong.
        events: the newest.
    """

    fault: str = ""
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def differs(self, truth: Truth) -> str:
        """What is otherwise than the daemon says; "": nothing."""
        if self.fault:
            return self.fault
        if self.tasks.keys() != truth.tasks.keys():
            return f"tasks {sorted(self.tasks)}"
        for task_id, task in truth.tasks.items():
            if [self.tasks[task_id].get(key) for key in SAME] != [task[key] for key in SAME]:
                return f"task {task_id}"
        if not self.events:
            return "no event"
        return first(self.events, truth.events[-len(self.events) :])


class Viewer(Protocol):
    """Whoever reads the engine and shows hosts."""

    async def seen(self, host: str) -> Seen:
        """How a host is shown."""
        ...


class Reader:
    """A reader in this process, which also says whether listeners were told each event."""

    def __init__(self, followed: Followed) -> None:
        self.followed = followed

    async def seen(self, host: str) -> Seen:
        known = self.followed.mirror.hosts.get(host)
        if known is None or known.fault is not None:
            return Seen("it is not known" if known is None else str(known.fault))
        told = self.followed.events.get(host, [])
        whole = told == list(range(told[0], told[0] + len(told))) if told else False
        tasks = {name: known.task(name) or {} for name in known.tasks}
        events = [{"seq": e.seq, "event": e.name, "data": e.data} for e in known.events()]
        return Seen("" if whole else f"told with holes: {told[-20:]}", tasks, events)


class AtHub:
    """A hub, as programs ask it."""

    def __init__(self, hub: HubProcess) -> None:
        self.hub = hub

    async def seen(self, host: str) -> Seen:
        try:
            async with Watcher(self.hub, host=host, gather=True) as watcher:
                tasks = (await watcher.rpc("getAllTasks"))["result"]
                oldest = (await watcher.rpc("getEvents"))["result"]["oldest"]
                told = await watcher.rpc("getEvents", after=max(oldest - 1, 0), limit=PAGE)
        except (SocketIOError, TimeoutError) as error:
            return Seen(f"the hub does not tell: {error!r}")
        if "result" not in told:  # older ones were let go between the two questions
            return Seen(str(told))
        return Seen("", {each["id"]: each for each in tasks}, told["result"]["events"])

    async def rows(self) -> dict[str, dict[str, Any]]:
        """All hosts, without since when, which each hub counts from when it came."""
        try:
            async with Watcher(self.hub) as watcher:
                found = (await watcher.rpc("getHosts"))["result"]
        except (SocketIOError, TimeoutError):
            return {}
        return {each["host"]: {**each, "since": None} for each in found}


class Comparison:
    """All hosts, in the engine and as they are shown, beside what their daemons say.

    Args:
        hosts: what is kept of each, and whose it is.
        viewers: who shows them, by a name for people.

    Attributes:
        wrong: what is not alike yet, by host and who shows it; "": the engine itself.
    """

    def __init__(self, hosts: Sequence[tuple[Kept, Taskd]], viewers: dict[str, Viewer]) -> None:
        self._truths = {id(taskd): Truth(taskd) for _, taskd in hosts}
        self._hosts = [(kept, self._truths[id(taskd)]) for kept, taskd in hosts]
        self._viewers = viewers
        self.wrong = {
            (kept.host, name): "it was not looked at"
            for kept, _ in hosts
            for name in ("", *viewers)
        }

    @property
    def events(self) -> int:
        """How many there are of all hosts."""
        return sum(len(truth.events) for _, truth in self._hosts)

    async def run(self, until: float) -> None:
        """Look until all are alike, or a moment of the monotonic clock has come."""
        while True:
            for truth in self._truths.values():
                await truth.renew(until)
            for kept, truth in self._hosts:
                await self._look(kept, truth)
                if time.monotonic() > until:
                    return
            if not self.wrong:
                return
            await asyncio.sleep(LOOK_S)

    async def _look(self, kept: Kept, truth: Truth) -> None:
        for name in ("", *self._viewers):
            if (kept.host, name) not in self.wrong:
                continue
            wrong = await (self._shown(kept, truth, name) if name else self._kept(kept, truth))
            if wrong:
                self.wrong[kept.host, name] = wrong
            else:
                del self.wrong[kept.host, name]

    async def _shown(self, kept: Kept, truth: Truth, name: str) -> str:
        return (await self._viewers[name].seen(kept.host)).differs(truth)

    async def _kept(self, kept: Kept, truth: Truth) -> str:
        there: list[Event] = []
        with suppress(RedisError, OSError):
            there = await asyncio.to_thread(kept.events)
        return first(there, truth.events) if truth.events else "its daemon has no event"


async def same_rows(hubs: Sequence[AtHub], count: int, until: float) -> str:
    """Wait until all hubs show the same rows of so many hosts; return what differs, "": nothing."""
    while True:
        shown = [await hub.rows() for hub in hubs]
        wrong = rows_differ(shown, count)
        if not wrong or time.monotonic() > until:
            return wrong
        await asyncio.sleep(LOOK_S)


def rows_differ(shown: Sequence[dict[str, dict[str, Any]]], count: int) -> str:
    """What differs among the rows of hubs, or is not as it has to be with so many hosts."""
    for rows in shown:
        if len(rows) != count:
            return f"{len(rows)} hosts in place of {count}"
        for name, row in rows.items():
            if row != shown[0].get(name):
                return f"{row} beside {shown[0].get(name)}"
            if row["verdict"] not in ("ok", "trouble") or row["fault"] or row["gap"]:
                return str(row)
    return ""


def first(there: Sequence[Event], wanted: Sequence[Event]) -> str:
    """The first event that is another one; "": there is none."""
    for one, other in zip(there, wanted, strict=False):
        if one != other:
            return f"{one} in place of {other}"
    if len(there) == len(wanted):
        return ""
    return f"{len(there)} events in place of {len(wanted)}"
