"""Reads the journal from a cursor that is kept in the store: over crashes too nothing is missed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from kaspad_taskd.core.fact import Event
from kaspad_taskd.core.observation import Scalar
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.engine.errors import Gap
from kaspad_taskd.engine.follow import BATCH, Board

_log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds until what could not be read or written is tried again."""
SAVE_EVERY = 256
"""Events without a reaction after which the cursor is written."""


class Cursor:
    """Hands each event to somebody who reacts: at least once.

    Args:
        engine: keeps the cursor.
        board: reads.
        name: of the cursor in the store.
        begin: the last event that was reacted to; None: all that are on record.
        react: returns whether the cursor must be written now: something was done.
        new: whether the store does not have this cursor yet.
    """

    def __init__(
        self,
        engine: Engine,
        board: Board,
        name: str,
        begin: int | None,
        react: Callable[[Event], Awaitable[bool]],
        *,
        new: bool,
    ) -> None:
        self._engine = engine
        self._board = board
        self._name = name
        self._at = self._saved = engine.seq if begin is None else begin
        self._react = react
        self._new = new
        self._wake = asyncio.Event()
        engine.on_events.append(self._wake.set)

    async def run(self) -> None:
        """Hand over events until cancelled."""
        if self._new:  # from here on, whenever it is killed
            await self._save()
        while True:
            self._wake.clear()
            for event in await self._next():
                reacted = await self._react(event)
                self._at = event.seq
                if reacted or self._at - self._saved >= SAVE_EVERY:
                    await self._save()
            if self._at >= self._engine.seq:
                await self._wake.wait()

    async def _next(self) -> list[Event]:
        if self._at >= self._engine.seq:
            return []
        try:
            return list(await self._board.read(self._at, BATCH))
        except Gap as gap:
            _log.warning("reactions to old events are left out: %s", gap)
            lost: dict[str, Scalar] = {
                "follower": self._name,
                "after": self._at,
                "oldest": gap.oldest,
            }
            self._engine.warn("journal-gap", lost)
            self._at = gap.oldest - 1
        except Exception as error:
            _log.error("the journal cannot be read: %s", error)
            await asyncio.sleep(PATIENCE)
        return []

    async def _save(self) -> None:
        outcome = await self._engine.commit(cursors={self._name: self._at})
        if outcome.fault is None:
            self._saved = self._at
