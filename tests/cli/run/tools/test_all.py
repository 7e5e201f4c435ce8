"""What is so of every tool that there is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaspad_taskd.cli.run import tools
from kaspad_taskd.cli.run.recognise import TOOLS, all_tools, recognise
from kaspad_taskd.cli.run.splitting import LONGEST, Splitter
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, PARTLY, WARNING
from kaspad_taskd.words.table import entry
from tests.cli.run.corpus import DATA, Moment, holds, load, recordings

FOLDER = Path(tools.__path__[0])
COMMON = {"__init__", "common", "general", "options", "tool"}
FILES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in COMMON)
EVERY = all_tools()
OURS = [
    *recordings("pg"), *recordings("e2fsck"), *recordings("resize2fs"), *recordings("git"),
    *recordings("apt"), *recordings("cryptsetup-json"), *recordings("pip"), *recordings("ffmpeg"),
    *recordings("ddrescue"),
]  # fmt: skip
"""Recordings of tools that are read row by row alone."""
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


def argv_of(tool: object) -> list[str]:
    """A command line of it that has progress."""
    name: str = tool.name  # type: ignore[attr-defined]
    return [name, *VERBS.get(name, [])]


def test_the_registry_is_what_there_is() -> None:
    """A file a tool, and its programs are those by which it is recognised."""
    assert sorted(TOOLS) == FILES
    for file, programs in TOOLS.items():
        for program in programs:
            found = recognise([program])
            assert found is not None, program
            assert sorted(found[0].programs) == sorted(programs), file


@pytest.mark.parametrize("tool", EVERY, ids=lambda tool: str(tool.name))
def test_each_can_be_listed(tool: object) -> None:
    """What it tells, where its numbers are from, and of which versions that is so."""
    name: str = tool.name  # type: ignore[attr-defined]
    for what in ("tells", "source"):
        assert isinstance(entry(f"run.tool.{name}.{what}"), str), (name, what)
    if tool.programs:  # type: ignore[attr-defined]
        assert tool.versions  # type: ignore[attr-defined]
        assert recordings(f"{name}-"), f"{name} has no recording"


@pytest.mark.parametrize("name", recordings())
def test_each_recording_is_small_and_of_its_tool(name: str) -> None:
    """And its ending is one of four, with sentences that there are."""
    assert (DATA / f"{name}.jsonl").stat().st_size < 30_000
    recording = load(name)
    assert recording.tool()[0].name == recording.head["tool"]
    tool = recording.tool()[0]
    assert any(str(recording.head["version"]).startswith(each) for each in tool.versions), name
    for code in (recording.code, -15, -2, 0, 1, 2, 255):
        ending = recording.ending(code)
        assert ending.outcome in (COMPLETE, WARNING, PARTLY, FAILED)
        assert (ending.outcome in (COMPLETE, WARNING)) <= (code == 0 or ending.said is not None)
        for sentence in (ending.said, ending.rerun):
            assert sentence is None or entry(sentence) is not None, sentence


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
    tool: object, chunks: list[bytes], streams: list[int], code: int
) -> None:
    """Nor makes it say 100 %, or less than before in a phase; and an end is said of any code."""
    argv = argv_of(tool)
    reader = tool.reader(argv)  # type: ignore[attr-defined]
    lines = tool.lines  # type: ignore[attr-defined]
    splitters = {stream: Splitter(lines) for stream in (1, 2)}
    moments = []
    for chunk, stream in zip(chunks, streams, strict=False):
        read = [(piece, True) for piece in splitters[stream].feed(chunk)]
        pending = splitters[stream].pending()
        read += [] if pending is None else [(pending, False)]
        for piece, whole in read:
            found = reader.read(stream, piece, whole)
            moments += [] if found is None else [Moment(0, found, None)]
    holds(moments)
    ending = tool.ending(code, reader, argv)  # type: ignore[attr-defined]
    assert ending.outcome != COMPLETE or code == 0


@pytest.mark.parametrize("tool", EVERY, ids=lambda tool: str(tool.name))
@settings(max_examples=30)
@given(
    arguments=st.lists(
        st.one_of(
            st.text(max_size=8),
            st.sampled_from(
                ["-C", "-j", "9" * 40, "--", "-", "-C0", "--json", "-P", "-o", "install"]
            ),
        ),
        max_size=6,
    )
)
def test_any_command_line_is_taken(tool: object, arguments: list[str]) -> None:
    """Whatever stands in it: what is offered and asked for is a text or nothing."""
    argv = [tool.name, *arguments]  # type: ignore[attr-defined]
    tool.reader(argv)  # type: ignore[attr-defined]
    assert isinstance(tool.offer(argv), str | None)  # type: ignore[attr-defined]
    assert tool.asking(argv) in (None, "SIGUSR1")  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted({recording.partition("-")[0] for recording in OURS}))
def test_a_long_piece_is_no_row(name: str) -> None:
    """It is not looked at as often as it is long, which would take minutes."""
    reads = [each.data for each in load(next(r for r in OURS if r.startswith(name))).reads]
    tool, argv = load(next(r for r in OURS if r.startswith(name))).tool()
    units = [piece for data in reads[:20] for piece in Splitter().feed(data + b"\n")]
    for unit in [*units, " ", "1", "1 ", "a: ", ": |", "=", "frame=1 ", "Get:1 "]:
        reader = tool.reader(argv)
        assert reader.read(1, (unit * LONGEST)[:LONGEST]) is None
        assert reader.read(1, (unit + " " * LONGEST)[:LONGEST]) is None
