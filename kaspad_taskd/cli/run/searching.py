"""A pattern of the user's, looked for in a process of its own.

One that takes for ever (`(a+)+b`) would keep every thread of ours from its turn, and with them the
command's bytes and signals.
"""

from __future__ import annotations

import os
import re
import select
import signal
import socket

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

CPU = 0.1
"""Seconds of CPU for one piece of text; what is not found by then is not there."""
WITHIN = 60.0
"""Seconds that an answer may take on a machine that stands still now and then."""
SEEN = 1000
"""Characters of a piece in which it is looked for."""
_MOST = 65536  # bytes of a question or an answer
_NOTHING, _FOUND = b"-", b"+"


def compiled(pattern: str) -> re.Pattern[str] | None:
    """Return a pattern as it is looked for, or None: it is none."""
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


class Searching:
    """Looks for one pattern; its process begins with the first search, and ends with ours.

    Args:
        pattern: what to look for.
    """

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern
        self._line: socket.socket | None = None
        self._pid = 0
        self._over = False

    def __del__(self) -> None:
        self.end()

    def search(self, text: str) -> str | None:
        """Return the pattern's first group, all of it where it has none, or None: not there."""
        if self._over:
            return None
        try:
            answer = self._asked(text[:SEEN].encode("utf-8", "surrogatepass"))
        except OSError:  # no process is left, or it was killed: nothing is found any more
            answer = b""
        if not answer:
            self.end()
            return None
        if answer[:1] == _NOTHING:
            return None
        return answer[1:].decode("utf-8", "surrogatepass")

    def end(self) -> None:
        """Look for nothing any more."""
        self._over = True
        if self._line is None:
            return
        self._line.close()
        try:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        self._line = None

    def _asked(self, question: bytes) -> bytes:
        """The answer; b"" where none comes."""
        line = self._line or self._begin()
        line.sendall(question or b"\0")  # an empty one would be the end
        poll = select.poll()
        poll.register(line, select.POLLIN)
        return line.recv(_MOST) if poll.poll(WITHIN * 1000) else b""

    def _begin(self) -> socket.socket:
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._pid = os.fork()
        except OSError:
            mine.close()
            its.close()
            raise
        if self._pid == 0:
            _answer(self._pattern, its.detach())
        its.close()
        self._line = mine
        return mine


def _answer(pattern: re.Pattern[str], line: int) -> NoReturn:
    """Answer what is asked until nobody asks any more; nothing of ours is kept open meanwhile."""
    try:
        os.dup2(line, 0)
        os.closerange(1, 1 << 20)
        signal.signal(signal.SIGVTALRM, _too_long)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGVTALRM})
        asked = socket.socket(fileno=0)
        while question := asked.recv(_MOST):
            asked.sendall(_found(pattern, question.decode("utf-8", "surrogatepass")))
    finally:
        os._exit(0)


def _found(pattern: re.Pattern[str], text: str) -> bytes:
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU)
    try:
        found = pattern.search(text)
    except TimeoutError:
        return _NOTHING
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    if found is None:
        return _NOTHING
    return _FOUND + ((found[1] if pattern.groups else found[0]) or "").encode(
        "utf-8", "surrogatepass"
    )


def _too_long(_number: int, _frame: FrameType | None) -> NoReturn:
    raise TimeoutError
