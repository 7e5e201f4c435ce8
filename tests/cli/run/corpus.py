"""Recordings of real tools: what they wrote, read by read, and what was so at that moment.

A recording is a file of tests/data/run, one JSON value a line, made by `record.py`. First its head:

    {"tool": "git", "version": "2.39.5", "debian": "12", "argv": [...], "code": 0, "whole": 4096,
     "thinned": 300}

`code` is the exit code, or -n: signal n; `whole` is the size that the truth had at the end, where
one was measured; `thinned` says how many reads there were where not all are kept. Then the reads:

    [seconds, stream, text, truth]

`stream` is 1 or 2; text is UTF-8, other bytes as surrogates; `truth` is the size in bytes of what
the tool made by then, or is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kaspad_taskd.cli.run.recognise import recognise
from kaspad_taskd.cli.run.splitting import Splitter

if TYPE_CHECKING:
    from kaspad_taskd.cli.run.tools.tool import Ending, Reader, Reading, Tool

DATA = Path(__file__).parents[2] / "data" / "run"
SILENCE = 0.3
"""Seconds without a read after which what is pending is asked for."""


@dataclass
class Read:
    """What one read brought, `at` seconds after the start, and the truth then (bytes, or None)."""

    at: float
    stream: int
    data: bytes
    truth: float | None = None


@dataclass
class Recording:
    """One run of a tool."""

    name: str
    head: dict[str, Any]
    reads: list[Read]

    @property
    def argv(self) -> list[str]:
        """The command line."""
        argv: list[str] = self.head["argv"]
        return argv

    @property
    def code(self) -> int:
        """How it ended."""
        code: int = self.head["code"]
        return code

    def tool(self) -> tuple[Tool, list[str]]:
        """The tool that it is recognised as."""
        found = recognise(self.argv, self.head.get("as"))
        assert found is not None, f"{self.name}: nothing is recognised in {self.argv}"
        return found

    def played(self, reader: Reader | None = None) -> list[Moment]:
        """All that a reader reads of it, in order."""
        tool, argv = self.tool()
        return list(_played(self.reads, reader or tool.reader(argv), tool.lines))

    def ending(self, code: int | None = None) -> Ending:
        """What its end is said to be (`code`: had it been that one)."""
        tool, argv = self.tool()
        reader = tool.reader(argv)
        list(_played(self.reads, reader, tool.lines))
        return tool.ending(self.code if code is None else code, reader, argv)


@dataclass
class Moment:
    """One reading, and the truth at that moment (bytes, or None: not known)."""

    at: float
    reading: Reading
    truth: float | None


def load(name: str) -> Recording:
    """Return a recording by its name."""
    lines = (DATA / f"{name}.jsonl").read_text(encoding="ascii").splitlines()
    head, *reads = (json.loads(line) for line in lines)
    return Recording(name, head, [_read(*each) for each in reads])


def recordings(prefix: str = "") -> list[str]:
    """Return the names of all that begin so."""
    return sorted(path.stem for path in DATA.glob(f"{prefix}*.jsonl"))


def dump(recording: Recording) -> str:
    """Return a recording as its file has it."""
    lines: list[object] = [recording.head]
    for read in recording.reads:
        text = read.data.decode("utf-8", "surrogateescape")
        truth = [] if read.truth is None else [read.truth]
        lines.append([round(read.at, 3), read.stream, text, *truth])
    return "".join(json.dumps(line) + "\n" for line in lines)


def _read(at: float, stream: int, text: str, truth: float | None = None) -> Read:
    return Read(at, stream, text.encode("utf-8", "surrogateescape"), truth)


def _played(reads: list[Read], reader: Reader, lines: bool) -> Iterator[Moment]:
    splitters = {stream: Splitter(lines) for stream in (1, 2)}
    before = 0.0
    for read in reads:
        if read.at - before > SILENCE:
            yield from _pending(splitters, reader, before + SILENCE, read.truth)
        before = read.at
        for piece in splitters[read.stream].feed(read.data):
            if found := reader.read(read.stream, piece):
                yield Moment(read.at, found, read.truth)
    for stream, splitter in splitters.items():
        last = splitter.end()
        if last is not None and (found := reader.read(stream, last)):
            yield Moment(before, found, reads[-1].truth if reads else None)


def _pending(
    splitters: dict[int, Splitter], reader: Reader, at: float, truth: float | None
) -> Iterator[Moment]:
    for stream, splitter in splitters.items():
        piece = splitter.pending()
        if piece is not None and (found := reader.read(stream, piece, False)):
            yield Moment(at, found, truth)


def holds(moments: list[Moment]) -> None:
    """A phase's percentage never falls, and is never 100; a number is never less than before."""
    phase: tuple[object, ...] | None = None
    done = percent = 0.0
    for moment in moments:
        reading = moment.reading
        now = (reading.phase, reading.after, reading.unit)
        if now != phase:
            phase, done, percent = now, 0.0, 0.0
        if reading.done is not None:
            assert reading.done >= done, (moment, done)
            done = reading.done
        if reading.percent is not None:
            assert percent <= reading.percent < 100, (moment, percent)
            percent = reading.percent


def never_ahead(recording: Recording, moments: list[Moment], slack: float = 0.0) -> int:
    """The share said is at most the share that was there; returns how many could be compared.

    `slack` is a share: what a tool has read may not be written yet.
    """
    whole, compared = recording.head["whole"], 0
    for moment in moments:
        if moment.truth is not None and moment.reading.percent is not None:
            compared += 1
            share = 100 * moment.truth / whole
            assert moment.reading.percent <= share + 100 * slack + 1, (moment, share)
    return compared
