"""What follows when a node is in sync: its services are switched, then `node:ready` is told, once.

An attempt that began by itself, since the node had lost what it had, switches nothing: what was
brought elsewhere meanwhile, and why, is not known here.

A follower of the journal with its own cursor, put on record together with `node:ready`: a crash
anywhere before finds the completion again, and with it the switches that it has caused already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from kaspad_taskd.core.change import fact
from kaspad_taskd.core.fact import Event, EventName
from kaspad_taskd.core.model import Task
from kaspad_taskd.core.switch import Side, SwitchState
from kaspad_taskd.engine.cursor import Cursor
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.engine.errors import NotDurable
from kaspad_taskd.engine.follow import Board
from kaspad_taskd.engine.reactions import CURSOR as REACTIONS
from kaspad_taskd.switching.declared import switched_by
from kaspad_taskd.switching.switcher import PATIENCE, AlreadyThere, Busy, Switcher, Undeclared

CURSOR: Final = "switching"
HELD: Final = "held"
"""Why a service was left where it was: somebody holds it there."""
_BEFORE: Final = ("node-ready", REACTIONS)
"""Where the versions before this one kept how far they had come."""


class Announcer:
    """Reads the journal from its own cursor on."""

    def __init__(
        self, engine: Engine, board: Board, cursors: Mapping[str, int], switcher: Switcher
    ) -> None:
        self._engine = engine
        self._switcher = switcher
        known = max((cursors[name] for name in _BEFORE if name in cursors), default=None)
        begin = cursors.get(CURSOR, known)
        self._cursor = Cursor(engine, board, CURSOR, begin, self._react, new=CURSOR not in cursors)

    async def run(self) -> None:
        """React until cancelled."""
        await self._cursor.run()

    async def _react(self, event: Event) -> bool:
        task = self._engine.get(event.fact.task_id)
        if event.fact.name is not EventName.COMPLETE or task is None:
            return False
        if task.definition.type != "node-sync":
            return False
        switched: list[str] = []
        failed: list[str] = []
        skipped: list[dict[str, str]] = []
        again = event.fact.data.get("because") is not None  # it was in sync before, and was lost
        services = [] if again else switched_by(task.definition, self._switcher.services)
        for name in services:
            if self._is_held(name, event.seq):
                skipped.append({"service": name, "reason": HELD})
                continue
            worked = await self._bring(name, task, event.seq)
            if worked is not None:
                (switched if worked else failed).append(name)
        await self._announce(task, event, switched=switched, failed=failed, skipped=skipped)
        return False  # it is saved already

    def _is_held(self, name: str, seq: int) -> bool:
        """Whether people alone switch it; a switch that was begun before goes on."""
        begun = name in self._engine.switches.of_cause(seq)
        return self._switcher.held(name) and not begun

    async def _bring(self, name: str, task: Task, seq: int) -> bool | None:
        """Bring a service to the node; returns whether it is there, None: it is not ours to say."""
        while True:
            own = self._engine.switches.of_cause(seq).get(name)
            if own is not None and own.state.ended:
                return own.state is SwitchState.DONE
            try:
                if own is None:
                    await self._switcher.begin(name, Side.LOCAL, task_id=task.id, cause=seq)
            except Undeclared:
                return None
            except AlreadyThere:
                return True
            except NotDurable:
                await asyncio.sleep(PATIENCE)
            except Busy as busy:
                await self._switcher.idle(name)
                if busy.switch.to is Side.PUBLIC:
                    return None  # somebody has decided otherwise meanwhile
            if own is not None:
                await asyncio.sleep(0.1)
            await self._switcher.idle(name)

    async def _announce(
        self,
        task: Task,
        event: Event,
        *,
        switched: list[str],
        failed: list[str],
        skipped: list[dict[str, str]],
    ) -> None:
        """Put `node:ready` on record, and that it was: once, whatever crashes."""
        url = str(task.definition.checker.get("url", task.definition.endpoint or ""))
        place = urlsplit(url)
        left = {"skipped": skipped} if skipped else {}
        ready = fact(
            task, EventName.NODE_READY, self._engine.now(), host=place.hostname, port=place.port,
            url=url, message=f"{task.definition.service} is ready", switched=switched,
            failed=failed, **left,
        )  # fmt: skip
        while True:
            commit = self._engine.commit(facts=[ready], cursors={CURSOR: event.seq})
            if (await commit).fault is None:
                return
            await asyncio.sleep(PATIENCE)
