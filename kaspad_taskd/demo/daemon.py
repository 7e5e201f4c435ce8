"""The daemon of the demo: the same one, with a clock that runs as fast as the recording is played.

So its rates, lags and times left are those of the sync as it was. `python -m
kaspad_taskd.demo.daemon SPEED WALL_MS OPTIONS...`; WALL_MS is when the playing began.
"""

from __future__ import annotations

import asyncio
import sys
import time

from kaspad_taskd.base.clock import Clock
from kaspad_taskd.config.settings import DEFAULTS
from kaspad_taskd.daemon.arguments import parser, places_of
from kaspad_taskd.daemon.house import Daemon


class Fast:
    """Time that runs `speed` times as fast since `began` (ms since 1970 UTC)."""

    def __init__(self, speed: float, began: float) -> None:
        self._speed = speed
        self._began = began / 1000
        self._steady = time.monotonic() - (time.time() - self._began)

    def monotonic(self) -> float:
        """Seconds, steady."""
        return (time.monotonic() - self._steady) * self._speed

    def wall(self) -> float:
        """Seconds since 1970 UTC, as the played world has them."""
        return self._began + self.monotonic()


def main(argv: list[str]) -> None:
    """Run it until it is told to stop."""
    fast = Fast(float(argv[0]), float(argv[1]))
    live(Clock(fast.monotonic, fast.wall), argv[2:])


def live(clock: Clock, words: list[str]) -> None:
    """Run the daemon by a clock of its own, until it is told to stop; `words` are its options."""
    options = parser().parse_args(words)
    places = places_of(options)
    for directory in (places.state, places.runtime):
        directory.mkdir(parents=True, exist_ok=True)

    async def run() -> None:
        await Daemon(places, DEFAULTS, level="error", listen=options.bridge, clock=clock).run()

    asyncio.run(run())


if __name__ == "__main__":
    main(sys.argv[1:])
