"""What the tests of single tools have in common: recordings played, real runs, and storms."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st

from kaspad_taskd.cli.run.splitting import Splitter
from tests.cli.run.corpus import Moment, Recording, holds, load, never_ahead, recordings
from tests.cli.run.record import record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kaspad_taskd.cli.run.tools.tool import Ending, Tool

MIB = 1 << 20
_ENDS = re.compile("[\r\n\b]+")


def names(*tools: str) -> list[str]:
    """The recordings of these."""
    found = [name for tool in tools for name in recordings(f"{tool}-")]
    assert found, tools
    return found


def checked(name: str) -> list[Moment]:
    """What is read of a recording: it never falls, never is 100 %, never is ahead of the truth."""
    recording = load(name)
    moments = recording.played()
    holds(moments)
    if "whole" in recording.head and any(read.truth is not None for read in recording.reads):
        compared = never_ahead(recording, moments)
        told = [each for each in moments if each.reading.percent is not None]
        assert compared == len([each for each in told if each.truth is not None])
    return moments


def percents(moments: Sequence[Moment]) -> list[float]:
    """All percentages that were said."""
    return [each.reading.percent for each in moments if each.reading.percent is not None]


def read(tool: Tool, argv: str, *pieces: str, stream: int = 2) -> list[tuple[object, ...]]:
    """Done, total and phase of what a new reader says of whole pieces."""
    reader = tool.reader(argv.split())
    found = [reader.read(stream, piece) for piece in pieces]
    return [(each.done, each.total, each.phase) for each in found if each]


def ended(tool: Tool, argv: str, code: int, *pieces: str) -> Ending:
    """What an end means after these pieces."""
    reader = tool.reader(argv.split())
    for piece in pieces:
        reader.read(2, piece)
    return tool.ending(code, reader, argv.split())


def ran(*argv: str, tool: str | None = None, size: Path | None = None) -> Recording:
    """A real run of now; the test is skipped where the program is not installed."""
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed (apt install {tool or argv[0]})")
    reads, code = record(list(argv), None if size is None else str(size))
    return Recording("now", {"argv": list(argv), "code": code}, reads)


def made(path: Path, size: int = 8 * MIB) -> Path:
    """A file that cannot be compressed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        subprocess.run(["head", "-c", str(size), "/dev/urandom"], stdout=file, check=True)
    return path


def storms(*tools: str) -> st.SearchStrategy[bytes]:
    """Any bytes, among them pieces of real output in any order, whole, cut or changed."""
    texts = [r.data.decode("utf-8", "replace") for name in names(*tools) for r in load(name).reads]
    pieces = sorted({piece for text in texts for piece in _ENDS.split(text)})
    real = st.sampled_from(pieces)
    cut = st.builds(lambda piece, at: piece[: at % (len(piece) + 1)], real, st.integers(0, 200))
    other = st.builds(lambda piece, old, new: piece.replace(old, new), real, _digit(), _digits())
    whole = st.one_of(real, cut, other, _digits()).map(
        lambda piece: piece.encode("utf-8", "replace")
    )
    ends = st.sampled_from([b"\n", b"\r", b"\b\b\b", b"\r\n", b"", b"\x1b[K", b" "])
    both = st.builds(bytes.__add__, st.one_of(whole, st.binary(max_size=40)), ends)
    return st.lists(both, max_size=40).map(b"".join)


def weathered(tool: Tool, argv: str, storm: bytes, cuts: Sequence[int]) -> None:
    """A storm crashes no reader, in whatever chunks, and none says 100 % or less than before."""
    reader = tool.reader(argv.split())
    splitters = {1: Splitter(tool.lines), 2: Splitter(tool.lines)}
    moments, at = [], 0
    for number, cut in enumerate([*cuts, len(storm)]):
        stream = 1 + number % 2
        chunk, at = storm[at : at + cut], at + cut
        pieces = [(piece, True) for piece in splitters[stream].feed(chunk)]
        if cut % 3 == 0 and (pending := splitters[stream].pending()) is not None:
            pieces.append((pending, False))
        for piece, whole in pieces:
            if (found := reader.read(stream, piece, whole)) is not None:
                moments.append(Moment(0.0, found, None))
    holds(moments)
    for code in (-15, 0, 1, 2, 255):
        tool.ending(code, reader, argv.split())


def _digit() -> st.SearchStrategy[str]:
    return st.sampled_from("0123456789%./,:() ")


def _digits() -> st.SearchStrategy[str]:
    return st.from_regex(r"[0-9]{1,4}|9{5,40}|-1|1e9|0|%|\.|", fullmatch=True)


CUTS = st.lists(st.integers(0, 60), max_size=30)
"""Where a storm is cut."""
