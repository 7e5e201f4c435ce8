"""How long something took, on a machine that others use as well."""

from __future__ import annotations

import threading
import time

TICK, LATE = 0.02, 0.2


class Stopwatch:
    """`with Stopwatch() as watch: ...` then `watch.took`: seconds, without those that were lost.

    Lost is the time in which this process was not let run: whoever stops a machine for seconds
    stops us too.
    """

    def __enter__(self) -> Stopwatch:
        self.took = self._lost = 0.0
        self._over = threading.Event()
        self._ticking = threading.Thread(target=self._tick, daemon=True)
        self._began = time.monotonic()
        self._ticking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._ticking.join()
        self.took = time.monotonic() - self._began - self._lost

    def _tick(self) -> None:
        while not self._over.is_set():
            before = time.monotonic()
            self._over.wait(TICK)
            late = time.monotonic() - before - TICK
            self._lost += late if late > LATE else 0.0
