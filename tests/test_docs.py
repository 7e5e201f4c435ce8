"""The pages say what is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "findings" / "README.md",
]

LINK = re.compile(r"(?:\]\(|\b(?:src|srcset|href)=\")(?!https?:|mailto:|#)([^)#\s\"]+)")
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"(?<![\w/.-])(?:kaspad_taskd|tests|benchmarks|packaging)/[\w./-]*\w/?")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_points_to_exists(page: Path) -> None:
    """Links lead somewhere, pictures too, and files that are named are there."""
    text = page.read_text()
    links = [page.parent / link for link in LINK.findall(FENCED.sub("", text))]
    places = [ROOT / place for place in PLACE.findall(text)]
    assert [str(path) for path in (*links, *places) if not path.exists()] == []


def test_the_newcomers_pages_name_every_room() -> None:
    """A room that nobody tells of is found by nobody."""
    rooms = {
        path.name for path in (ROOT / "kaspad_taskd").iterdir() if (path / "__init__.py").exists()
    }
    house = (ROOT / "CONTRIBUTING.md").read_text()
    assert {room for room in rooms if f"{room}/" not in house} == set()


def test_the_page_shows_the_rows_that_are_enforced() -> None:
    """Who may import whom is said once in pyproject.toml, and shown as it is."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    rows = next(each["layers"] for each in settings["contracts"] if each["type"] == "layers")
    page = (ROOT / "docs" / "architecture.md").read_text()
    block = page.partition("## Who may import whom")[2].split("```")[1]
    assert [line.split("   ")[0] for line in block.strip().splitlines()] == rows
