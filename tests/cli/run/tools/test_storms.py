"""What no reader may be brought to, whatever comes: a crash, a number that falls, 100 %."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaspad_taskd.cli.run.recognise import TOOLS, all_tools, recognise
from kaspad_taskd.cli.run.splitting import LONGEST, Splitter
from kaspad_taskd.cli.run.tools.tool import COMPLETE
from tests.cli.run.corpus import Moment, holds, load, recordings
from tests.cli.run.tools.playing import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kaspad_taskd.cli.run.tools.tool import Reader, Tool

LINES = {
    "7z": ("7z a -bsp1 x.7z x",),
    "aria2c": ("aria2c --summary-interval=1 http://h/x",),
    "borg": ("borg create --progress r::a x",),
    "curl": ("curl -o x http://h/x",),
    "dd": (
        "dd if=/dev/sda of=x bs=1M status=progress",
        "dd if=/dev/sda of=x bs=1M status=progress count=30",
    ),
    "pv": ("pv -n -s 40M", "pv -n", "pv -f a", "pv -nb -s 1k"),
    "rclone": ("rclone copy -v --stats 1s a b", "rclone copy -P --check-first a b"),
    "restic": ("restic -r r backup --json x", "restic check", "restic restore latest"),
    "rsync": (
        "rsync -a --info=progress2 --no-inc-recursive a b",
        "rsync -a --info=progress2 a b",
        "rsync -P a b",
    ),
    "tar": ("tar -cf x.tar --checkpoint=500 x", "tar -cf x --checkpoint=.9 x"),
    "wget": ("wget http://h/x", "wget2 http://h/x"),
    "xz": ("xz -k x",),
    "zstd": ("zstd --progress -f x -o y",),
}
"""Command lines under which a storm of a tool's own words is read."""
CUTS = st.lists(st.integers(0, 60), max_size=30)
"""Where a storm is cut."""
_ENDS = re.compile("[\r\n\b]+")


def walked(tool: Tool, argv: list[str], chunks: Iterable[tuple[int, bytes, bool]]) -> Reader:
    """A reader that has read these, in whose words nothing falls and nothing is all.

    Args:
        tool: whose reader.
        argv: its command line.
        chunks: stream, bytes, and whether what is pending then is asked for.
    """
    reader = tool.reader(argv)
    splitters = {stream: Splitter(tool.lines) for stream in (1, 2)}
    moments = []
    for stream, chunk, asks in chunks:
        pieces = [(piece, True) for piece in splitters[stream].feed(chunk)]
        if asks and (pending := splitters[stream].pending()) is not None:
            pieces.append((pending, False))
        for piece, whole in pieces:
            if (found := reader.read(stream, piece, whole)) is not None:
                moments.append(Moment(0.0, found, None))
    holds(moments)
    return reader


# -- its own words, in any order, whole, cut or changed


@cache
def storms(tool: str) -> st.SearchStrategy[bytes]:
    """Any bytes, among them pieces of real output in any order, whole, cut or changed."""
    texts = [r.data.decode("utf-8", "replace") for name in names(tool) for r in load(name).reads]
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


def _digit() -> st.SearchStrategy[str]:
    return st.sampled_from("0123456789%./,:() ")


def _digits() -> st.SearchStrategy[str]:
    return st.from_regex(r"[0-9]{1,4}|9{5,40}|-1|1e9|0|%|\.|", fullmatch=True)


def chunked(storm: bytes, cuts: Sequence[int]) -> Iterable[tuple[int, bytes, bool]]:
    """A storm in chunks, on both streams in turn; some leave off before there is more."""
    at = 0
    for number, cut in enumerate([*cuts, len(storm)]):
        yield 1 + number % 2, storm[at : at + cut], cut % 3 == 0
        at += cut


@pytest.mark.parametrize("tool", sorted(LINES))
@settings(max_examples=40)
@given(data=st.data())
def test_any_bytes(tool: str, data: st.DataObject) -> None:
    """In any chunks; and an end is said of each code."""
    storm, cuts = data.draw(storms(tool)), data.draw(CUTS)
    for line in LINES[tool]:
        found = recognise(line.split())
        assert found is not None
        reader = walked(*found, chunked(storm, cuts))
        for code in (-15, 0, 1, 2, 255):
            found[0].ending(code, reader, found[1])


