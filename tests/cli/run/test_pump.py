"""All bytes come out as they went in, in whatever chunks, and a tap holds little."""

from __future__ import annotations

import os
import threading
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from kaspad_taskd.cli.run.descriptors import Stream
from kaspad_taskd.cli.run.pump import HELD, LAST, Pump, Tap

CHUNKS = st.lists(st.binary(min_size=1, max_size=70_000), max_size=8)


@settings(max_examples=40)
@given(CHUNKS, st.booleans())
def test_bytes_in_are_bytes_out(chunks: list[bytes], whole: bool) -> None:
    """To the last one, before the stream's end is told."""
    (source, end), (out, sink) = os.pipe(), os.pipe()
    os.set_blocking(source, False)
    pump = Pump(Stream(1, source, sink, False))
    pump.whole = whole
    came = bytearray()

    def read() -> None:
        while data := os.read(out, 65536):
            came.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    pump.start()
    for chunk in chunks:
        left = memoryview(chunk)
        while left:
            left = left[os.write(end, left) :]
    os.close(end)
    assert pump.join(60)
    assert not pump.open
    os.close(sink)
    reader.join(60)
    os.close(out)
    pump.close()
    whole_text = b"".join(chunks)
    assert bytes(came) == whole_text
    assert pump.tap.last == whole_text[-LAST:]


def test_a_flood_is_moved_by_the_kernel() -> None:
    """As a whole, though little of it is seen."""
    (source, end), (out, sink) = os.pipe(), os.pipe()
    os.set_blocking(source, False)
    pump = Pump(Stream(1, source, sink, False))
    pump.whole = False
    block, times = bytes(range(256)) * 256, 800
    seen: list[bool] = []

    def read() -> None:
        for _ in range(times):
            data = bytearray()
            while len(data) < len(block):
                data += os.read(out, len(block) - len(data))
            seen.append(bytes(data) == block)

    reader = threading.Thread(target=read)
    reader.start()
    pump.start()
    for _ in range(times):
        left = memoryview(block)
        while left:
            left = left[os.write(end, left) :]
    os.close(end)
    assert pump.join(60)
    reader.join(60)
    assert seen == [True] * times
    os.close(sink)
    os.close(out)
    pump.close()


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=40_000), st.booleans()), max_size=20))
def test_what_a_tap_holds(given_: list[tuple[bytes, bool]]) -> None:
    """A bounded part of what came, in order; that some went by is said, its lines are counted."""
    tap, taken, gone = Tap(), b"", 0
    tap.counts = True
    lines = 0
    for data, take in given_:
        lines += data.count(b"\n")
        tap.put(data)
        assert sum(len(each or b"") for each in tap.chunks) < HELD + 40_000
        while take and tap.chunks:
            found = tap.take()
            taken += found or b""
    gone = tap.lines_gone
    rest = b"".join(each or b"" for each in tap.chunks)
    assert (taken + rest).count(b"\n") + gone == lines
    assert all(not (one is None and two is None) for one, two in pairwise(tap.chunks))
