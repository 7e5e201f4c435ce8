"""GNU ddrescue: the screen that it draws, also on a pipe.

Measured with 1.27 on Debian 12 and 1.29 on 13. The percentage is of what was rescued, over all its
passes, and begins where a mapfile says that the last run ended. It ends with 0 however much could
not be read.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import Known, Rows, number
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, PARTLY, Ending, Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.tools.tool import Reader

_RESCUED = re.compile(r"pct rescued: *(\d{1,3}\.\d{2})%,.*")
_BAD = re.compile(r" *rescued: .*\bbad areas: *(\d{1,15}),.*")
_STATUS = re.compile(r"((?:Copying|Trimming|Scraping|Retrying|Filling) [^.]{1,60})\.\.\..*")
_ALL = 100.0
_FILES = 3  # input, output, mapfile


class _Reader(Rows):
    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self.rescued: float | None = None
        self.bad = 0
        self._status: str | None = None

    def parse(self, stream: int, piece: str) -> Reading | None:
        if not self.whole:
            return None
        if bad := _BAD.fullmatch(piece):
            self.bad = int(bad[1])
        elif status := _STATUS.fullmatch(piece):
            self._status = status[1].lower()
        elif row := _RESCUED.fullmatch(piece):
            self.rescued = number(row[1])
            facts: dict[str, str | float] = {"bad areas": self.bad}
            if self._status:
                facts["doing"] = self._status
            return Reading(self.rescued, _ALL, "percent", facts=facts)
        return None


class _Ddrescue(Known):
    name = "ddrescue"
    programs = ("ddrescue",)
    versions = ("1.27", "1.29")
    reads = _Reader

    def ending(self, code: int, reader: Reader, argv: Sequence[str]) -> Ending:
        """With a mapfile another run goes on where this one was."""
        has_map = sum(not word.startswith("-") for word in argv[1:]) >= _FILES
        rerun = "run.rerun.mapfile" if has_map else None
        if code != 0:
            return Ending(FAILED, None, rerun if code < 0 else None)
        rescued, bad = getattr(reader, "rescued", None), getattr(reader, "bad", 0)
        if bad or (rescued is not None and rescued < _ALL):
            return Ending(
                PARTLY, "run.end.unreadable", rerun, {"n": bad, "percent": f"{rescued:g}"}
            )
        return Ending(COMPLETE)


TOOL = _Ddrescue()