# -- what other tools write


EVERY = all_tools()
VERBS = {
    "apt-get": ["install"],
    "borg": ["create"],
    "cryptsetup": ["reencrypt"],
    "e2fsck": ["-C", "1"],
    "git": ["clone"],
    "pgbench": ["-i"],
    "pip": ["install"],
    "restic": ["backup", "--json"],
}


def argv_of(tool: Tool) -> list[str]:
    """A command line of it that has progress."""
    return [tool.name, *VERBS.get(tool.name, [])]


def pieces() -> list[bytes]:
    """What real tools write, by reads, of all of them."""
    return [each.data for name in recordings() for each in load(name).reads[:40]]


STORM: st.SearchStrategy[list[bytes]] = st.lists(
    st.one_of(
        st.binary(max_size=60),
        st.sampled_from(pieces()),
        st.builds(
            lambda data, at, other: data[: at % (len(data) + 1)] + other,
            st.sampled_from(pieces()),
            st.integers(0, 300),
            st.sampled_from([b"", b"\r", b"\n", b"9" * 30, b"-1", b"100%", b"\b\b"]),
        ),
    ),
    max_size=30,
)
"""Chunks of anything: bytes, what tools really write, and halves of it."""


@pytest.mark.parametrize("tool", EVERY, ids=lambda tool: str(tool.name))
@settings(max_examples=30)
@given(chunks=STORM, streams=st.lists(st.sampled_from([1, 2]), min_size=30, max_size=30),
       code=st.integers(-64, 255))  # fmt: skip
def test_nothing_crashes_a_reader(
    tool: Tool, chunks: list[bytes], streams: list[int], code: int
) -> None:
    """Nor makes it say 100 %, or less than before in a phase; and an end is said of any code."""
    argv = argv_of(tool)
    fed = zip(streams, chunks, [True] * len(chunks), strict=False)
    ending = tool.ending(code, walked(tool, argv, fed), argv)
    assert ending.outcome != COMPLETE or code == 0


# -- a piece as long as the splitter lets it be


OURS = [
    *recordings("pg"), *recordings("e2fsck"), *recordings("resize2fs"), *recordings("git"),
    *recordings("apt"), *recordings("cryptsetup-json"), *recordings("pip"), *recordings("ffmpeg"),
    *recordings("ddrescue"),
]  # fmt: skip
"""Recordings of tools that are read row by row alone."""
PROGRAMS = [programs[0] for file, programs in TOOLS.items() if file in (
    "rsync", "restic", "borg", "rclone", "curl", "wget", "aria2c", "dd", "pv", "zstd", "xz",
    "sevenzip", "tar",
)]  # fmt: skip
UNITS = [" ", "1", "1 ", "a: ", "1 MiB / ", "[=", "ETA 1s", "tar: a", "(1/1) ", "1%", "#"]


def is_no_row(tool: Tool, argv: list[str], stream: int, units: Iterable[str]) -> None:
    """It is not looked at as often as it is long, which would take minutes."""
    reader = tool.reader(argv)
    for unit in units:
        assert reader.read(stream, (unit * LONGEST)[:LONGEST]) is None
        assert reader.read(stream, (unit + " " * LONGEST)[:LONGEST]) is None


@pytest.mark.parametrize("name", sorted({recording.partition("-")[0] for recording in OURS}))
def test_a_long_piece_of_its_own_is_no_row(name: str) -> None:
    """What it writes itself, again and again."""
    recording = load(next(each for each in OURS if each.startswith(name)))
    tool, argv = recording.tool()
    units = [piece for each in recording.reads[:20] for piece in Splitter().feed(each.data + b"\n")]
    for unit in [*units, " ", "1", "1 ", "a: ", ": |", "=", "frame=1 ", "Get:1 "]:
        is_no_row(tool, argv, 1, [unit])


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_long_piece_is_no_row(program: str) -> None:
    """What begins as rows of tools do."""
    for argv in ([program, "a", "-f"], [program, "backup", "--checkpoint=1", "-n", "-s", "5"]):
        found = recognise(argv)
        assert found is not None
        is_no_row(found[0], argv, 2, UNITS)
