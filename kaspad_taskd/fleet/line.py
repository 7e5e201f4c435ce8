"""What hosts are read over, and how sure that makes silence; no I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kaspad_taskd.fleet.keys import SILENT_S

UNREAD: Final = "it was not read yet"
STALL_S: Final = 5.0
"""Seconds without a completed read after which what was not heard meanwhile proves nothing."""


@dataclass
class Line:
    """What hosts are read over: a server, or a master of a cluster.

    Attributes:
        fault: why it cannot be read; None while it is.
        since: from when on it has been read without a pause (s); None: it is not.
        last: when it was read last.
    """

    name: str
    fault: str | None = UNREAD
    since: float | None = None
    last: float = float("-inf")

    def read(self, now: float) -> None:
        """All that was in it at this moment has been taken."""
        if self.since is None or now - self.last > STALL_S:
            self.since = now
        self.last, self.fault = now, None

    def lost(self, fault: str) -> None:
        """It cannot be read."""
        self.fault, self.since = fault, None

    def proves(self, now: float) -> bool:
        """Whether it has been read for so long that who was not heard is silent."""
        return self.since is not None and now - self.since >= SILENT_S and not self.stalled(now)

    def stalled(self, now: float) -> bool:
        """Whether its reader itself stood still."""
        return now - self.last > STALL_S
