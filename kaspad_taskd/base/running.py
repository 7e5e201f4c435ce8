"""Whether a process that was told of runs still, as far as a sandbox lets anybody see."""

from __future__ import annotations

import os
import time
from pathlib import Path

_START = 19  # field 22 of /proc/PID/stat (proc(5)), counted behind the name
_ENDED = (b"Z", b"X")  # whoever began it has not asked yet: a container's first process never does
_SLACK_S = 60.0  # a clock that was set since


def started(pid: int) -> int | None:
    """Return when a process began, in ticks since boot; None where it is gone, or hidden from us.

    `ProtectProc=invisible` hides what other users run.
    """
    return _seen(pid)[1]


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
    state, now = _seen(pid)
    return state in _ENDED or (ticks is not None and now is not None and now != ticks)


def _seen(pid: int) -> tuple[bytes, int | None]:
    """State and start of a process, as far as it can be seen."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return fields[0], int(fields[_START])
    except (OSError, ValueError, IndexError):
        return b"", None


def booted() -> float:
    """When this host began, in s since 1970 UTC."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
