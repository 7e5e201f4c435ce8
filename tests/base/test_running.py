"""Whether a process that was told of runs still: real ones."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from kaspad_taskd.base.running import booted, is_gone, started


def test_one_that_runs_and_ends() -> None:
    """It is there until it has ended, also while nobody has asked how."""
    process = subprocess.Popen(("sleep", "600"))
    ticks = started(process.pid)
    try:
        assert ticks is not None
        assert not is_gone(process.pid, ticks, booted() + ticks / os.sysconf("SC_CLK_TCK"))
        assert is_gone(process.pid, ticks + 1), "its number is another one's by now"
        assert is_gone(process.pid, None, booted() - 3600), "it began before this host did"
    finally:
        process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert b") Z " in Path(f"/proc/{process.pid}/stat").read_bytes()
    assert is_gone(process.pid, ticks)
    process.wait()
    assert is_gone(process.pid, ticks)
    assert started(process.pid) is None


def test_in_doubt_it_is_there() -> None:
    """Of another user's, or one that is hidden, nothing is known."""
    assert not is_gone(1, None, None)
