"""Where a command's standard output and error go: through us, by a pipe or a terminal of ours."""

from __future__ import annotations

import os
from fcntl import F_GETPIPE_SZ, F_SETPIPE_SZ, fcntl, ioctl

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from typing import Any

STDIN, STDOUT, STDERR = 0, 1, 2
_HOLDS = 1 << 20
"""Bytes of a pipe: what an ordinary user may have without asking."""


class Stream:
    """One way of bytes from the command to where they would have gone without us.

    Attributes:
        number: 1 standard output (or both, where both go to the same), 2 standard error.
        source: our end, from which is read.
        sink: where it goes, a descriptor of ours.
        terminal: it is a terminal, else a pipe.
    """

    __slots__ = ("number", "sink", "source", "terminal")

    def __init__(self, number: int, source: int, sink: int, terminal: bool) -> None:
        self.number = number
        self.source = source
        self.sink = sink
        self.terminal = terminal


class Descriptors:
    """What the command gets as 1 and 2. What was closed stays so; 0 it has from us as it is.

    Attributes:
        streams: those that are read, one or two, or none.
        given: by the command's descriptor, our end that becomes it.
        closed: those of 0, 1, 2 that we were started without.
    """

    def __init__(self) -> None:
        self.closed = [each for each in (STDIN, STDOUT, STDERR) if not _is_open(each)]
        for _ in self.closed:  # nothing of ours may take their place
            os.open(os.devnull, os.O_RDWR)
        self.streams: list[Stream] = []
        self.given: dict[int, int] = {}
        outputs = [each for each in (STDOUT, STDERR) if each not in self.closed]
        if len(outputs) == 2 and _is_same(STDOUT, STDERR):  # one stream: its order stays
            self._through(STDOUT, outputs)
        else:
            for each in outputs:
                self._through(each, [each])

    def _through(self, sink: int, ends: list[int]) -> None:
        terminal = os.isatty(sink)
        try:
            source, end = _terminal(sink) if terminal else _pipe()
        except OSError:  # no file or terminal is left: it is the command's own affair, unread
            return
        os.set_blocking(source, False)
        self.streams.append(Stream(ends[0], source, sink, terminal))
        self.given.update(dict.fromkeys(ends, end))

    def give_up(self, stream: Stream) -> None:
        """Let the command have its own end of a stream in place of ours. Before it begins."""
        self.streams.remove(stream)
        os.close(stream.source)
        ends = {self.given[stream.number]}
        self.given = {each: end for each, end in self.given.items() if end not in ends}
        for end in ends:
            os.close(end)

    def actions(self) -> list[tuple[Any, ...]]:
        """Return what posix_spawn is to do with descriptors."""
        found: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_CLOSE, each) for each in self.closed]
        return found + [(os.POSIX_SPAWN_DUP2, end, each) for each, end in self.given.items()]

    def let_go(self) -> None:
        """Close what is the command's alone."""
        for end in set(self.given.values()):
            os.close(end)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _is_same(one: int, other: int) -> bool:
    """Whether both go to the same, so that what is written to them has one order."""
    first, second = os.fstat(one), os.fstat(other)
    return (first.st_dev, first.st_ino, first.st_rdev) == (
        second.st_dev,
        second.st_ino,
        second.st_rdev,
    )


def _pipe() -> tuple[int, int]:
    """Return both ends of a pipe that holds much: it is emptied in few steps."""
    source, end = os.pipe()
    widen(source)
    return source, end


def widen(pipe: int) -> None:
    """Let a pipe hold much. What is none, and a user whose pipes hold enough, stays as it is."""
    try:
        if fcntl(pipe, F_GETPIPE_SZ) < _HOLDS:
            fcntl(pipe, F_SETPIPE_SZ, _HOLDS)
    except OSError:
        pass


def _terminal(like: int) -> tuple[int, int]:
    """Return master and slave of a new terminal, of the size and with the settings of another.

    Only the other one changes what is put out (LF to CR LF): once, as without us. It controls
    nobody: Ctrl-C, Ctrl-Z and passwords are the other one's affair, too.
    """
    import termios

    master, slave = os.openpty()
    try:
        settings = termios.tcgetattr(like)
        settings[1] &= ~termios.OPOST
        termios.tcsetattr(slave, termios.TCSANOW, settings)
        resize(master, like)
    except termios.error:
        pass
    return master, slave


def resize(terminal: int, like: int) -> None:
    """Give a terminal the size of another; one that has gone leaves it as it is."""
    from termios import TIOCGWINSZ, TIOCSWINSZ

    try:
        ioctl(terminal, TIOCSWINSZ, ioctl(like, TIOCGWINSZ, b"\0" * 8))
    except OSError:
        pass
