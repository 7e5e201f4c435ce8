"""Where the client writes: how wide, with which characters and colours, and nothing else gets out.

A line is a list of pieces, each a text and a style. Texts may come from anywhere: they are made
safe here, and the only escape sequences ever written are this module's own.
"""

from __future__ import annotations

import os
import sys

from kaspad_taskd.words.plain import cut, safe, width

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO, TypeAlias

    Piece: TypeAlias = tuple[str, str]
    """A text and its style: "", "dim" or a tone."""

    Line: TypeAlias = Sequence[Piece]

_COLORS = {"moving": "36", "done": "32", "attention": "33", "failure": "31", "dim": "2"}
_ASCII = str.maketrans("▸·‖✓✗–…█▉▊▋▌▍▎▏▒░", ">.=+x-~#.......:.")  # noqa: RUF001 - an en dash, meant
_DEFAULT_WIDTH = 80
_LONGEST_LINE = 4000


class Screen:
    """One output stream.

    Attributes:
        width: cells of a line.
        terminal: whether a person's terminal is at the other end.
        plain: whether only ASCII may be written.
        color: whether colours are used.
    """

    def __init__(self, out: TextIO, color: str = "auto", ascii_only: bool = False) -> None:
        self.out = out
        self.terminal = _is_terminal(out)
        self.plain = ascii_only or not utf8_locale()
        self.color = color == "always" or (color == "auto" and self.terminal and _colors_wanted())
        self.width = self.size()[0]
        if self.plain and hasattr(out, "reconfigure"):
            out.reconfigure(errors="replace")

    def size(self) -> tuple[int, int]:
        """Return columns and rows: COLUMNS and LINES, the terminal's, else 80 and 24."""
        columns, rows = _number("COLUMNS"), _number("LINES")
        if self.terminal and not (columns and rows):
            try:
                found = os.get_terminal_size(self.out.fileno())
            except OSError:
                found = os.terminal_size((0, 0))
            columns, rows = columns or found.columns, rows or found.lines
        return columns or _DEFAULT_WIDTH, rows or 24

    def text(self, line: Line) -> str:
        """Return a line ready to be written, cut at nothing."""
        return "".join(self._piece(text, style) for text, style in line)

    def _piece(self, text: str, style: str) -> str:
        text = self.plainly(safe(text, _LONGEST_LINE))
        code = _COLORS.get(style) if self.color and text.strip() else None
        return f"\x1b[{code}m{text}\x1b[0m" if code else text

    def plainly(self, text: str) -> str:
        """Return the text in ASCII, where only that may be written; its width stays."""
        if not self.plain or text.isascii():
            return text
        text = text.translate(_ASCII)
        return "".join(char if char.isascii() else "?" * width(char) for char in text)

    def show(self, lines: Iterable[Line]) -> None:
        """Write whole lines."""
        self.out.write("".join(self.text(line).rstrip(" ") + "\n" for line in lines))
        self.out.flush()

    def say(self, text: str, style: str = "") -> None:
        """Write one sentence, wrapped."""
        self.show([(part, style)] for part in wrap(text, self.width))


def _is_terminal(out: TextIO) -> bool:
    try:
        return out.isatty()
    except ValueError:  # closed
        return False


def _colors_wanted() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _number(name: str) -> int:
    text = os.environ.get(name, "")
    return min(int(text), 1000) if text.isascii() and text.isdigit() else 0


def utf8_locale() -> bool:
    """Whether the user's locale is UTF-8 (Python itself coerces the C locale; we do not)."""
    env = os.environ
    named = env.get("LC_ALL") or env.get("LC_CTYPE") or env.get("LANG") or ""
    if named == "C.UTF-8" and not env.get("LC_ALL") and env.get("LANG", "C") in ("", "C", "POSIX"):
        return False
    return named.upper().replace("-", "").endswith("UTF8") or sys.platform == "darwin"


def wrap(text: str, cells: int, indent: str = "") -> list[str]:
    """Return the text in lines of at most `cells` cells, all but the first begun with `indent`."""
    lines: list[str] = []
    line = ""
    for word in safe(text, _LONGEST_LINE).split(" "):
        longer = f"{line} {word}" if line else word
        if line.strip() and width(longer) > cells:
            lines.append(line)
            longer = indent + word
        line = longer
    return [*lines, line]


def hang(head: Line, text: str, cells: int, indent: str = "") -> list[Line]:
    """Return a text beside its head; its further lines stand below it, begun with `indent`."""
    room = sum(width(part) for part, _ in head)
    first, *rest = wrap(text, cells - room, indent)
    return [[*head, (first, "")], *([(" " * room + part, "")] for part in rest)]


def clip(line: Line, cells: int) -> list[Piece]:
    """Return the line cut at `cells` cells."""
    shown: list[Piece] = []
    for text, style in line:
        if cells <= 0:
            break
        fitting = cut(safe(text, _LONGEST_LINE), cells)
        shown.append((fitting, style))
        cells -= width(fitting)
    return shown
