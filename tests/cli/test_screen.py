"""Where the client writes: width, characters, colours, and nothing else."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.cli.screen import Screen, clip, utf8_locale, wrap
from kaspad_taskd.words.plain import width


@pytest.mark.parametrize(
    ("env", "utf8"),
    [
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LANG": "de_DE.utf8"}, True),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, False),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
        ({"LC_CTYPE": "C.UTF-8"}, False),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, False),
        ({"LANG": "C.UTF-8"}, True),
        ({}, False),
    ],
)
def test_the_locale_decides_on_characters(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str], utf8: bool
) -> None:
    """UTF-8 where the user's locale says so; Python's own coercion of C does not count."""
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert utf8_locale() is utf8


def test_colors_only_where_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """None in a pipe, none with NO_COLOR or a dumb terminal; always means always."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert Screen(Terminal()).color
    assert not Screen(io.StringIO()).color
    assert Screen(io.StringIO(), "always").color
    assert not Screen(Terminal(), "never").color
    monkeypatch.setenv("TERM", "dumb")
    assert not Screen(Terminal()).color
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Screen(Terminal()).color
    assert Screen(Terminal(), "always").color


def test_ascii_keeps_the_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A character beyond ASCII becomes as many marks as it had cells."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    screen = Screen(io.StringIO(), ascii_only=True)
    assert screen.text([("▸ 漢é▉…", "moving")]) == "> ???.~"


@given(st.text(max_size=200), st.integers(1, 100))
def test_wrapped_text_fits_but_for_long_words(text: str, cells: int) -> None:
    """Lines are as long as they may be; only a single word may be longer; no word is lost."""
    lines = wrap(text, cells)
    assert all(width(line) <= cells or " " not in line.strip() for line in lines)
    assert " ".join(" ".join(lines).split()) == " ".join(wrap(text, 10_000)[0].split())


@given(st.lists(st.tuples(st.text(max_size=30), st.just("")), max_size=5), st.integers(0, 60))
def test_a_clipped_line_fits(line: list[tuple[str, str]], cells: int) -> None:
    """However many pieces, a line is cut at its width."""
    assert sum(width(text) for text, _style in clip(line, cells)) <= cells
