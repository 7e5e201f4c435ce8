"""Lines rewritten in place, checked against a terminal that knows the few sequences used."""

from __future__ import annotations

import io
import re
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.cli.frame import Frame
from kaspad_taskd.cli.screen import Screen

SEQUENCE = re.compile(r"\x1b\[(\?25[lh]|\d*[ABKJ])|([\r\n])|([^\x1b\r\n]+)")


class Terminal(io.StringIO):
    """What a terminal shows after what was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[str] = [""]
        self.row = self.column = 0
        self.cursor = True
        self.written = 0
        self.log = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.written += len(text)
        self.log += text
        found = SEQUENCE.findall(text)
        whole = "".join((f"\x1b[{a}" if a else "") + b + c for a, b, c in found)
        assert whole == text, "a sequence that no terminal was taught"
        for sequence, move, plain in found:
            self._apply(sequence, move, plain)
        return len(text)

    def _apply(self, sequence: str, move: str, plain: str) -> None:
        if plain:
            line = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = line[: self.column] + plain + line[self.column + len(plain) :]
            self.column += len(plain)
        elif move == "\r":
            self.column = 0
        elif move == "\n":
            self.row, self.column = self.row + 1, 0
            self.rows += [""] * (self.row + 1 - len(self.rows))
        elif sequence.startswith("?25"):
            self.cursor = sequence == "?25h"
        elif sequence == "K":
            self.rows[self.row] = self.rows[self.row][: self.column]
        elif sequence == "J":
            self.rows[self.row] = self.rows[self.row][: self.column]
            del self.rows[self.row + 1 :]
        else:
            step = int(sequence[:-1] or 1)
            self.row += step if sequence[-1] == "B" else -step
            assert 0 <= self.row < len(self.rows)

    def shown(self) -> list[str]:
        assert self.rows[-1] == ""
        return self.rows[:-1]


@pytest.fixture(autouse=True)
def _size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("LINES", "10")


TEXTS = st.lists(st.text("abc ", min_size=0, max_size=50), max_size=14)


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_the_terminal_shows_the_last_frame(frames: list[list[str]]) -> None:
    """After any frames, the last one stands there: clipped, one row less than the terminal."""
    terminal = Terminal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "40")
        patch.setenv("LINES", "10")
        with Frame(Screen(terminal, "never")) as frame:
            for texts in frames:
                frame.paint([[(text, "")] for text in texts])
    expected = [text if len(text) <= 40 else text[:39] + "…" for text in frames[-1]][:9]
    expected = [text.replace("…", "~") if frame._screen.plain else text for text in expected]
    assert [row.rstrip() for row in terminal.shown()] == [text.rstrip() for text in expected]
    assert terminal.cursor


def test_only_changed_lines_are_written() -> None:
    """What stays the same costs nothing; one changed line is written alone."""
    terminal = Terminal()
    with Frame(Screen(terminal, "never")) as frame:
        frame.paint([[(f"line {i}", "")] for i in range(8)])
        before = terminal.written
        frame.paint([[(f"line {i}", "")] for i in range(8)])
        assert terminal.written == before
        frame.paint([[(f"line {i}" if i != 3 else "changed", "")] for i in range(8)])
        assert terminal.written - before < 30
    assert terminal.shown()[3] == "changed"


def test_a_resized_terminal_gets_the_whole_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """After SIGWINCH the new width counts and nothing old remains."""
    terminal = Terminal()
    with Frame(Screen(terminal, "never")) as frame:
        frame.paint([[("x" * 38, "")], [("two", "")]])
        monkeypatch.setenv("COLUMNS", "60")
        signal.raise_signal(signal.SIGWINCH)
        frame.measure()
        assert frame.columns == 60
        frame.paint([[("y" * 55, "")]])
    assert terminal.shown() == ["y" * 55]


def test_the_end_gives_back_cursor_and_signals() -> None:
    """Whatever ends it, the cursor is back, and the handlers of before."""
    terminal = Terminal()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit, match="143"), Frame(Screen(terminal, "never")):
        signal.raise_signal(signal.SIGTERM)
    assert "\x1b[?25l" in terminal.log
    assert terminal.cursor
    assert signal.getsignal(signal.SIGTERM) is before
