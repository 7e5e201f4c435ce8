"""The house: no circle between files, few loose modules, and a picture that is drawn from it."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import grimp
import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "kaspad_taskd"
PICTURE = ROOT / "docs" / "pictures" / "rooms.svg"

LOOSE = 6
"""Modules that may lie at the top, outside any room."""


@pytest.fixture(scope="module")
def rooms() -> Mapping[str, Any]:
    """What docs/pictures/rooms.py defines."""
    return runpy.run_path(str(PICTURE.with_suffix(".py")))


def circles(arrows: Mapping[str, frozenset[str]]) -> Iterator[list[str]]:
    """Ways of arrows that lead back to where they began, one for each knot."""
    done: set[str] = set()

    def walk(way: list[str]) -> Iterator[list[str]]:
        for each in sorted(arrows.get(way[-1], ())):
            if each in way:
                yield [*way[way.index(each) :], each]
            elif each not in done:
                yield from walk([*way, each])
        done.add(way[-1])

    for start in sorted(arrows):
        if start not in done:
            yield from walk([start])


def test_no_file_imports_itself_over_others() -> None:
    """Imports between files make no circle, those for the type checker and lazy ones included."""
    graph = grimp.build_graph("kaspad_taskd", cache_dir=None)
    arrows = {
        module: frozenset(graph.find_modules_directly_imported_by(module))
        for module in graph.modules
    }
    assert list(circles(arrows)) == []


def test_a_circle_is_found() -> None:
    """The search of the test above finds one, wherever it hangs."""
    arrows = {"a": {"b"}, "b": {"c", "d"}, "c": {"b"}, "d": {"d"}, "e": {"a"}}
    found = list(circles({room: frozenset(used) for room, used in arrows.items()}))
    assert found == [["b", "c", "b"], ["d", "d"]]


def test_few_modules_lie_outside_the_rooms() -> None:
    """Who opens the package sees rooms."""
    assert len(list(PACKAGE.glob("*.py"))) <= LOOSE


def test_the_picture_is_the_house(rooms: Mapping[str, Any]) -> None:
    """It is drawn from the contract and the imports of today: python docs/pictures/rooms.py."""
    assert PICTURE.read_text() == rooms["svg"](rooms["rows"](), rooms["imports"]())


def test_the_arrows_of_the_picture_lead_where_the_imports_do(rooms: Mapping[str, Any]) -> None:
    """Read back, every import has its way of arrows, and no arrow says what is not imported."""
    tree = ElementTree.parse(PICTURE).getroot()
    ids = [each.get("id") or "" for each in tree.iter("{http://www.w3.org/2000/svg}path")]
    drawn: dict[str, set[str]] = {}
    for room, _, to in (each.partition("-") for each in ids if each):
        drawn.setdefault(room, set()).add(to)
    imports = rooms["imports"]()
    assert all(to in imports[room] for room, tos in drawn.items() for to in tos)
    for room, used in imports.items():
        assert used <= rooms["reached"](drawn, room)


def test_the_picture_is_told_to_who_cannot_see_it() -> None:
    """A title, a description that names every room, and the text beside it in the page."""
    text = PICTURE.read_text()
    described = re.search(r'<desc id="desc">(.*?)</desc>', text, re.DOTALL)
    assert described
    assert "<title" in text
    names = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert {name for name in names if name not in described[1]} == set()
