"""The end of programs that were started for somebody."""

from __future__ import annotations

import logging
import os
import signal

_log = logging.getLogger(__name__)


def end_group(pid: int) -> None:
    """Kill a process group, if there is anything left of it."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:
        _log.warning("process group %d runs as somebody else (sudo?): it cannot be ended", pid)
