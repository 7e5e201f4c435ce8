"""What the command does meanwhile: its stops and going on, one after the other."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from kaspad_taskd.cli.run import child
from kaspad_taskd.cli.run.attending import Attending
from tests.fakes.patience import PATIENCE


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]


def until(pid: int, *wanted: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while state(pid) not in wanted:
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.mark.parametrize("let_go", [False, True])
def test_who_was_let_go_on_meanwhile_is_not_followed_into_a_stop(
    let_go: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`fg` may come before its stop is seen: we would stand still in the foreground."""
    stopped: list[int] = []
    monkeypatch.setattr(child, "stop_like", stopped.append)
    # a group of its own: nobody stops in one whose shell has gone
    with subprocess.Popen(["sleep", "600"], process_group=0) as command:
        attending = Attending(command.pid, [], None)

        def settle() -> None:
            if let_go:
                os.kill(command.pid, signal.SIGCONT)
                until(command.pid, "S", "R")

        monkeypatch.setattr(attending, "_settle", settle)
        os.kill(command.pid, signal.SIGTSTP)
        until(command.pid, "T")
        attending._look()
        assert stopped == ([] if let_go else [signal.SIGTSTP])
        command.kill()
