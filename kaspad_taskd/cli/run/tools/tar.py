"""GNU tar 1.34 and 1.35: `--checkpoint`, which counts records; there is no total.

Measured with 1.34 on Debian 12 and 1.35 on 13; exit codes: tar's manual, "Exit status".
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import MOST, ROW, Known, Steady
from kaspad_taskd.cli.run.tools.options import exactly, has, value
from kaspad_taskd.cli.run.tools.tool import (
    COMPLETE,
    FAILED,
    PARTLY,
    WARNING,
    Ending,
    Reading,
)

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.tools.tool import Reader

_CHECKPOINT = re.compile(r"[^:\s]*tar: [^:\d]{3,40} (\d{1,15})\s*", re.ASCII)
_TOTALS = re.compile(
    r"(?:^|\D)(\d{1,18}) \(\d[\d.,]*[KMGTPE]?i?B?, (?:\d[\d.,]*[KMGTPE]?i?B?|\?)/s\)"
)
_LEFT_OUT = "Exiting with failure status due to previous errors"
_BLOCK, _FACTOR, _EVERY = 512, 20, 10
_LONG = "--checkpoint"


class _Reader(Steady):
    """Attributes: `left_out`: it says that there were errors, and it had gone on."""

    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self._record = record(argv)
        self._every = every(argv)
        self.left_out = False

    def parse(self, stream: int, piece: str) -> Reading | None:
        self.left_out = self.left_out or piece.endswith(_LEFT_OUT)
        if self._every is None:
            return None
        if set(piece.strip()) == {"."}:
            return Reading(len(piece.strip()) * self._every * self._record)
        if len(piece) > ROW:
            return None
        if totals := _TOTALS.findall(piece):
            return Reading(float(totals[-1]))
        found = _CHECKPOINT.fullmatch(piece) if self.whole else None
        return Reading(int(found[1]) * self._record) if found else None


def every(argv: Sequence[str]) -> int | None:
    """Return how many records lie between two checkpoints, or None: there are none."""
    if not has(argv, _LONG):
        return None
    given = next((word.partition("=")[2] for word in argv if word.startswith(f"{_LONG}=")), "")
    found = given.lstrip(".")
    return (
        int(found) or _EVERY if found.isascii() and found.isdigit() and len(found) < 16 else _EVERY
    )


def record(argv: Sequence[str]) -> float:
    """Return the bytes of a record."""
    factor = value(argv, "-b", "--blocking-factor") or ""
    if factor.isascii() and factor.isdigit() and int(factor[:15]) > 0:
        return float(int(factor[:15]) * _BLOCK)
    size = exactly(value(argv, "--record-size"))
    return size if size and size <= MOST else float(_BLOCK * _FACTOR)


class _Tar(Known):
    name = "tar"
    programs = ("tar",)
    versions = ("1.34", "1.35")
    reads = _Reader

    def ending(self, code: int, reader: Reader, argv: Sequence[str]) -> Ending:
        """1: files changed while they were read. 2: an error, after which it may have gone on."""
        if code == 0:
            return Ending(COMPLETE)
        if code == 1:
            return Ending(WARNING, "run.end.changed")
        rerun = "run.rerun.unpacked" if _unpacks(argv) else "run.rerun.part"
        if code == 2 and getattr(reader, "left_out", False):
            return Ending(PARTLY, "run.end.left-out")
        return Ending(FAILED, None, rerun)

    def offer(self, argv: Sequence[str]) -> str | None:
        """A line every 1,000 records: 10 MB where they are of the usual size."""
        return None if has(argv, _LONG) else "--checkpoint=1000"


def _unpacks(argv: Sequence[str]) -> bool:
    """Also `tar xf FILE`, without a dash."""
    first = argv[1] if len(argv) > 1 and not argv[1].startswith("-") else ""
    return has(argv, "-x", "--extract", "--get") or "x" in first


TOOL = _Tar()
