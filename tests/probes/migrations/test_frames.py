"""What can be a PostgreSQL server's messages, and what cannot."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kaspad_taskd.probes.migrations.frames import KINDS, LONGEST, Frames

MESSAGES = st.lists(
    st.builds(
        lambda kind, body: bytes([kind]) + (len(body) + 4).to_bytes(4) + body,
        st.sampled_from(sorted(KINDS)),
        st.binary(max_size=30),
    ),
    max_size=6,
).map(b"".join)
CUTS = st.lists(st.integers(0, 300), max_size=6)
WRONG = (b"\n", b"R\0\0\0\3", b"Z\xff\xff\xff\xff", b"D" + (LONGEST + 1).to_bytes(4))


def parts(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    """The same bytes, as they may come."""
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[begin:end] for begin, end in pairwise(places)]


@given(data=MESSAGES, cuts=CUTS)
@example(data=b"D" + LONGEST.to_bytes(4) + b"x" * (LONGEST - 4) + b"Z\0\0\0\5I", cuts=[3])
def test_messages_are_sound_however_they_come(data: bytes, cuts: list[int]) -> None:
    """In one piece or in many, and the last one may be on its way."""
    frames = Frames()
    assert all(frames.sound(part) for part in parts(data, cuts))
    assert frames.sound(b"")


@pytest.mark.parametrize("wrong", WRONG)
@given(data=MESSAGES, cuts=CUTS, more=MESSAGES)
def test_what_is_no_message_is_found_and_not_forgotten(
    wrong: bytes, data: bytes, cuts: list[int], more: bytes
) -> None:
    """A type that none has, a length below its own or beyond all reason; behind any messages."""
    frames = Frames()
    said = [frames.sound(part) for part in parts(data + wrong, cuts)]
    assert not said[-1]
    assert not frames.sound(more)
