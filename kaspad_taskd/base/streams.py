"""The three streams of a process: some are closed where a cron job or a container starts us."""

from __future__ import annotations

import os
import sys


def hold_streams() -> None:
    """Let nothing that is opened later take the place of 0, 1 or 2: no database, no socket.

    What Python found closed is None in `sys`. Who writes to such an output gets an OSError, as from
    a full disk; complaints are written to nowhere.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    if sys.stdout is None:
        unfit = os.open(os.devnull, os.O_RDONLY)
        sys.stdout = open(unfit, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - as long as the process lives
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - likewise


def let_go() -> None:
    """Let Python's last flush not complain about what was complained of, nor end by 120."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
