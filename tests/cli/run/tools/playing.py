"""What the tests of single tools have in common: recordings played, and real runs."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cli.run.corpus import Moment, Recording, holds, load, never_ahead, recordings
from tests.cli.run.record import record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kaspad_taskd.cli.run.tools.tool import Ending, Tool

MIB = 1 << 20


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
