"""The three streams of a process: some are closed where a cron job or a container starts us."""

from __future__ import annotations

import os
import sys


def hold_streams() -> bool:
    """Let nothing that is opened later take the place of 0, 1 or 2; return if there is an output.

    What Python found closed is None in `sys`. Complaints are then written to nowhere.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - as long as the process lives
    return sys.stdout is not None
