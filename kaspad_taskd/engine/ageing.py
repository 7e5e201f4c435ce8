"""Keeps the account of time that has surely passed, and removes ended tasks by it."""

from __future__ import annotations

import logging
from typing import Protocol

from kaspad_taskd.base.frozen import replace
from kaspad_taskd.core import ageing
from kaspad_taskd.core.ageing import SureTime
from kaspad_taskd.core.record import Loaded
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.engine.errors import NotDurable
from kaspad_taskd.engine.roster import Roster

_log = logging.getLogger(__name__)

KEPT_EVERY = 60_000
"""Process time, in ms, after which the account goes to the disk; a crash loses so much of it."""


class Clock(Protocol):
    """Both clocks of the host."""

    def wall(self) -> int:
        """The wall clock, ms since 1970 UTC."""

    def steady(self) -> int:
        """Process time, ms from any beginning."""


class Ageing:
    """The account of time of this run."""

    def __init__(self, engine: Engine, roster: Roster, clock: Clock) -> None:
        self._engine = engine
        self._roster = roster
        self._clock = clock
        self._seen = clock.steady()
        self._kept = 0

    @property
    def sure(self) -> SureTime:
        """The account as it is now: `Engine.sure`, for all who have something that expires."""
        return self._engine.sure

    def begin(self, loaded: Loaded) -> None:
        """Take it up where the last run left it, or begin one."""
        wall = self._clock.wall()
        if loaded.sure is None:
            self._engine.sure = ageing.first(loaded.newest, wall)
        else:
            self._engine.sure = ageing.resume(loaded.sure, wall)
        self._seen, self._kept = self._clock.steady(), self.sure.ran

    def beat(self, *, jumped: bool) -> None:
        """Let time pass; called twice a second. `jumped`: the clock did, since the last call."""
        steady = self._clock.steady()
        span, self._seen = steady - self._seen, steady
        self._engine.sure = ageing.elapse(self.sure, self._clock.wall(), span, jumped=jumped)
        if self.sure.ran - self._kept >= KEPT_EVERY:
            self.keep()

    def keep(self) -> None:
        """Put it on record."""
        self._kept = self.sure.ran
        self._engine.commit(sure=self.sure)

    async def clean_up(self) -> None:
        """Remove API tasks that ended 30 days ago, as many as may go, and records of old."""
        old = self._engine.records.expired(self.sure)
        if old:
            self._engine.commit(forget=old)
        try:
            went = (await self._roster.expire(self.sure)).tasks
        except NotDurable as error:
            _log.warning("old tasks stay for now: %s", error)
        else:
            self._engine.sure = replace(self.sure, tasks=went)
