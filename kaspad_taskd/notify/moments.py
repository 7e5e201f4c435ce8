"""The time of this program: moments that only run within its life, whatever somebody sets."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from kaspad_taskd.notify.model import Moment

LOCAL: Final = Path("/etc/localtime")


def boottime() -> float:
    """Return the seconds since the host began, with those for which it slept."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Moments:
    """Milliseconds since 1970 UTC, as the wall clock had it when the life began.

    Args:
        wall: seconds since 1970.
        steady: seconds since any moment: those that nobody can set, in which the host may sleep.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = boottime,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._base = wall() - steady()

    def now(self) -> Moment:
        """Return this moment; never one before the last, nor one to which somebody has jumped."""
        return int((self._base + self._steady()) * 1000)

    def wall(self) -> Moment:
        """Return what the wall clock shows: by that people sleep."""
        return int(self._wall() * 1000)


def zone(local: Path = LOCAL) -> tzinfo:
    """Return where people live, as the host has it now; UTC where it does not say. Blocks."""
    try:
        if name := os.environ.get("TZ", "").removeprefix(":"):
            return ZoneInfo(name)
        with local.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError, KeyError):  # what is no name of a zone is each of these
        return UTC
