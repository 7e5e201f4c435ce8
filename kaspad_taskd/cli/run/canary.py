"""Whether a signal was for all of our group, or for us alone, who then pass it on.

A shell's `kill %1`, a terminal and systemd send to the command as well, `kill PID` does not, and
the signal itself does not say which it was. A second process, that does nothing, has it too where
it was for all. A command that gets a second SIGTERM may leave its locks behind.
"""

from __future__ import annotations

import os
import signal
from time import sleep

_WAITS = (0.001, 0.004, 0.015, 0.03)  # seconds: systemd sends to one process after the other
_TRIES = 1000


class Canary:
    """A process beside the command in our group; it does nothing that other threads' locks stop."""

    def __init__(self) -> None:
        end, self._clear = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _be_quiet(end)
        os.close(end)

    def has_it(self, number: int) -> bool:
        """Whether a signal that we got was for the group."""
        for wait in _WAITS:
            sleep(wait)
            if number in _pending(self.pid):
                self._forget(number)
                return True
        return False

    def _forget(self, number: int) -> None:
        """Let it take what it has, so that the next one of its kind is told from this one."""
        os.write(self._clear, b".")
        for _ in range(_TRIES):
            if number not in _pending(self.pid):
                return
            sleep(0.001)

    def end(self) -> None:
        """Let it go."""
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def _be_quiet(end: int) -> None:
    """Take what comes as it is, until whoever made us has gone."""
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        os.dup2(end, 0)
        os.closerange(1, 1 << 20)
        while os.read(0, 1):
            while signal.sigtimedwait(signal.valid_signals(), 0):
                pass
    finally:
        os._exit(0)


def _pending(pid: int) -> set[int]:
    """Return the numbers of the signals that wait for a process."""
    return masked(pid, "ShdPnd")


def masked(pid: int | str, name: str) -> set[int]:
    """Return the signals of a mask in /proc/PID/status (`SigCgt`), none where it cannot be read."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:  # noqa: PTH123 - pathlib costs start time
            for line in file:
                key, _, value = line.partition(":")
                if key == name:
                    bits = int(value, 16)
                    return {each for each in range(1, 65) if bits >> (each - 1) & 1}
    except (OSError, ValueError):
        pass
    return set()
