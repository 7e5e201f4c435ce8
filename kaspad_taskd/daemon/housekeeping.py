"""What the daemon looks after by itself, twice a second and more rarely."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from kaspad_taskd import words
from kaspad_taskd.base.clock import Clock, iso
from kaspad_taskd.client.unit import HAND, started_by
from kaspad_taskd.core.record import Loaded
from kaspad_taskd.daemon.garbage import SEE_EVERY, Garbage
from kaspad_taskd.daemon.repaired import StoreWatch
from kaspad_taskd.daemon.replaced import Replaced
from kaspad_taskd.engine.ageing import Ageing
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.engine.errors import NotDurable
from kaspad_taskd.engine.follow import Board

_log = logging.getLogger(__name__)

BEAT = 0.5
"""Seconds between two turns."""
STATUS_EVERY = 4
"""Turns between two status lines, and between two writes of live fields."""
CLEAN_EVERY = 7200
"""Turns between two removals of what ended 30 days ago."""
WARN_EVERY = 120
"""Turns between two looks at the program's own files and at the age of the last backup."""


class Housekeeping:
    """Keeps the house while it is lived in.

    Args:
        engine: of all tasks.
        board: whose progress is told.
        ageing: what removes what is old.
        store: what became of the state.
        clock: both clocks of the host.
        socket: of the daemon, by which it is known who restarts it.
        tell_status: puts the status line where systemd shows it.
        register: brings the tasks in line with definitions, once the state can be written.
        backup_age: seconds after which a backup is too old, None: that is nobody's business.
    """

    def __init__(
        self,
        engine: Engine,
        board: Board,
        ageing: Ageing,
        store: StoreWatch,
        clock: Clock,
        socket: Path,
        tell_status: Callable[[], None],
        register: Callable[[Loaded], Awaitable[None]],
        backup_age: Callable[[], float | None],
    ) -> None:
        self._engine = engine
        self._board = board
        self._ageing = ageing
        self._store = store
        self._clock = clock
        self._socket = socket
        self._tell_status = tell_status
        self._register = register
        self._backup_age = backup_age
        self._replaced = Replaced()

    async def run(self) -> None:
        """Keep it until cancelled."""
        turn, garbage = 0, Garbage()
        while True:
            await asyncio.sleep(BEAT)
            turn += 1
            self._board.pulse()
            await self._see_store()
            self._see_clock()
            if turn % STATUS_EVERY == 0:
                self._board.remind()
                self._engine.flush()
                self._engine.warnings.write()
                self._tell_status()
            if turn % WARN_EVERY == 1:
                self._see_own_files()
                self.see_backup()
            if turn % SEE_EVERY == 0:
                garbage.see(len(self._engine.tasks()))
            if turn % CLEAN_EVERY == 0:
                await self._ageing.clean_up()

    def _see_clock(self) -> None:
        jumped = self._clock.check()
        self._ageing.beat(jumped=jumped != 0)
        if jumped:
            _log.warning("the clock jumped by %.0f s; patience begins anew", jumped)
            self._engine.attach(jumped=True)

    async def _see_store(self) -> None:
        """Whether the state is where it was, and what was done where it was not."""
        loaded = self._store.look()
        if loaded is not None:
            try:
                await self._register(loaded)
            except NotDurable as error:
                _log.error("definitions are as they were: %s", error)

    def _see_own_files(self) -> None:
        path = self._replaced.look()
        if path is not None:
            by = started_by(str(self._socket))
            restart = words.say("manager.again" if by == HAND else f"manager.{by}.restart")
            self._engine.warn("restart-needed", {"path": str(path), "restart": restart})

    def see_backup(self) -> None:
        """Warn of a backup that is too old, and of none at all; a new one takes that away."""
        longest, made = self._backup_age(), self._engine.backup
        if longest is None or (made and self._engine.now() - made <= longest * 1000):
            self._engine.warnings.clear("backup-old")
            return
        standing = self._engine.warnings.open("backup-old")
        if not standing:
            self._engine.warn("backup-old", {"day": iso(made)[:10]} if made else {})
