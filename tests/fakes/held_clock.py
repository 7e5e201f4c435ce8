"""Time that passes when a test lets it, the same in every process that opens its file.

`python -m tests.fakes.held_clock FILE OPTIONS...` is the daemon in that time.
"""

from __future__ import annotations

import mmap
import struct
import sys
from pathlib import Path

from kaspad_taskd.base.clock import Clock
from kaspad_taskd.demo.daemon import live

MOMENTS = struct.Struct("dd")
"""Seconds since 1970 UTC at the beginning, and those that have passed since."""


class HeldClock:
    """Both clocks of a host."""

    def __init__(self, file: Path) -> None:
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), MOMENTS.size)

    @classmethod
    def make(cls, file: Path, began: float) -> HeldClock:
        """A new one, at seconds since 1970 UTC."""
        file.write_bytes(MOMENTS.pack(began, 0.0))
        return cls(file)

    def monotonic(self) -> float:
        """Seconds, steady."""
        return float(MOMENTS.unpack_from(self._shared)[1])

    def wall(self) -> float:
        """Seconds since 1970 UTC."""
        began, passed = MOMENTS.unpack_from(self._shared)
        return float(began + passed)

    def set_wall(self, ahead: float) -> None:
        """Put the wall clock so many seconds on, in every process; negative: back."""
        began = MOMENTS.unpack_from(self._shared)[0]
        struct.pack_into("d", self._shared, 0, began + ahead)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, here and in every other process."""
        struct.pack_into("d", self._shared, 8, self.monotonic() + seconds)


if __name__ == "__main__":
    held = HeldClock(Path(sys.argv[1]))
    live(Clock(held.monotonic, held.wall), sys.argv[2:])
