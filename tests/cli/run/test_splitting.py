"""Bytes in any chunks become the same pieces of text."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.cli.run.splitting import LONGEST, Splitter


def pieces(*chunks: bytes, lines: bool = False) -> list[str]:
    splitter = Splitter(lines)
    found = [piece for chunk in chunks for piece in splitter.feed(chunk)]
    last = splitter.end()
    return found if last is None else [*found, last]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\r 10%\r 20%\n", [" 10%", " 20%"]),  # CR in front: dd, rsync
        (b"10%   \r20%   \r", ["10%   ", "20%   "]),  # and behind: git, borg
        (b"\b\b\b\b    \b\b\b\b  9% 1\b\b\b\b\b\b", ["  9% 1"]),  # 7z
        (b"--\b\bX", ["--", "X"]),  # resize2fs
        (b"one\r\ntwo\r\r\n\n three", ["one", "two", " three"]),
        (b"\x1b[1;32mgreen\x1b[0m x\x1b[K\n", ["green x"]),
        (b"\x1b]0;a title\x07text\x1b]8;;http://x\x1b\\link\n", ["textlink"]),
        (b"first\x1b[Asecond\x1b[2;1Hthird\x1b8fourth", ["first", "second", "third", "fourth"]),
        (b"\x01/dev: |==  |  2.9%   \r\x02", ["/dev: |==  |  2.9%   "]),  # e2fsck -C 0
        ("«é» …\n".encode(), ["«é» …"]),
        (b"not \xff utf\n", ["not � utf"]),
        (b"\x1b\x1b[1mx\n", ["x"]),
        (b"  \n\t\r", []),
        (b"", []),
    ],
)
def test_what_ends_a_piece(data: bytes, expected: list[str]) -> None:
    """Whole, and byte by byte."""
    assert pieces(data) == expected
    assert pieces(*(data[at : at + 1] for at in range(len(data)))) == expected


def test_lines_are_counted_as_they_are() -> None:
    """Blank ones are some, and what is drawn over is none of its own."""
    assert pieces(b"a\r\n\n10%\r20%\nc", lines=True) == ["a", "", "10%20%", "c"]


def test_what_is_pending_is_told_once_and_grows() -> None:
    """Half a character is kept back; the whole piece comes in the end."""
    splitter = Splitter()
    assert splitter.pending() is None
    assert splitter.feed(b"\rX") == []
    assert splitter.pending() == "X"
    assert splitter.pending() is None
    assert splitter.feed(b"X\xc3") == []
    assert splitter.pending() == "XX"
    assert splitter.feed(b"\xa9\r") == ["XXé"]
    assert splitter.pending() is None
    assert splitter.end() is None


def test_a_gap_ends_what_was_begun() -> None:
    """No piece is made of two ends."""
    splitter = Splitter()
    splitter.feed(b"1,234,\x1b[3")
    splitter.skip()
    assert splitter.feed(b"567 12%\n") == ["567 12%"]


def test_pieces_are_bounded() -> None:
    """However they come; and what is plainly no text is left out."""
    assert pieces(b"x" * 200_000 + b"\ny") == ["x" * LONGEST, "y"]
    assert pieces(*[b"x" * 1000] * 200, b"\ny") == ["x" * LONGEST, "y"]
    assert pieces(b"\x1b]" + b"x" * 10_000, b"\nz")[-1] == "z"
    assert pieces(b"begun", bytes(5000), b"5%\n") == ["5%"]


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=8), st.booleans())
def test_chunks_make_no_difference(data: bytes, cuts: list[int], lines: bool) -> None:
    """Any bytes, cut anywhere, also within an escape sequence or a character."""
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    chunks = [data[one:other] for one, other in itertools.pairwise(places)]
    assert pieces(*chunks, lines=lines) == pieces(data, lines=lines)


@given(
    st.lists(
        st.sampled_from(
            [b"\x1b", b"[", b"]", b"1m", b"\x07", b"\\", b"7", b"A", b"x", b"\r", b"\b"]
        ),
        max_size=20,
    )
)
def test_escapes_in_any_chunks(parts: list[bytes]) -> None:
    """And no ESC is left."""
    assert pieces(*parts) == pieces(b"".join(parts))
    assert not any("\x1b" in piece for piece in pieces(*parts))
