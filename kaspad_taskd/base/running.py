"""Whether a process that was told of runs still, as far as a sandbox lets anybody see."""

from __future__ import annotations

import os
import time
from pathlib import Path

_START = 19  # field 22 of /proc/PID/stat (proc(5)), counted behind the name
_SLACK_S = 60.0  # a clock that was set since


def started(pid: int) -> int | None:
    """Return when a process began, in ticks since boot; None where it is gone, or hidden from us.

    `ProtectProc=invisible` hides what other users run.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        return int(stat.rpartition(b")")[2].split()[_START])
    except (OSError, ValueError, IndexError):
        return None


def is_gone(pid: int, ticks: int | None = None, began: float | None = None) -> bool:
    """Whether a process has surely ended; in doubt it has not.

    Args:
        pid: its number.
        ticks: when it began, as `started` told it, or None.
        began: the same in s since 1970 UTC, or None: nobody knows.
    """
    if began is not None and began < booted() - _SLACK_S:
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        pass
    now = started(pid)
    return ticks is not None and now is not None and now != ticks


def booted() -> float:
    """When this host began, in s since 1970 UTC."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
