"""What follows from a fact: tasks that waited start, commands run.

A follower of the journal whose cursor is in the store: each reaction happens at least once, over
crashes too. Waiting is decided beside it, from the table as it is, so it needs no cursor.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from kaspad_taskd.base.memory import watch
from kaspad_taskd.base.processes import end_group
from kaspad_taskd.core.fact import Event, EventName
from kaspad_taskd.core.model import Task
from kaspad_taskd.engine.cursor import PATIENCE, Cursor
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.engine.follow import Board
from kaspad_taskd.engine.roster import Roster

_log = logging.getLogger(__name__)

CURSOR = "reactions"
COMMAND_TIMEOUT = 60.0
"""Seconds that an `on_complete` command may take (contract section 5)."""


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
        self._roster = roster
        self._environment = environment
        self._turned = asyncio.Event()
        self._cursor = Cursor(
            engine, board, CURSOR, cursors.get(CURSOR), self._react, new=CURSOR not in cursors
        )
        engine.on_swap.append(self._swapped)

    async def run(self) -> None:
        """React until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._start_waiting())  # no command holds these up
            both.create_task(self._cursor.run())

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

    async def _react(self, event: Event) -> bool:
        if event.fact.name is not EventName.COMPLETE:
            return False
        task = self._engine.get(event.fact.task_id)
        if task is None or task.definition.on_complete is None:
            return False
        await self._run(task, list(task.definition.on_complete.command))
        return True

    async def _run(self, task: Task, command: list[str]) -> None:
        argv = [part.replace("{id}", task.id) for part in command]
        told, memory = {"task": task.id}, watch()
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
            how = " (killed for want of memory)" if memory.starved(code) else ""
            _log.log(level, "on_complete: %s ended with %d%s", argv[0], code, how, extra=told)
        except TimeoutError:
            _log.warning("on_complete: %s took over 60 s", argv[0], extra=told)
        finally:
            end_group(process.pid)
