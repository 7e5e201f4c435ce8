"""A terminal's picture: what it shows, with its colours, as an SVG.

Texts are `<text>`, each run of words at the cell where it stands and as wide as its cells, so that
columns hold in every font. Bars are drawn as terminals draw them: a block is a rectangle, the same
in every font. Two spaces or more part runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from xml.sax.saxutils import escape

CELL, LINE, SIZE, MARGIN = 8.4, 20, 14, 24
"""Of a cell, its width and height; of the font; around it all. Pixels at 1x."""
FONTS = (
    "ui-monospace, SFMono-Regular, Menlo, Consolas, Liberation Mono, DejaVu Sans Mono, monospace"
)
THEMES: Mapping[str, Mapping[str, str]] = {
    "light": {"page": "#f6f8fa", "edge": "#d1d9e0", "": "#1f2328", "2": "#59636e",
              "31": "#cf222e", "32": "#116329", "33": "#7d4e00", "36": "#0f6b73"},
    "dark": {"page": "#151b23", "edge": "#3d444d", "": "#f0f6fc", "2": "#9198a1",
             "31": "#ff7b72", "32": "#3fb950", "33": "#e3b341", "36": "#39c5cf"},
}  # fmt: skip
"""Colours by theme: of the page, of its edge, of text, and of what an SGR code makes of it."""
SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}
EIGHTHS = "▏▎▍▌▋▊▉█"
_DEFAULTS = ("", "0", "22", "39", "49")
"""SGR codes that end a colour."""
_SGR = re.compile(r"\x1b\[([\d;]*)m")
_RUN = re.compile(r"\S+(?: \S+)*")


@dataclass(frozen=True)
class Cell:
    """A character and the SGR code it is drawn with: "" or a key of THEMES."""

    char: str
    code: str


def cells(lines: Sequence[str]) -> list[list[Cell]]:
    """Return the lines of a terminal, escape sequences and all, as its cells.

    A colour goes on over the end of a line until another comes.

    Raises:
        ValueError: a sequence is no colour that is known here.
    """
    rows, code = [], ""
    for line in lines:
        texts = _SGR.split(line)
        if "\x1b" in "".join(texts[::2]):
            raise ValueError(f"an escape sequence that is no colour: {line!r}")
        rows.append([Cell(char, code) for char in texts[0]])
        for change, text in zip(texts[1::2], texts[2::2], strict=True):
            code = _colour(code, change)
            rows[-1] += [Cell(char, code) for char in text]
    return rows


def _colour(code: str, change: str) -> str:
    """The code after an SGR sequence; there is one at a time."""
    for one in change.split(";"):
        if one in _DEFAULTS:
            code = ""
        elif one in THEMES["light"]:
            code = one
        else:
            raise ValueError(f"a colour that has no place in a picture: SGR {one}")
    return code


def svg(lines: Sequence[str], theme: str, title: str, desc: str) -> str:
    """Return the picture of a terminal's lines; `title` and `desc` say what is seen.

    Raises:
        ValueError: there is more in them than words, bars and their colours.
    """
    rows = cells(lines)
    colours = THEMES[theme]
    width = round(2 * MARGIN + CELL * max(80, *map(len, rows)))
    height = 2 * MARGIN + LINE * len(rows)
    body = "\n".join(part for y, row in enumerate(rows) for part in _row(row, y, colours))
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" \
viewBox="0 0 {width} {height}" role="img" aria-labelledby="title desc">
<title id="title">{escape(title)}</title>
<desc id="desc">{escape(desc)}</desc>
<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6" fill="{colours["page"]}" \
stroke="{colours["edge"]}"/>
<g font-family="{FONTS}" font-size="{SIZE}">
{body}
</g>
</svg>
"""


def _row(row: Sequence[Cell], y: int, colours: Mapping[str, str]) -> Iterator[str]:
    top = MARGIN + LINE * y
    for x, bar, run in _pieces(row):
        fill = colours[run[0].code]
        if bar:
            yield from _bar(x, top, run, fill)
        else:
            text = "".join(cell.char for cell in run)
            length = f' textLength="{_px(CELL * len(run))}"' if len(run) > 1 else ""
            at = f'x="{_px(MARGIN + CELL * x)}" y="{top + 15}"'
            yield f'<text {at}{length} fill="{fill}">{escape(text)}</text>'


def _pieces(row: Sequence[Cell]) -> Iterator[tuple[int, bool, Sequence[Cell]]]:
    """Yield the first cell, whether it is a bar, and the cells of each run of one colour."""
    begin = 0
    for (_code, bar), group in groupby(row, key=lambda cell: (cell.code, _is_block(cell.char))):
        run = list(group)
        if bar:
            yield begin, True, run
        else:
            for found in _RUN.finditer("".join(cell.char for cell in run)):
                yield begin + found.start(), False, run[found.start() : found.end()]
        begin += len(run)


def _is_block(char: str) -> bool:
    return char in SHADES or char in EIGHTHS


def _bar(x: int, top: int, run: Sequence[Cell], fill: str) -> Iterator[str]:
    """What is full in one, its last cell in eighths, then each shade in one."""
    for shade, group in groupby(run, key=lambda cell: cell.char if cell.char in SHADES else ""):
        chars = [cell.char for cell in group]
        wide = len(chars) if shade else sum(EIGHTHS.index(char) + 1 for char in chars) / 8
        faint = f' fill-opacity="{SHADES[shade]}"' if shade else ""
        at = f'x="{_px(MARGIN + CELL * x)}" y="{top + 3}"'
        yield f'<rect {at} width="{_px(CELL * wide)}" height="{LINE - 6}" fill="{fill}"{faint}/>'
        x += len(chars)


def _px(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
