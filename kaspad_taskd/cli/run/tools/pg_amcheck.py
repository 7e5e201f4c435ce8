"""pg_amcheck: `--progress`.

Measured with 15.18 on Debian 12 and 17.12 on 13. It has two percentages, and both count what has
been begun: the largest tables come first, so pages say 98 % while the first of them is still read.
With one job all before the last are done when the next is begun; with more, that is so of none but
as many relations as are not under way.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import Known, Rows
from kaspad_taskd.cli.run.tools.options import has, value
from kaspad_taskd.cli.run.tools.tool import FAILED, Ending, Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence


_ROW = re.compile(
    r"\s*(\d{1,12})/(\d{1,12}) relations \(\s*\d{1,3}%\),"
    r"\s*(\d{1,15})/(\d{1,15}) pages \(\s*\d{1,3}%\)(?: .*)?"
)
_CODES = {2: Ending(FAILED, "run.end.corruption")}
"""It went through, and found what is broken."""


class _Reader(Rows):
    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        jobs = value(argv, "-j", "--jobs") or "1"
        is_number = jobs.isascii() and jobs.isdigit() and len(jobs) < 9
        self._jobs = int(jobs) if is_number else 0
        self._begun = self._before = (0, 0)  # relations, pages

    def parse(self, stream: int, piece: str) -> Reading | None:
        row = _ROW.fullmatch(piece)
        if row is None:
            return None
        relations, of_relations, pages, of_pages = (int(each) for each in row.groups())
        if relations != self._begun[0]:
            self._before, self._begun = self._begun, (relations, pages)
        facts = {"relations": f"{relations}/{of_relations}", "pages": f"{pages}/{of_pages}"}
        if self._jobs == 1:
            return Reading(self._before[1], of_pages, "pages", facts=facts)
        return Reading(max(0, relations - self._jobs), of_relations, "relations", facts=facts)


class _Amcheck(Known):
    name = "pg_amcheck"
    programs = ("pg_amcheck",)
    versions = ("15.18", "17.12")
    reads = _Reader
    codes = _CODES

    def offer(self, argv: Sequence[str]) -> str | None:
        """It is silent without."""
        return None if has(argv, "-P", "--progress") else "--progress"


TOOL = _Amcheck()
