"""Time for what is played: it waits for the test, however slow the machine is."""

from __future__ import annotations

import time


class Tempo:
    """Steady seconds for a PlayingNode: as on the wall for a while, then hardly any.

    So a sync moves, and is not over before `go` is called.
    """

    def __init__(self, ahead: float, creep: float = 0.02) -> None:
        self._began, self._ahead, self._pace = time.monotonic(), ahead, creep

    def __call__(self) -> float:
        passed = time.monotonic() - self._began
        return min(passed, self._ahead) + max(0.0, passed - self._ahead) * self._pace

    def go(self, pace: float) -> None:
        """From now on at this pace: 1.0 is as on the wall."""
        reached = self()
        self._ahead, self._began, self._pace = reached, time.monotonic() - reached, pace
