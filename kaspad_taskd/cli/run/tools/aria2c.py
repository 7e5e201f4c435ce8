"""aria2 1.36 and 1.37: the readout, and the summary of `--summary-interval`.

Measured with 1.36.0 on Debian 12 and 1.37.0 on 13; exit codes: aria2c(1). Its figures are
rounded, its percentage is not; the last is 83 to 98 %, never 100. On a pipe all of it comes at
the end unless there is a summary. Of several downloads only those that run now are shown: what
they have in all is not known.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import Known, Rows
from kaspad_taskd.cli.run.tools.options import bounds, has, value
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, PARTLY, Ending, Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.tools.tool import Reader

_SIZE = r"(\d+(?:\.\d+)?)([KMGTPE]?i?B)"
_ONE = re.compile(rf"\[#([0-9a-f]{{6}}) {_SIZE}/{_SIZE}(?:\((\d{{1,3}})%\))?[ \]]")
_ITEMS = re.compile(r".*\bDownloading (\d{1,9}) item\(s\)")
_SEVERAL = re.compile(r"\[DL:[^\]]*\]\[#.*")
_COMPLETE = "Download complete: "
_MANY = 1000  # downloads that are told apart
_AFRESH = (3, 4, 13, 16, 17, 18, 23, 24, 26, 27, 28, 32)
"""Exit codes after which nothing is there to be continued."""


class _Reader(Rows):
    """Attributes: `complete`: downloads that are."""

    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self._each: dict[str, float] = {}
        self._several = False
        self.complete = 0

    def parse(self, stream: int, piece: str) -> Reading | None:
        if _COMPLETE in piece:
            self.complete += self.whole
            return None
        if items := _ITEMS.fullmatch(piece):
            self._several = self._several or int(items[1]) > 1
        rows = _ONE.findall(piece) if "[#" in piece else ()
        if not rows or not piece.rstrip().endswith("]"):
            return None
        for gid, amount, unit, *_ in rows:
            done = bounds(amount, unit)
            if done and (gid in self._each or len(self._each) < _MANY):
                self._each[gid] = max(self._each.get(gid, 0.0), done[0])
        self._several = self._several or len(self._each) > 1
        if self._several or _SEVERAL.fullmatch(piece):
            return Reading(sum(self._each.values()), phase="downloads")
        return self._of_one(*rows[0])

    def _of_one(
        self, gid: str, amount: str, unit: str, of: str, of_unit: str, share: str
    ) -> Reading:
        total = bounds(of, of_unit)
        if not share or not total or not total[0]:
            return Reading(self._each.get(gid, 0.0))
        return Reading(min(int(share), 100) * total[0] / 100, total[0])


class _Aria2c(Known):
    name = "aria2c"
    programs = ("aria2c",)
    versions = ("1.36.0", "1.37.0")
    reads = _Reader

    def ending(self, code: int, reader: Reader, argv: Sequence[str]) -> Ending:
        """7: stopped before the end. Where others are complete it is done in part."""
        if code == 0:
            return Ending(COMPLETE)
        rerun = None if code in _AFRESH else "run.rerun.continues-aria2"
        if code > 0 and getattr(reader, "complete", False):
            return Ending(PARTLY, "run.end.some-failed", rerun)
        return Ending(FAILED, None, rerun)

    def offer(self, argv: Sequence[str]) -> str | None:
        """A summary is written at once, the readout only when the buffer is full."""
        quiet = has(argv, "-q", "--quiet") or value(argv, "--summary-interval") not in (None, "0")
        return None if quiet else "--summary-interval=1"


TOOL = _Aria2c()
