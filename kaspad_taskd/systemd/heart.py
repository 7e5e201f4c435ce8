"""Whether the daemon may say that it is alive, and how often systemd wants to hear it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

WRITER_PATIENCE: Final = 90.0
"""Seconds within which the store's writer must have answered (docs/architecture.md)."""
LOOK_PATIENCE: Final = 30.0
"""Seconds that a look may be past its deadline (docs/architecture.md)."""

log = logging.getLogger(__name__)


class Heart:
    """Beats while the daemon is alive, that is more than its loop.

    Args:
        answered: monotonic time of the writer's last sign of life.
        overdue: seconds that the worst look is past its deadline, 0 or less where none is.
        beat: says it to systemd.
        clock: monotonic time in seconds.
    """

    def __init__(
        self,
        answered: Callable[[], float],
        overdue: Callable[[], float],
        beat: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._answered = answered
        self._overdue = overdue
        self._beat = beat
        self._clock = clock
        self._silent = False

    def trouble(self) -> str | None:
        """Return why we may not call ourselves alive, in words, or None."""
        silence = self._clock() - self._answered()
        if silence > WRITER_PATIENCE:
            return f"the store's writer has not answered for {silence:.0f} s"
        late = self._overdue()
        if late > LOOK_PATIENCE:
            return f"a look is {late:.0f} s past its deadline"
        return None

    def turn(self) -> None:
        """Beat, or say in the log why not; each silence once."""
        trouble = self.trouble()
        if trouble is None:
            self._beat()
            if self._silent:
                log.warning("the watchdog hears us again")
        elif not self._silent:
            log.error("the watchdog hears nothing: %s", trouble)
        self._silent = trouble is not None

    async def run(self, every: float) -> None:
        """Take a turn each `every` seconds, on the loop: one that hangs does not beat."""
        while True:
            self.turn()
            await asyncio.sleep(every)
