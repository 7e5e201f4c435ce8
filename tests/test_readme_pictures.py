"""README's pictures are there, small, told to those who do not see them, and still what is so.

After a change of what they show: .venv/bin/python -m docs.pictures.make
"""

from __future__ import annotations

import re
import struct
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from docs.pictures.page import WIDTH
from docs.pictures.svg import CELL, MARGIN, THEMES, cells, svg
from kaspad_taskd.cli.bars import ICONS
from kaspad_taskd.words.sentences import say
from kaspad_taskd.words.table import entry

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
README = (ROOT / "README.md").read_text()
MOST_BYTES = 60 * 1024
LEAST_CONTRAST = 4.5  # WCAG AA, of text
SVG = "{http://www.w3.org/2000/svg}"
NAME, TYPE, STATE, SHARE, LEFT = 2, 23, 32, 60, 67
"""Cells at which the columns of the list begin; a share is to the right of its own."""


class Pictures(HTMLParser):
    """Each `<picture>`: its source's attributes and its image's."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, dict[str, str]]] = []
        self.loose = 0
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "picture":
            self._inside = True
            self.found.append({})
        elif tag in ("source", "img"):
            if self._inside:
                self.found[-1][tag] = {key: value or "" for key, value in attrs}
            else:
                self.loose += 1

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "picture"


def pictures() -> Pictures:
    parser = Pictures()
    parser.feed(README)
    return parser


def alt(kind: str) -> str:
    """What is said of the picture of this kind, "svg" or "png", in one line."""
    (found,) = (one["img"] for one in pictures().found if one["img"]["src"].endswith(kind))
    return " ".join(found["alt"].split())


def size(path: Path) -> tuple[int, int]:
    """Pixels across and down."""
    if path.suffix == ".png":
        across, down = struct.unpack(">II", path.read_bytes()[16:24])
        return across, down
    root = ElementTree.parse(path).getroot()
    return int(root.attrib["width"]), int(root.attrib["height"])


def test_each_picture_is_there_for_light_and_dark() -> None:
    """A pair of files of the same size, each small, at a width that is right at 1x and 2x."""
    found = pictures()
    assert len(found.found) == 2
    assert found.loose == 0
    shown = set()
    for one in found.found:
        assert one["source"]["media"] == "(prefers-color-scheme: dark)"
        light, dark = (ROOT / one["img"]["src"], ROOT / one["source"]["srcset"])
        assert dark.name == light.name.replace("-light.", "-dark.")
        assert light != dark
        assert max(path.stat().st_size for path in (light, dark)) <= MOST_BYTES
        assert size(light) == size(dark)
        scale = 2 if light.suffix == ".png" else 1
        assert size(light)[0] == scale * int(one["img"]["width"])
        shown |= {light, dark}
    kept = {path for name in ("light", "dark") for path in PICTURES.glob(f"*-{name}.*")}
    assert kept == shown


@pytest.mark.parametrize("theme", THEMES)
def test_the_terminals_picture_tells_what_it_is(theme: str) -> None:
    """By itself, too: it has a title, and says what README says of it."""
    root = ElementTree.parse(PICTURES / f"terminal-{theme}.svg").getroot()
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == "title desc"
    assert root.findtext(f"{SVG}title")
    assert root.findtext(f"{SVG}desc") == alt("svg")


def lines(theme: str = "light") -> list[dict[int, str]]:
    """What the picture has, line by line, by the cell where it begins."""
    root = ElementTree.parse(PICTURES / f"terminal-{theme}.svg").getroot()
    found: dict[int, dict[int, str]] = defaultdict(dict)
    for one in root.iter(f"{SVG}text"):
        cell = round((float(one.attrib["x"]) - MARGIN) / CELL)
        found[int(one.attrib["y"])][cell] = one.text or ""
    return [found[y] for y in sorted(found)]


def rows() -> list[dict[int, str]]:
    """The lines of tasks."""
    return [line for line in lines() if 0 in line and TYPE in line and STATE in line]


def share(row: dict[int, str]) -> str:
    return next(text for cell, text in row.items() if SHARE <= cell + len(text) - 1 < LEFT)


def test_light_and_dark_say_the_same() -> None:
    """They differ in their colours alone."""
    assert lines("light") == lines("dark")


def saying(key: str, **params: str) -> str:
    """A pattern of the sentence `key`; each param is one of what may stand in its place."""
    names = {name: f"PLACE{number}" for number, name in enumerate(params)}
    pattern = re.escape(say(key, **names))
    for name, place in names.items():
        pattern = pattern.replace(place, f"(?:{params[name]})")
    return pattern


def states(condition: str) -> str:
    """A pattern of what stands in the column of states."""
    if condition == "ok":
        shorts = {re.escape(phase["short"]) for phase in entry("phase").values()}
        running = {re.escape(word) for word in entry("running").values()}
        return "|".join([rf"\d+/\d+ (?:{'|'.join(shorts)})", *running])
    if condition == "complete":
        return saying("state.complete", word=re.escape(say("done.other")), when=r"\d\d? \w{3}")
    if condition == "waiting":
        return saying("state.waiting", names=r"[\w-]+")
    return re.escape(say(f"state.{condition}"))


def test_the_terminals_words_are_those_of_the_program() -> None:
    """Its heading, the first sentence, each task's type and state, and what is said of trouble."""
    text = [" ".join(line.values()) for line in lines()]
    heading = [say(f"list.{key}") for key in ("service", "type", "state", "progress", "left")]
    assert text[2] == " ".join(heading)
    names = "|".join(row[NAME] for row in rows())
    word = "|".join(entry("running").values())
    first = saying("headline.left-ready", name=names, word=word, eta=r"[\w ]+", when=r"\d\d:\d\d")
    assert re.fullmatch(f". {first}", text[1])
    types = [one["short"] for one in entry("type").values()]
    for row in rows():
        conditions = [key for key, (icon, _) in ICONS.items() if icon == row[0]]
        assert row[TYPE] in types
        assert re.fullmatch("|".join(map(states, conditions)), row[STATE])
    trouble = saying("attention.unreachable", name=names, since=r"\d+ \w+", why=".+")
    assert re.search(trouble, " ".join(text))


