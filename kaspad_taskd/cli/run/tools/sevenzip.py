"""7-Zip 25 and 26 (7z, 7zz, 7za): the percentage of `-bsp1`, drawn by backspaces alone.

Measured with 26.02 on Debian 12 and 25.01 on 13; exit codes: 7-Zip's manual, "Exit codes". It is of
bytes and does not fall; the first number that it prints is no percentage ("0M Scan"). An archive
behind another begins anew.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import Known, Rows
from kaspad_taskd.cli.run.tools.options import verb
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

_ROW = re.compile(r"\s*(\d{1,3})%(?: .*)?", re.ASCII)
_PACKS, _UNPACKS = ("a", "u", "d", "rn"), ("x", "e", "t")
_VERBS = (*_PACKS, *_UNPACKS, "l", "b", "i", "h")


class _Reader(Rows):
    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self._works = verb(argv, _VERBS) in (*_PACKS, *_UNPACKS)
        self._last = self._after = 0

    def parse(self, stream: int, piece: str) -> Reading | None:
        found = _ROW.fullmatch(piece) if self._works else None
        if found is None:
            return None
        percent = min(100, int(found[1]))
        if percent < self._last:
            self._after += 1
        self._last = percent
        name = f"archive {self._after + 1}" if self._after else None
        return Reading(percent, 100, "percent", name, after=self._after)


class _SevenZip(Known):
    name = "7z"
    programs = ("7z", "7zz", "7za", "7zr")
    versions = ("25.01", "26.02")
    reads = _Reader

    def ending(self, code: int, reader: Reader, argv: Sequence[str]) -> Ending:
        """1: a warning; what could not be read was not packed. 255: it was stopped."""
        packs = verb(argv, _VERBS) in _PACKS
        if code == 0:
            return Ending(COMPLETE)
        if code == 1:
            return (
                Ending(PARTLY, "run.end.left-out") if packs else Ending(WARNING, "run.end.warnings")
            )
        return Ending(FAILED, None, "run.rerun.removed" if code == 255 else None)

    def offer(self, argv: Sequence[str]) -> str | None:
        """With -so the standard output is the data."""
        told = any(word.startswith(("-bsp", "-bd")) for word in argv[1:])
        if told or verb(argv, _VERBS) not in (*_PACKS, *_UNPACKS):
            return None
        return "-bsp2" if "-so" in argv else "-bsp1"


TOOL = _SevenZip()
