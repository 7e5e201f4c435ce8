"""A few lines of a terminal, rewritten in place: only the lines that changed.

The frame stays where it is (no second screen), so that its last state remains to be read.
"""

from __future__ import annotations

import os
import signal

from kaspad_taskd.cli.screen import clip
from kaspad_taskd.words.plain import width

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType, TracebackType

    from kaspad_taskd.cli.screen import Line, Screen

_HIDE, _SHOW, _CLEAR_LINE, _CLEAR_BELOW = "\x1b[?25l", "\x1b[?25h", "\x1b[K", "\x1b[J"
_ENDS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_SIGNALS = (signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT, *_ENDS)


class Frame:
    """The lines on the screen. Use as a context: it hides the cursor and gives it back."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._shown: list[str] = []
        self._widths: list[int] = []
        self._stale = False  # resized or stopped meanwhile: nothing on screen is as it was
        self._before: list[signal._HANDLER] = []
        self.columns, self.rows = screen.size()

    def __enter__(self) -> Frame:
        self._before = [signal.signal(number, self._signalled) for number in _SIGNALS]
        try:
            self._write(_HIDE)
        except BaseException:
            self._give_back()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._give_back()

    def _give_back(self) -> None:
        """Show the cursor and let signals be as before, whoever presses Ctrl-C twice."""
        impatient = signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number, handler in zip(_SIGNALS, self._before, strict=True):
            signal.signal(number, handler)
        try:
            self._write(_SHOW)
        except OSError:  # the terminal has gone
            pass
        signal.signal(signal.SIGINT, impatient)

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        if number in _ENDS:
            raise SystemExit(128 + number)
        if number == signal.SIGTSTP:  # Ctrl-Z: stop as usual, but with a cursor
            os.write(self._screen.out.fileno(), _SHOW.encode())
            os.kill(os.getpid(), signal.SIGSTOP)
            return
        if number == signal.SIGCONT:
            os.write(self._screen.out.fileno(), _HIDE.encode())
            self._shown, self._widths = [], []  # a new frame below what the shell has said
        self._stale = True

    def measure(self) -> None:
        """Take notice of a new size of the terminal; the next painting is of the whole frame."""
        if self._stale:
            self._begin_anew()

    def paint(self, lines: Sequence[Line]) -> None:
        """Show these lines, clipped to the terminal; it must have a row more."""
        shown = [clip(line, self.columns) for line in lines[: max(1, self.rows - 1)]]
        texts = [self._screen.text(line) for line in shown]
        out = self._changes(texts)
        if out:
            self._write(out)
        self._shown = texts
        self._widths = [sum(width(text) for text, _style in line) for line in shown]

    def _changes(self, texts: Sequence[str]) -> str:
        """Return what turns the shown lines into `texts`; the cursor rests below the frame."""
        out = []
        height = len(self._shown)
        if len(texts) < height:
            out.append(f"\x1b[{height - len(texts)}A\r{_CLEAR_BELOW}")
            height = len(texts)
        for row, text in enumerate(texts):
            if row >= height:
                out.append(f"{text}{_CLEAR_LINE}\n")
            elif text != self._shown[row]:
                up = height - row
                out.append(f"\x1b[{up}A\r{text}{_CLEAR_LINE}\x1b[{up}B\r")
        return "".join(out)

    def _begin_anew(self) -> None:
        """Clear the frame as a narrower terminal may have folded it."""
        self._stale = False
        self.columns, self.rows = self._screen.size()
        folded = sum(max(1, -(-cells // self.columns)) for cells in self._widths)
        if folded:
            self._write(f"\x1b[{min(folded, self.rows - 1)}A\r{_CLEAR_BELOW}")
        self._shown = []

    def _write(self, text: str) -> None:
        self._screen.out.write(text)
        self._screen.out.flush()
