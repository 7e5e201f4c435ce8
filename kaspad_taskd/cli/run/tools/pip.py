"""pip: `--progress-bar raw` (24.1 and later); on a terminal its bar.

Measured with 26.3 and 25.1.1 (Debian 13), and with 23.2.1, which refuses `raw` with exit code 2. It
counts the bytes of each file; how many files there will be nobody knows before.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import Known, Rows
from kaspad_taskd.cli.run.tools.options import bounds, has, value, verb
from kaspad_taskd.cli.run.tools.tool import Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

_RAW = re.compile(r"Progress (\d{1,18}) of (\d{1,18})")
_FILE = re.compile(r"\s*Downloading \S{1,500}(?: \([\d.]+ [kMG]?B\))?(?: .*)?")
_BAR = re.compile(
    r"\W*(\d{1,6}\.\d)/(\d{1,6}\.\d) ([kMGT]?B) (?:\d{1,6}\.\d [kMGT]?B/s|\?) eta \S+\s*"
)
_PHASE = re.compile(
    r"\s*(Building wheels? for|Installing collected packages|Installing build dependencies"
    r"|Preparing metadata|Getting requirements to build wheel)\b.*"
)
_DOWNLOADS = frozenset(("install", "download", "wheel"))


class _Reader(Rows):
    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self._file = "downloading"
        self._files = 0

    def parse(self, stream: int, piece: str) -> Reading | None:
        if row := _RAW.fullmatch(piece) if self.whole else None:
            return Reading(int(row[1]), int(row[2]) or None, "bytes", self._file, after=self._files)
        if bar := _BAR.fullmatch(piece):
            return self._of(bounds(bar[1], bar[3], 1000), bounds(bar[2], bar[3], 1000))
        if not self.whole:
            return None
        if _FILE.fullmatch(piece):
            self._files += 1
            self._file = f"downloading file {self._files}"
            return Reading(phase=self._file, after=self._files)
        phase = _PHASE.fullmatch(piece)
        return Reading(phase=phase[1].lower().removesuffix(" for")) if phase else None

    def _of(
        self, done: tuple[float, float] | None, total: tuple[float, float] | None
    ) -> Reading | None:
        if done is None or total is None:
            return None
        return Reading(done[0], total[1], "bytes", self._file, after=self._files)


class _Pip(Known):
    name = "pip"
    programs = ("pip", "pip3")
    versions = ("26.3", "25.1.1", "23.2.1")
    reads = _Reader

    def offer(self, argv: Sequence[str]) -> str | None:
        """An older one would refuse it."""
        told = value(argv, "--progress-bar") or has(argv, "-q", "--quiet")
        if told or verb(argv, _DOWNLOADS) is None:
            return None
        return "--progress-bar raw (pip 24.1 or newer)"


TOOL = _Pip()
