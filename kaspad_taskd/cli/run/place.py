"""Who this process is, and whether another one that was told of lives still."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from typing import Any

_START = 19  # place of the start behind the name in /proc/PID/stat (proc(5): field 22)


def ticks(pid: int) -> int | None:
    """Return when a process began, in ticks since boot, or None: there is none, or it is hidden."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - pathlib costs start time
            return int(file.read().rpartition(b")")[2].split()[_START])
    except (OSError, ValueError, IndexError):
        return None


def start_time(pid: int) -> str | None:
    """Return when a process began, as the wire tells moments, or None."""
    began = ticks(pid)
    if began is None:
        return None
    since = time.clock_gettime(time.CLOCK_BOOTTIME) - began / os.sysconf("SC_CLK_TCK")
    return iso(time.time() - since)


def iso(seconds: float) -> str:
    """Return a moment in s since 1970 UTC as the wire tells it."""
    whole = int(seconds * 1000)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole // 1000))
    return f"{text}.{whole % 1000:03d}Z"


def lives(metadata: dict[str, Any]) -> bool:
    """Whether the process that a task's facts name is there: its id, and when it began."""
    pid, told = metadata.get("pid"), metadata.get("startTime")
    if not isinstance(pid, int) or isinstance(pid, bool):
        return False
    began = start_time(pid)
    # a clock that was set tells another time for the same start: to the minute is enough
    return began is not None and (not isinstance(told, str) or _near(began, told))


def _near(one: str, other: str) -> bool:
    def seconds(text: str) -> float:
        import calendar

        return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))

    try:
        return abs(seconds(one) - seconds(other)) <= 60
    except ValueError:
        return False
