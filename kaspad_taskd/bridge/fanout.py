"""Events to all browsers: encoded once, told to those in the present, replayed to those behind it.

One follower reads the journal for everybody. A browser that comes reads what it missed at its own
pace, up to where the follower is, and joins it there in one synchronous stretch: nothing is told
twice or not at all. State (`sync:progress`) is told under the same lock, so it never goes back.

Whatever carries a `seq` carries one up to which this browser was told everything: it may lose its
line at any point, and goes on from the last one it saw.

State is told in a packet for each task, or in one for many: a browser pays for each packet,
whatever is in it, and a thousand tasks that change every second are a thousand packets, or two.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.bridge.browser import Browser
from kaspad_taskd.bridge.outbox import Outbox
from kaspad_taskd.bridge.packets import Message, event, gathered
from kaspad_taskd.bridge.source import Happened, News, Source, State

Json: TypeAlias = Any

TURN: Final = 256
"""Deliveries before others have their turn."""
MAKING: Final = 3
"""A message costs as much as so many deliveries."""
BATCH: Final = 64
"""Events, or tasks, told at once to one that is behind, before others have their turn."""
GATHER_S: Final = 0.5
"""Seconds between two packets of many tasks; what changes after a quiet time is told at once."""
GATHERED: Final = 500
"""Tasks in one packet."""
PROGRESS: Final = "sync:progress"
MANY: Final = "sync:progress:many"
"""Its event: `{seq, tasks: [what sync:progress says]}`."""
EDGE_S: Final = 0.02
"""Seconds until one that knows more than was told looks again."""

log = logging.getLogger(__name__)


class Fanout:
    """Tells browsers.

    Args:
        source: whose events.
        cut_all: ends every connection (they connect anew and say where they were).
        gather: seconds between two packets of many tasks.

    Attributes:
        told: messages told to everybody so far.
        delivered: the same, times the browsers.
    """

    def __init__(
        self, source: Source, cut_all: Callable[[str], None], gather: float = GATHER_S
    ) -> None:
        self._source = source
        self._gather = gather
        self._cut_all = cut_all
        self._live: dict[Browser, Outbox] = {}
        self._singly: dict[Browser, Outbox] = {}
        self._together: dict[Browser, Outbox] = {}
        self._changed: dict[str, None] = {}
        self._quiet: asyncio.Task[None] | None = None
        self._written = 0
        self._seq = source.seq
        self._lock = asyncio.Lock()
        self._shown: dict[str, tuple[State, int, Message]] = {}
        self.told = 0
        self.delivered = 0

    def told_to(self, browser: Browser) -> int:
        """Up to which `seq` a browser has been told everything."""
        if browser.told is None or browser in self._live:
            return self._seq
        return browser.told

    # -- the present

    async def run(self) -> None:
        """Tell until cancelled."""
        try:
            while True:
                await self._follow()
        finally:
            if self._quiet is not None:
                self._quiet.cancel()

    async def _follow(self) -> None:
        try:
            await self._source.follow(self._seq, self._send)
        except ApiError as gap:
            log.error("events could not be told, browsers connect anew: %s", gap)
            self._seq = self._source.seq
            self._cut_all("events could not be told")

    async def _send(self, news: Sequence[News]) -> None:
        async with self._lock:
            for each in news:
                self.told += 1
                if isinstance(each, Happened):
                    if self._live:
                        await self._tell(event(each.name, each.data()))
                    self._seq = each.seq
                elif self._live:
                    await self._tell_progress(each.task, each.seq)
            if self._quiet is None and self._changed:
                await self._tell_gathered()
                self._quiet = asyncio.get_running_loop().create_task(self._rest())

    async def _tell_progress(self, task: State, seq: int) -> None:
        if self._singly:
            await self._tell(self._progress(task, seq), self._singly)
        if self._together:
            self._changed[task.id] = None
            if len(self._changed) >= GATHERED:
                await self._tell_gathered()

    async def _rest(self) -> None:
        """Tell what has gathered every now and then, until nothing has."""
        try:
            while True:
                await asyncio.sleep(self._gather)
                async with self._lock:
                    if not self._changed:
                        return
                    await self._tell_gathered()
        finally:
            self._quiet = None

    async def _tell_gathered(self) -> None:
        """Tell of what has changed how it is now: events and answers have told it meanwhile."""
        changed, self._changed = self._changed, {}
        if messages := self._now(changed):
            await self._tell(gathered(MANY, self._seq, messages), self._together)

    def _now(self, ids: Iterable[str]) -> list[Message]:
        found = map(self._source.get, ids)
        return [self._progress(task, self._seq) for task in found if task is not None]

    async def _tell(self, message: Message, whom: Mapping[Browser, Outbox] | None = None) -> None:
        boxes = list((self._live if whom is None else whom).values())
        self._written += MAKING
        self.delivered += len(boxes)
        for start in range(0, len(boxes), TURN):
            turn = boxes[start : start + TURN]
            for box in turn:
                box.tell(message)
            self._written += len(turn)
            if self._written >= TURN:
                self._written = 0
                await asyncio.sleep(0)

    def all(self, name: str, data: Json) -> None:
        """Tell everybody something that is no event on record."""
        message = event(name, data)
        for box in self._live.values():
            box.tell(message)

    @property
    def is_empty(self) -> bool:
        """Whether nobody is in the present."""
        return not self._live

    def cut(self) -> None:
        """End the connection of everybody; they connect anew and say where they were."""
        for box in list(self._live.values()):
            box.lost()

    # -- coming into the present

    async def join(self, browser: Browser, hello: Callable[[], Json]) -> None:
        """Bring a new browser into the present: after what it missed, or with how everything is."""
        async with browser.replaying:
            since, journal = browser.since, browser.journal
            fault = None if since is None else self._fault(since, journal)
            if since is not None and fault is None:
                browser.told = since
                browser.tell("hello", hello())
                await self._catch_up(browser, since, journal)
                return
            async with self._lock:
                self._enter(browser)
                browser.tell("hello", hello())
                if fault is not None:
                    self._say_gap(browser, fault)
            await self._present(browser)

    async def catch_up(self, browser: Browser, since: Json, journal: Json = None) -> Json:
        """Tell again what followed `since`; returns `{seq}`, or the `task:error` that was told.

        `journal`: whose number that is, None: not said.
        """
        async with browser.replaying:
            return await self._catch_up(browser, since, journal)

    async def _catch_up(self, browser: Browser, since: Json, journal: Json) -> Json:
        fault = self._fault(since, journal)
        if fault is None:
            self.leave(browser)
            try:
                seq = await self._past(browser, since)
            except ApiError as gap:
                fault = gap
            except Exception:
                browser.outbox.lost()  # it can be told no more: it comes back and asks again
                raise
            else:
                await self._states(browser, self._source.running())
                return {"seq": seq}
        async with self._lock:
            self._enter(browser)
            said = self._say_gap(browser, fault)
        await self._present(browser)
        return said

    def _fault(self, since: Json, journal: Json) -> ApiError | None:
        """Why one cannot go on from there."""
        try:
            return self._source.fault(_whole(since), _named(journal))
        except ApiError as fault:
            return fault

    def _say_gap(self, browser: Browser, fault: ApiError) -> Json:
        """Say that it begins anew, and from where; it is in the present."""
        if "seq" in fault.data:
            fault.data["seq"] = self._seq
        return browser.refuse(fault, "events:since")

    async def _past(self, browser: Browser, cursor: int) -> int:
        """Tell what follows `cursor`, up to where everybody is; returns where it joined them."""
        browser.told = cursor
        while True:
            async with self._lock:
                if cursor == self._seq:
                    self._enter(browser)
                    return cursor
            await browser.room()
            if cursor > self._seq:  # on record, and on its way to everybody
                await asyncio.sleep(EDGE_S)
                continue
            for each in await self._source.read(cursor, BATCH):
                browser.tell(each.name, each.data())
                browser.told = cursor = each.seq
            await asyncio.sleep(0)

    # -- state

    async def _present(self, browser: Browser) -> None:
        """Tell how everything is: tasks, then the switches that run."""
        await self._states(browser, self._source.recent())
        async with self._lock:
            told = self._source.switches(self._seq)
            if told:
                browser.outbox.answer_all([event(name, data) for name, data in told])

    async def _states(self, browser: Browser, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), BATCH):
            await browser.room()
            async with self._lock:
                messages = self._now(ids[start : start + BATCH])
                if browser.gathers and messages:
                    messages = [gathered(MANY, self._seq, messages)]
                browser.outbox.answer_all(messages)
            await asyncio.sleep(0)

    def _progress(self, task: State, seq: int) -> Message:
        """A task's `sync:progress`, made once for each state of it."""
        known = self._shown.get(task.id)
        if known is not None and known[0] is task and known[1] == seq:
            return known[2]
        message = event(PROGRESS, self._source.progress(task, seq))
        self._shown[task.id] = (task, seq, message)
        return message

    def forget(self) -> None:
        """Let go of what was made for tasks that are there no more; called now and then."""
        gone = [task_id for task_id in self._shown if self._source.get(task_id) is None]
        for task_id in gone:
            del self._shown[task_id]

    def _enter(self, browser: Browser) -> None:
        self._live[browser] = browser.outbox
        (self._together if browser.gathers else self._singly)[browser] = browser.outbox

    def leave(self, browser: Browser) -> None:
        """Tell it nothing any more."""
        for each in (self._live, self._singly, self._together):
            each.pop(browser, None)


def _whole(since: Json) -> int:
    if isinstance(since, bool) or not isinstance(since, int) or since < 0:
        raise ApiError.params("seq", "must be a whole number: the last one that was told")
    return since


def _named(journal: Json) -> str | None:
    if journal is not None and not isinstance(journal, str):
        raise ApiError.params("journal", "must be a text: whose number seq is")
    return journal
