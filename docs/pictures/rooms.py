"""Draws the rooms of the package and who imports whom: rooms.svg, for docs/architecture.md.

Run it after a change of the import contracts or of what a room imports:
python docs/pictures/rooms.py. The rows are those of the contract in pyproject.toml; the arrows are
the imports themselves, less those that another way of arrows leads to as well.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from html import escape
from itertools import accumulate, pairwise
from pathlib import Path
from statistics import mean
from typing import Final, TypeAlias

import grimp

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGE = "kaspad_taskd"

Rows: TypeAlias = Sequence[Sequence[str]]
Arrows: TypeAlias = Mapping[str, frozenset[str]]
"""From a room to those that it imports."""

WIDTH: Final = 760
BOX: Final = 112, 34
"""Width and height of a room."""
GAP: Final = 44
"""Between two rows: room for the arrows."""
EDGE: Final = 24
LANE: Final = 14
"""Width that an arrow needs beside rooms."""
TURNS: Final = 12
"""Of putting the rows in order; more change nothing."""

STYLE: Final = """
text { font: 600 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #1b2733;
  text-anchor: middle; dominant-baseline: central; }
rect { fill: #eef4f4; stroke: #3f7f78; stroke-width: 1.5; }
path { fill: none; stroke: #6b7c8c; stroke-width: 1.4; }
marker path { fill: #6b7c8c; stroke: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #e8eef2; }
  rect { fill: #1d2b33; stroke: #6fc7ba; }
  path { stroke: #93a4b2; }
  marker path { fill: #93a4b2; }
}
"""


MARKER: Final = (
    '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0L8 4L0 8z"/></marker>'
)


def rows() -> Rows:
    """Return the rows of the house, highest first, as the contract has them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    house = next(
        each
        for each in settings["contracts"]
        if each["type"] == "layers" and each["containers"] == [PACKAGE]
    )
    return [row.split(" | ") for row in house["layers"]]


def imports() -> Arrows:
    """Return which rooms each room imports, type checking's imports among them."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    found: dict[str, set[str]] = {}
    for module in graph.modules - {PACKAGE}:
        used = found.setdefault(_room(module), set())
        used |= {
            _room(each)
            for each in graph.find_modules_directly_imported_by(module)
            if each != PACKAGE
        }
    return {room: frozenset(used - {room}) for room, used in found.items()}


def _room(module: str) -> str:
    return module.split(".")[1]


def reached(arrows: Arrows, start: str) -> frozenset[str]:
    """Return every room that ways of arrows lead to from one room."""
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        for room in arrows.get(ahead.pop(), ()):
            if room not in seen:
                seen.add(room)
                ahead.append(room)
    return frozenset(seen)


def plain(arrows: Arrows) -> Arrows:
    """Return the arrows without those that another way leads to as well."""
    return {
        room: frozenset(
            each for each in used if not any(each in reached(arrows, other) for other in used)
        )
        for room, used in arrows.items()
    }


def laid_out(found: Rows, drawn: Arrows) -> dict[str, tuple[float, float]]:
    """Return where each room is (the middle of its upper edge), and each bend of an arrow.

    An arrow over several rows has a place of its own in each, "room>room@row", so that it goes by
    the rooms there, not behind them.
    """
    line_of = {room: line for line, row in enumerate(found) for room in row}
    rows_of = [list(row) for row in found]
    near: dict[str, list[str]] = {}
    for room, used in sorted(drawn.items()):
        for each in sorted(used):
            way = _way(room, each, line_of)
            for line, place in enumerate(way[1:-1], line_of[room] + 1):
                rows_of[line].append(place)
            for one, other in pairwise(way):
                near.setdefault(one, []).append(other)
                near.setdefault(other, []).append(one)
    return _settled(rows_of, near)


def _way(room: str, to: str, line_of: Mapping[str, int]) -> list[str]:
    between = range(line_of[room] + 1, line_of[to])
    return [room, *(f"{room}>{to}@{line}" for line in between), to]


def _settled(
    rows_of: list[list[str]], near: Mapping[str, Sequence[str]]
) -> dict[str, tuple[float, float]]:
    """Each row in the order of the middles of its neighbours, until nothing changes much."""
    at = {place: WIDTH / 2 for row in rows_of for place in row}
    for _turn in range(TURNS):
        for row in rows_of:
            wish = {place: mean([at[each] for each in near.get(place, [place])]) for place in row}
            row.sort(key=lambda place: (wish[place], place))
            at |= _packed(row)
    return {
        place: (at[place], EDGE + line * (BOX[1] + GAP))
        for line, row in enumerate(rows_of)
        for place in row
    }


def _packed(row: Sequence[str]) -> dict[str, float]:
    """Side by side over the whole width, each with the room that it needs."""
    widths = [LANE if "@" in place else BOX[0] for place in row]
    space = (WIDTH - sum(widths)) / (len(row) + 1)
    ends = list(accumulate(width + space for width in widths))
    return {place: end - width / 2 for place, end, width in zip(row, ends, widths, strict=True)}


def svg(found: Rows, arrows: Arrows) -> str:
    """Return the picture."""
    drawn = plain(arrows)
    at = laid_out(found, drawn)
    height = 2 * EDGE + len(found) * (BOX[1] + GAP) - GAP
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" role="img" aria-labelledby="title desc">'
        ),
        '<title id="title">The rooms of kaspad-taskd and who imports whom</title>',
        f'<desc id="desc">{escape(description(found, drawn))}</desc>',
        f"<style>{STYLE}</style>",
        MARKER,
        *_lines(found, at, drawn),
        *_boxes(found, at),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def description(found: Rows, drawn: Arrows) -> str:
    """Return the picture in words, for who cannot see it."""
    says = [
        f"{room} imports {', '.join(sorted(drawn[room]))}."
        for row in found
        for room in row
        if drawn.get(room)
    ]
    return (
        "From top to bottom: " + "; ".join(", ".join(row) for row in found) + ". " + " ".join(says)
    )


def _lines(found: Rows, at: Mapping[str, tuple[float, float]], drawn: Arrows) -> list[str]:
    line_of = {room: line for line, row in enumerate(found) for room in row}
    ways = [_way(room, each, line_of) for room, used in drawn.items() for each in used]
    leaving = _ports(at, [(way[0], way[1]) for way in ways])
    coming = _ports(at, [(way[-1], way[-2]) for way in ways])
    return sorted(
        f'<path id="{way[0]}-{way[-1]}" marker-end="url(#tip)" d="'
        + _curve(at, way, leaving[way[0], way[1]], coming[way[-1], way[-2]])
        + '"/>'
        for way in ways
    )


def _ports(
    at: Mapping[str, tuple[float, float]], ends: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], float]:
    """Where on a room's edge each arrow begins or ends: in the order of where it leads."""
    of: dict[str, list[str]] = {}
    for room, other in ends:
        of.setdefault(room, []).append(other)
    ports = {}
    for room, others in of.items():
        for n, other in enumerate(sorted(others, key=lambda place: at[place])):
            share = (n + 1) / (len(others) + 1) - 0.5
            ports[room, other] = at[room][0] + share * BOX[0]
    return ports


def _curve(
    at: Mapping[str, tuple[float, float]], way: Sequence[str], begin: float, end: float
) -> str:
    x, y = begin, at[way[0]][1] + BOX[1]
    text = f"M{x:.0f} {y:.0f}"
    for place in way[1:]:
        to_x, to_y = (end if place == way[-1] else at[place][0]), at[place][1]
        half = (to_y - y) / 2
        text += f"C{x:.0f} {y + half:.0f} {to_x:.0f} {to_y - half:.0f} {to_x:.0f} {to_y:.0f}"
        if place != way[-1]:
            text += f"v{BOX[1]}"
        x, y = to_x, to_y + BOX[1]
    return text


def _boxes(found: Rows, at: Mapping[str, tuple[float, float]]) -> list[str]:
    return [
        f'<rect x="{at[room][0] - BOX[0] / 2:.0f}" y="{at[room][1]:.0f}" width="{BOX[0]}" '
        f'height="{BOX[1]}" rx="5"/>'
        f'<text x="{at[room][0]:.0f}" y="{at[room][1] + BOX[1] / 2:.0f}">{room}</text>'
        for row in found
        for room in row
    ]


def main() -> None:
    (HERE / "rooms.svg").write_text(svg(rows(), imports()))


if __name__ == "__main__":
    main()
