"""ffmpeg: `-progress pipe:1`, or the row that it draws on standard error.

Measured with 5.1.9 on Debian 12 and 7.1.5 on 13. There is no total: of what it makes nobody knows
the length before. `out_time_ms` are microseconds, as `out_time_us` are; `progress=end` comes also
when a signal stopped it; `kB` of its row are 1024 bytes.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import MOST, Known, Rows
from kaspad_taskd.cli.run.tools.options import value
from kaspad_taskd.cli.run.tools.tool import Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.tools.tool import Reader

_PAIR = re.compile(r"(out_time_us|frame|total_size|speed)= *(\S{1,20})")
_ROW = re.compile(
    r"(?:frame= *\d+ .*)?size= *(?:\d+ *[kK]?i?B|N/A) time=(\d{1,6}):(\d\d):(\d\d\.\d\d) bitrate=.*"
)
_STOPPED = 255
_QUIET = frozenset(("quiet", "panic", "fatal", "error", "warning", "-8", "0", "8", "16", "24"))


class _Reader(Rows):
    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self._facts: dict[str, str | float] = {}

    def parse(self, stream: int, piece: str) -> Reading | None:
        if row := _ROW.fullmatch(piece):
            seconds = 3600 * int(row[1]) + 60 * int(row[2]) + float(row[3])
            return Reading(seconds, None, "seconds")
        pair = _PAIR.fullmatch(piece)
        if pair is None or not self.whole:
            return None
        if pair[1] == "out_time_us":
            return self._at(pair[2])
        self._keep(pair[1], pair[2])
        return None

    def _keep(self, key: str, text: str) -> None:
        if key == "speed":
            self._facts[key] = text
        elif text.isascii() and text.isdigit() and int(text) <= MOST:
            self._facts[key.replace("total_size", "bytes")] = int(text)

    def _at(self, text: str) -> Reading | None:
        """N/A, and less than nothing, until it knows."""
        if not (text.isascii() and text.isdigit()):
            return None
        return Reading(int(text) / 1_000_000, None, "seconds", facts=dict(self._facts))


class _Ffmpeg(Known):
    name = "ffmpeg"
    programs = ("ffmpeg",)
    versions = ("5.1.9", "7.1.5")
    reads = _Reader

    def rerun(self, code: int, reader: Reader, argv: Sequence[str]) -> str | None:
        """255: a signal; what it has made by then is whole in itself, but shorter."""
        return "run.rerun.shorter" if code == _STOPPED else "run.rerun.part"

    def offer(self, argv: Sequence[str]) -> str | None:
        """Unless it is told to be quiet it draws its row on a pipe, too."""
        quiet = "-nostats" in argv or (value(argv, "-v", "-loglevel") or "") in _QUIET
        return "-progress pipe:2" if quiet and "-progress" not in argv else None


TOOL = _Ffmpeg()
