"""The time of this program: moments that never go back within its life."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from kaspad_taskd.notify.model import Moment

JUMP: Final = 5.0
"""Seconds by which the wall clock is ahead that count as a jump: it was set, or the host slept."""
LOCAL: Final = Path("/etc/localtime")


class Moments:
    """Milliseconds since 1970 UTC: by the wall clock, but for one that is set back.

    Args:
        wall: seconds since 1970.
        monotonic: seconds since any moment.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._base = wall() - monotonic()

    def now(self) -> Moment:
        """Return this moment; never one before the last."""
        ahead = self._wall() - self._monotonic() - self._base
        if ahead > JUMP:
            self._base += ahead
        return int((self._base + self._monotonic()) * 1000)


def zone(local: Path = LOCAL) -> tzinfo:
    """Return where people live, as the host has it now; UTC where it does not say. Blocks."""
    try:
        if name := os.environ.get("TZ", "").removeprefix(":"):
            return ZoneInfo(name)
        with local.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError, KeyError):  # what is no name of a zone is each of these
        return UTC
