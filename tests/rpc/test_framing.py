"""Framing: the same bytes give the same lines, however they are cut."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.rpc.framing import LIMIT, Framer

SMALL = 8

streams = st.lists(
    st.sampled_from(
        [b"\n", b"\r\n", b"a", b"{}", b" ", b"\x00", b"\xff\xfe", b"1234567", b"x" * 20]
    )
    | st.binary(max_size=12)
).map(b"".join)


def _expected(stream: bytes) -> list[bytes | None]:
    """State the rule the simplest way: over the whole stream, ended by a newline."""
    lines = [None if len(line) > SMALL else line for line in stream.split(b"\n")]
    return [line for line in lines if line is None or line.strip()]


def _cut(stream: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


@given(streams, st.lists(st.integers(min_value=0), max_size=10))
def test_any_cutting_gives_the_same_lines(stream: bytes, cuts: list[int]) -> None:
    """Lines, skipped empty ones and refused long ones do not depend on the chunks."""
    framer = Framer(SMALL)
    lines = [line for chunk in _cut(stream, cuts) for line in framer.feed(chunk)] + framer.end()
    assert lines == _expected(stream)


@given(streams)
def test_byte_by_byte_is_no_exception(stream: bytes) -> None:
    """The worst cutting of all gives the same lines too."""
    framer = Framer(SMALL)
    lines = [line for at in range(len(stream)) for line in framer.feed(stream[at : at + 1])]
    assert lines + framer.end() == _expected(stream)


@given(st.lists(st.binary(max_size=30), max_size=30))
def test_no_more_than_the_limit_is_kept(chunks: list[bytes]) -> None:
    """Between two calls a framer holds at most one line's worth of bytes."""
    framer = Framer(SMALL)
    for chunk in chunks:
        framer.feed(chunk)
        assert len(framer._rest) <= SMALL


def test_a_line_of_exactly_one_mebibyte_passes() -> None:
    """The limit itself is allowed, one byte more is refused as soon as it arrives."""
    framer = Framer()
    assert framer.feed(b"x" * LIMIT + b"\n") == [b"x" * LIMIT]
    assert framer.feed(b"x" * LIMIT) == []
    assert framer.feed(b"x") == [None]
    assert framer.feed(b"x" * LIMIT) == []
    assert framer.feed(b"\nnext\n") == [b"next"]


def test_an_ended_stream_gives_up_its_last_line() -> None:
    """A request whose newline is missing is still one, once nothing can follow."""
    framer = Framer()
    assert framer.feed(b'{"a":') == []
    assert framer.feed(b"1}") == []
    assert framer.end() == [b'{"a":1}']
    assert framer.end() == []