def test_it_shows_what_this_is_for() -> None:
    """Something that runs, something that is not reachable, that waits, and that is done."""
    assert {row[0] for row in rows()} >= {"▸", "!", "·", "✓"}
    assert say("state.unreachable") in {row[STATE] for row in rows()}


def test_who_does_not_see_the_terminal_hears_it() -> None:
    """Each task with its type, its state, its share and the time that is left."""
    said = alt("svg")
    for row in rows():
        told = f"{row[NAME]}, {row[TYPE]}: {row[STATE]}"
        told += "" if share(row) == "-" else f", {share(row).replace('~', 'about ')}"
        told += "" if row[LEFT] == "-" else f", {row[LEFT]} left"
        assert f"{told}." in said


def test_who_does_not_see_the_page_hears_it() -> None:
    """Its headline, and of each card that is seen its name, state and, where it has one, share."""
    said = alt("png")
    unreachable = say("page.state.unreachable").capitalize()
    waiting = saying("page.state.waiting", names="kaspa-node").capitalize()
    running = entry("running")["node-sync"].capitalize()
    assert re.search(rf"\bkaspa-node: {running}\. .*about \d\d %, about .* left", said)
    assert re.search(rf"\bsimply-kaspa-indexer: {unreachable}\. [\d.]+ % at \d\d:\d\d", said)
    assert re.search(rf"\bk-indexer: {waiting}\.", said)


@pytest.mark.parametrize("theme", THEMES)
def test_every_colour_of_the_terminal_can_be_read(theme: str) -> None:
    """On the page of its theme, as WCAG counts."""
    page = _luminance(THEMES[theme]["page"])
    for name, colour in THEMES[theme].items():
        if name not in ("page", "edge"):
            dark, light = sorted((page, _luminance(colour)))
            assert (light + 0.05) / (dark + 0.05) >= LEAST_CONTRAST, name


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_terminals_colour_goes_on_until_another_comes() -> None:
    """Over the end of its line too, as tmux tells it."""
    first, second = cells(["\x1b[2mA", "b\x1b[0m\x1b[39mc"])
    assert [(cell.char, cell.code) for cell in (*first, *second)] == [
        ("A", "2"),
        ("b", "2"),
        ("c", ""),
    ]


@pytest.mark.parametrize("text", ["\x1b[35mx", "\x1b[1;31mx", "\x1b[2Ax", "x\x1b]0;t\x07"])
def test_what_has_no_place_in_a_picture_is_refused(text: str) -> None:
    """Rather than painted in another way than the terminal did."""
    with pytest.raises(ValueError, match=r"no place in a picture|no colour"):
        cells([text])


def test_a_bar_is_as_long_as_its_blocks() -> None:
    """Eighths of a cell count; the rest of the way is fainter."""
    root = ElementTree.fromstring(svg(["\x1b[36m█▌░░\x1b[0m  <50 %>"], "dark", "a", "b"))
    _page, done, rest = root.iter(f"{SVG}rect")
    assert float(done.attrib["width"]) == pytest.approx(1.5 * CELL)
    assert float(rest.attrib["x"]) == pytest.approx(MARGIN + 2 * CELL)
    assert float(rest.attrib["width"]) == pytest.approx(2 * CELL)
    assert float(rest.attrib["fill-opacity"]) < 1
    (text,) = root.iter(f"{SVG}text")
    assert text.text == "<50 %>"
    assert float(text.attrib["x"]) == pytest.approx(MARGIN + 6 * CELL)


def test_the_page_is_as_wide_as_the_terminal() -> None:
    """One column of pictures."""
    assert size(PICTURES / "terminal-light.svg")[0] == WIDTH
