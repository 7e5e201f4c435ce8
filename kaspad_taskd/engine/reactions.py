"""What follows from a fact: tasks that waited start, commands run, the node is announced.

A follower of the journal whose cursor is in the store: each reaction happens at least once, over
crashes too. Waiting is decided beside it, from the table as it is, so it needs no cursor.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from kaspad_taskd.core.change import fact
from kaspad_taskd.core.fact import Event, EventName
from kaspad_taskd.core.model import Task
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.engine.errors import Gap, NotDurable
from kaspad_taskd.engine.follow import BATCH, Board
from kaspad_taskd.engine.roster import Roster
from kaspad_taskd.processes import end_group

_log = logging.getLogger(__name__)

CURSOR = "reactions"
ANNOUNCED = "node-ready"
"""How far nodes were announced: a crash between that and a command repeats the command alone."""
COMMAND_TIMEOUT = 60.0
"""Seconds that an `on_complete` command may take (contract section 5)."""
PATIENCE = 5.0
"""Seconds until a reaction that could not be written is tried again."""
SAVE_EVERY = 256
"""Events without a reaction after which the cursor is written."""


class Reactions:
    """Reads the journal from its own cursor on, and reacts."""

    def __init__(
        self,
        engine: Engine,
        board: Board,
        roster: Roster,
        cursors: Mapping[str, int],
        environment: Callable[[], dict[str, str]],
    ) -> None:
        self._engine = engine
        self._board = board
        self._roster = roster
        self._cursor = cursors.get(CURSOR, engine.seq)
        self._begun = CURSOR in cursors
        self._announced = cursors.get(ANNOUNCED, 0)
        self._saved = self._cursor
        self._environment = environment
        self._wake = asyncio.Event()
        self._turned = asyncio.Event()
        engine.on_events.append(self._wake.set)
        engine.on_swap.append(self._swapped)

    async def run(self) -> None:
        """React until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._start_waiting())  # no command holds these up
            both.create_task(self._follow())

    async def _start_waiting(self) -> None:
        while True:
            self._turned.clear()
            outcomes = await asyncio.gather(*self._roster.waits())
            if any(outcome.fault is not None for outcome in outcomes):
                await asyncio.sleep(PATIENCE)
            else:
                await self._turned.wait()

    def _swapped(self, old: Task | None, new: Task | None) -> None:
        """Somebody may wait no longer, or for somebody else, where more than a look has come."""
        if (
            old is None
            or new is None
            or old.status is not new.status
            or old.definition is not new.definition
        ):
            self._turned.set()

    async def _follow(self) -> None:
        if not self._begun:  # from here on, whenever it is killed
            await self._save()
        while True:
            self._wake.clear()
            for event in await self._next():
                await self._react(event)
            if self._cursor >= self._engine.seq:
                await self._wake.wait()

    async def _next(self) -> list[Event]:
        if self._cursor >= self._engine.seq:
            return []
        try:
            return list(await self._board.read(self._cursor, BATCH))
        except Gap as gap:
            _log.warning("reactions to old events are left out: %s", gap)
            self._cursor = gap.oldest - 1
        except Exception as error:
            _log.error("the journal cannot be read: %s", error)
            await asyncio.sleep(PATIENCE)
        return []

    async def _react(self, event: Event) -> None:
        reacted = False
        if event.fact.name is EventName.COMPLETE:
            reacted = await self._completed(event)
        self._cursor = event.seq
        if reacted or self._cursor - self._saved >= SAVE_EVERY:
            await self._save()

    async def _save(self) -> None:
        outcome = await self._engine.commit(cursors={CURSOR: self._cursor})
        if outcome.fault is None:
            self._saved = self._cursor

    async def _completed(self, event: Event) -> bool:
        task = self._engine.get(event.fact.task_id)
        if task is None:
            return False
        if task.definition.type == "node-sync" and event.seq > self._announced:
            await self._announce(task, event)
        if task.definition.on_complete is not None:
            await self._run(task, list(task.definition.on_complete.command))
            return True
        return False

    async def _announce(self, task: Task, event: Event) -> None:
        """Put `node:ready` on record, and that it was: once, whatever crashes."""
        now = self._engine.now()
        url = str(task.definition.checker.get("url", task.definition.endpoint or ""))
        place = urlsplit(url)
        ready = fact(
            task, EventName.NODE_READY, now, host=place.hostname, port=place.port, url=url,
            message=f"{task.definition.service} is ready", switched=[], failed=[],
        )  # fmt: skip
        while True:
            commit = self._engine.commit(facts=[ready], cursors={ANNOUNCED: event.seq})
            try:
                await self._engine.durable(commit)
            except NotDurable:
                await asyncio.sleep(PATIENCE)
            else:
                self._announced = event.seq
                return

    async def _run(self, task: Task, command: list[str]) -> None:
        argv = [part.replace("{id}", task.id) for part in command]
        told = {"task": task.id}
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                env=self._environment(),
            )
        except OSError as error:
            _log.error("on_complete: %s cannot be run: %s", argv[0], error, extra=told)
            return
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT):
                code = await process.wait()
            level = logging.INFO if code == 0 else logging.WARNING
            _log.log(level, "on_complete: %s ended with %d", argv[0], code, extra=told)
        except TimeoutError:
            _log.warning("on_complete: %s took over 60 s", argv[0], extra=told)
        finally:
            end_group(process.pid)
