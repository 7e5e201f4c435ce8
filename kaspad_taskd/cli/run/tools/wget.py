"""wget 1.21 to 1.25: its rows of dots, and its bar. wget2 tells nothing before its end.

Measured with 1.21.3 (and wget2 1.99.1) on Debian 12, 1.25.0 (and 2.2.0) on 13; exit codes:
wget(1). A row of dots grows dot by dot, so what is done is what its first column says. wget2 ends
with 0 when it is stopped by SIGINT: that it was stopped is for who has sent it to remember.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import Known, Rows, Steady, number
from kaspad_taskd.cli.run.tools.options import has
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, PARTLY, Ending, Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.tools.tool import Reader

_DOTS = re.compile(r"\s*(\d+)K(?: [ .,]*(?:(\d{1,3})% .*|\d.*)?)?", re.ASCII)
_BAR = re.compile(r".*?\s+(\d{1,3})%\[[=+> ]*\]\s+\d[\d.,]*[KMGT]?(?:\s.*)?", re.ASCII)
_ADDRESS = re.compile(r"--\d{4}-\d\d-\d\d \d\d:\d\d:\d\d--\s+\S.*", re.ASCII)
_LENGTH = re.compile(r"\w[\w ]{1,20}: (\d+)(?: \(\d[\d.,]*[KMGT]?\).*| \[.*)")
_SAVED = re.compile(r".*\[(\d+)(?:/\d+)?\](?: -> .*)?")


class _Reader(Rows):
    """Attributes: `saved`: files that were fetched whole."""

    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self._after = 0  # files before this one
        self._total: float | None = None
        self._last = 0.0
        self._seen = self._by_percent = False
        self.saved = 0

    def parse(self, stream: int, piece: str) -> Reading | None:
        if row := _DOTS.fullmatch(piece):
            return self._of_dots(float(row[1][:15]) * 1024, row[2])
        if row := _BAR.fullmatch(piece):
            return self._of_bar(min(100, int(row[1])))
        if not self.whole:
            return None
        if _ADDRESS.fullmatch(piece):
            self._begin()
        elif found := _LENGTH.fullmatch(piece):
            self._total = number(found[1])
        elif self._seen and _SAVED.fullmatch(piece):
            self.saved += 1
            self._begin()
        return None

    def _begin(self) -> None:
        self._after += self._seen
        self._seen, self._last, self._total = False, 0.0, None
        self._by_percent = False

    def _of_dots(self, done: float, percent: str | None) -> Reading | None:
        if done < self._last:  # quiet as it is, it has said nothing of another file
            self._begin()
        self._last, self._seen = done, True
        self._by_percent = self._by_percent or (percent is not None and self._total is None)
        if self._by_percent:  # told to be quiet it does not say how long a file is
            return self._of_share(int(percent)) if percent else None
        total = self._total if self._total and self._total >= done else None
        return Reading(done, total, phase=self._name(), after=self._after)

    def _of_bar(self, percent: int) -> Reading:
        if percent < self._last:
            self._begin()
        self._last, self._seen = percent, True
        if self._total:
            done = percent * self._total / 100
            return Reading(done, self._total, phase=self._name(), after=self._after)
        return self._of_share(percent)

    def _of_share(self, percent: int) -> Reading:
        return Reading(min(100, percent), 100, "percent", self._name(), after=self._after)

    def _name(self) -> str:
        return f"file {self._after + 1}"


class _Wget(Known):
    name = "wget"
    programs = ("wget", "wget2")
    versions = ("1.21.3", "1.25.0")

    def reader(self, argv: Sequence[str]) -> Steady:
        """Return a new reader."""
        return Steady() if _is_two(argv) else _Reader(argv)

    def ending(self, code: int, reader: Reader, argv: Sequence[str]) -> Ending:
        """Some of several files have failed where others were saved."""
        if code == 0:
            return Ending(COMPLETE)
        rerun = "run.rerun.truncated-wget"
        if has(argv, "-c", "--continue"):
            rerun = "run.rerun.continues"
        if code > 0 and getattr(reader, "saved", False):
            return Ending(PARTLY, "run.end.some-failed", rerun)
        return Ending(FAILED, None, rerun)

    def offer(self, argv: Sequence[str]) -> str | None:
        """Quiet ones may show how far they are all the same."""
        quiet = has(argv, "-q", "--quiet", "--no-verbose") or "-nv" in argv
        if _is_two(argv) or not quiet or has(argv, "--show-progress"):
            return None
        return "--show-progress --progress=dot:mega"


def _is_two(argv: Sequence[str]) -> bool:
    return bool(argv) and argv[0].rpartition("/")[2] == "wget2"


TOOL = _Wget()
