"""A command in a terminal of its own, and what comes out of it, to the byte."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

from tests.fakes.patience import PATIENCE

RUN = (sys.executable, "-m", "kaspad_taskd.cli", "run", "--quiet")
"""The wrapper, without lines of its own."""


def environment(place: Path) -> dict[str, str]:
    """Return an environment in which no daemon is found and nothing is left elsewhere."""
    return {
        **os.environ,
        "LC_ALL": "C.UTF-8",
        "HOME": str(place),
        "PS1": "$ ",
        "TERM": "dumb",
        "XDG_STATE_HOME": str(place / "state"),
        "XDG_RUNTIME_DIR": str(place / "runtime"),
    }


class Terminal:
    """A program that a terminal controls; we are who sits before it."""

    def __init__(
        self, command: Sequence[str], place: Path, size: tuple[int, int] = (24, 80)
    ) -> None:
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
            os.execvpe(command[0], list(command), environment(place))
        self.told = b""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self.master)

    def resize(self, lines: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def until(self, text: str, since: int = 0) -> int:
        """Wait until this has been shown behind `since`; returns where it ends."""
        wanted, deadline = text.encode(), time.monotonic() + PATIENCE
        while (found := self.told.find(wanted, since)) < 0:
            if not self._more(deadline - time.monotonic()):
                raise AssertionError(f"{text!r} did not come: {self.told[since:]!r}")
        return found + len(wanted)

    def end(self) -> tuple[bytes, int]:
        """Return all that was shown, and the exit code, or -n."""
        deadline = time.monotonic() + PATIENCE
        while self._more(deadline - time.monotonic()):
            pass
        _, status = os.waitpid(self.pid, 0)
        return self.told, os.waitstatus_to_exitcode(status)

    def _more(self, timeout: float) -> bool:
        if not select.select([self.master], [], [], max(0.0, timeout))[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.told += data
        return bool(data)
