"""Text made fit for a terminal."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.words.plain import cut, fit, safe, width

HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x1b\x00\r\n\x9b\u202e\u200b\ufe0f\u0301漢🙂…█\ud800"),
    ),
    max_size=400,
)


@given(HOSTILE)
def test_safe_text_moves_no_cursor(text: str) -> None:
    """No control, format or line character is left, whatever comes in."""
    kinds = {unicodedata.category(char) for char in safe(text)}
    assert not kinds & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert len(safe(text)) <= 300


@given(HOSTILE, st.integers(0, 60))
def test_cut_text_fits_its_cells(text: str, cells: int) -> None:
    """A text is never wider than it may be, wide characters included."""
    assert width(cut(safe(text), cells)) <= cells


@given(HOSTILE, st.integers(1, 60), st.booleans())
def test_fitted_text_fills_its_cells(text: str, cells: int, right: bool) -> None:
    """A column is exactly as wide as it says."""
    assert width(fit(safe(text), cells, right)) == cells


@given(HOSTILE)
def test_safe_is_settled(text: str) -> None:
    """Making a safe text safe again changes nothing."""
    assert safe(safe(text)) == safe(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a?[31mb"),
        ("one\ntwo\tthree", "one two three"),
        ("\u202eabc\u200b", "abc"),
        ("e\u0301\u0301\u0301\u0301", "e\u0301\u0301"),
        ("x" * 301, "x" * 299 + "…"),
        (12, "12"),
    ],
)
def test_safe_examples(text: object, shown: str) -> None:
    """Escapes become visible, lines become one, invisible characters go, length is bounded."""
    assert safe(text) == shown


WITHOUT_FILES = """
import resource
from kaspad_taskd import words
words.load()
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
print(ascii(words.safe("диск 7 полон\\x1b")))
"""


def test_no_file_is_needed_to_say_something() -> None:
    """A daemon that may open no more files says what is not English, too."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_FILES], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == (ascii("диск 7 полон?"), "")


@given(HOSTILE)
def test_text_is_safe_where_nothing_more_can_be_loaded(text: str) -> None:
    """What is not known to be harmless is a question mark."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "unicodedata", None)
        shown = safe(text)
    kinds = {unicodedata.category(char) for char in shown}
    assert not kinds & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me"}
    assert len(shown) <= 300


def test_wide_characters_take_two_cells() -> None:
    """漢字 takes four cells; a cut never leaves half of one."""
    assert width("漢字") == 4
    assert cut("漢字漢字", 4) == "漢…"
    assert fit("漢", 4) == "漢  "
