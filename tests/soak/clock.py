"""The daemon with a wall clock that can be set: `python -m tests.soak.clock FILE OPTIONS...`.

FILE holds the seconds by which the wall clock is wrong; steady time is the host's.
"""

from __future__ import annotations

import mmap
import struct
import sys
import time
from functools import partial
from pathlib import Path

import kaspad_taskd.daemon.house as house
from kaspad_taskd.__main__ import main
from kaspad_taskd.base.clock import Clock

OFFSET = struct.Struct("d")


class Offset:
    """Seconds by which the wall clock is wrong, shared between processes."""

    def __init__(self, file: Path) -> None:
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), OFFSET.size)

    @classmethod
    def make(cls, file: Path) -> Offset:
        """A clock that is right."""
        file.write_bytes(OFFSET.pack(0.0))
        return cls(file)

    def set(self, seconds: float) -> None:
        """Let the clock be wrong from now on."""
        OFFSET.pack_into(self._shared, 0, seconds)

    def wall(self) -> float:
        """Seconds since 1970 UTC, as the host believes."""
        return time.time() + float(OFFSET.unpack_from(self._shared)[0])


if __name__ == "__main__":
    wrong = Offset(Path(sys.argv[1]))
    vars(house)["Clock"] = partial(Clock, wall=wrong.wall)
    sys.exit(main(sys.argv[2:]))
