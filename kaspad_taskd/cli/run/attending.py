"""While the command runs: its signals, its stops, the size of its terminal, its end."""

from __future__ import annotations

import os
import signal
from time import sleep

from kaspad_taskd.cli.run import child
from kaspad_taskd.cli.run.descriptors import resize

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kaspad_taskd.cli.run.canary import Canary
    from kaspad_taskd.cli.run.pump import Pump

_BY_KERNEL = 0x80  # SI_KERNEL of siginfo: the terminal sent it, to all of its group
_TO_LEADER = (signal.SIGHUP,)
"""A terminal that goes tells the leader of the session alone, which tells its jobs."""
_STOPS = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
_DRAIN = 0.05  # seconds: what was written before a stop is shown before it


class Attending:
    """Waits for the end of the command, and does meanwhile what a shell does for its own.

    Args:
        pid: of the command.
        pumps: of its streams.
        canary: tells what was for the group, or None: all that did not come from the terminal is
            passed on.

    Attributes:
        pumps: those.
        passed_on: the last signal that could end it which went through us or the terminal.
    """

    def __init__(self, pid: int, pumps: Sequence[Pump], canary: Canary | None) -> None:
        self.pid = pid
        self.pumps = pumps
        self._canary = canary
        self.passed_on: int | None = None
        self._stopped = False
        self._code: int | None = None

    def until_end(self) -> int:
        """Return its exit code, or -n: a signal ended it."""
        self._look()
        while self._code is None:
            told = signal.sigwaitinfo(child.HEARD)
            self._hear(told.si_signo, told.si_code, told.si_pid)
        return self._code

    def drain(self) -> None:
        """Wait until what it has written is passed on; who ends us meanwhile does so."""
        if self._canary is not None:
            self._canary.end()
        for pump in self.pumps:
            pump.stop()
        for pump in self.pumps:
            self._until(pump.join)

    def _until(self, done: Callable[[float], bool]) -> None:
        while not done(0.05):
            told = signal.sigtimedwait(child.HEARD, 0)
            if told is not None and _ends(told.si_signo):
                child.end_like(-told.si_signo)
            if told is not None and told.si_signo in _STOPS:
                child.stop_like(told.si_signo)

    def _hear(self, number: int, code: int, sender: int) -> None:
        if number == signal.SIGCHLD:
            self._look()
            return
        if number == signal.SIGWINCH:
            self._resize()
        from_terminal = code == _BY_KERNEL and number not in _TO_LEADER
        if not (from_terminal or sender == self.pid or self._was_for_all(number)):
            self._send(number)
        if _ends(number):
            self.passed_on = number
        elif number == signal.SIGCONT and self._stopped:
            self._send(signal.SIGCONT)
        self._look()

    def _was_for_all(self, number: int) -> bool:
        return self._canary is not None and self._canary.has_it(number)

    def _send(self, number: int) -> None:
        if self._code is None:  # it is ours until it is waited for: no other has its number
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass
            except PermissionError:  # sudo: another user's by now, which passes on what it gets
                pass

    def _resize(self) -> None:
        terminals = [each.stream for each in self.pumps if each.stream.terminal and each.open]
        for stream in terminals:
            resize(stream.source, stream.sink)
        if terminals:  # it may have asked for the size before it was known here
            self._send(signal.SIGWINCH)

    def _look(self) -> None:
        """See what has become of it."""
        while self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
            if not pid:
                return
            if os.WIFSTOPPED(status):
                self._stop(os.WSTOPSIG(status))
            elif os.WIFCONTINUED(status):
                self._stopped = False
            else:
                self._code = os.waitstatus_to_exitcode(status)

    def _stop(self, number: int) -> None:
        self._stopped = True
        if number not in _STOPS:  # somebody stopped it, not the job that we are part of
            return
        self._settle()
        if not self._goes_on():
            child.stop_like(number)

    def _goes_on(self) -> bool:
        """Whether it was let go on meanwhile, as we were: who stopped now would stop twice."""
        pid, status = os.waitpid(self.pid, os.WNOHANG | os.WCONTINUED)
        if not pid:
            return False
        if os.WIFCONTINUED(status):
            self._stopped = False
        else:
            self._code = os.waitstatus_to_exitcode(status)
        return True

    def _settle(self) -> None:
        """Show what it has written, before whoever reads it is told that it stands still."""
        for _ in range(int(_DRAIN / 0.005)):
            moved = [each.moved for each in self.pumps]
            sleep(0.005)
            if moved == [each.moved for each in self.pumps]:
                return


_ENDING = frozenset(
    {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2}
)


def _ends(number: int) -> bool:
    """Whether a signal could end us and the command: under `nohup` SIGHUP does not."""
    return number in _ENDING and signal.getsignal(number) is not signal.SIG_IGN
