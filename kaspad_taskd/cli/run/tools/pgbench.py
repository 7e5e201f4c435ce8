"""pgbench: `-i`, which fills a database.

Measured with 15.18 on Debian 12 and 17.12 on 13. Its 100 % is of the rows alone, at two thirds of
the time: VACUUM and the keys follow, without numbers.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import Known, Rows, Steady
from kaspad_taskd.cli.run.tools.options import has
from kaspad_taskd.cli.run.tools.tool import Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.tools.tool import Reader

_ROW = re.compile(
    r"(\d{1,15}) of (\d{1,15}) tuples \(\d{1,3}%\) (?:of \w+ )?done \(elapsed [\d.]+ s,.*"
)
_PHASE = re.compile(
    r"(dropping old tables|creating tables|generating data|vacuuming|creating primary keys"
    r"|creating foreign keys)(?: \((?:client|server)-side\))?\.\.\.\s*"
)


class _Reader(Rows):
    def parse(self, stream: int, piece: str) -> Reading | None:
        row = _ROW.fullmatch(piece)
        if row:
            return Reading(int(row[1]), int(row[2]), "rows", "generating data")
        phase = _PHASE.fullmatch(piece)
        return Reading(phase=phase[1]) if phase else None


class _Pgbench(Known):
    name = "pgbench"
    programs = ("pgbench",)
    versions = ("15.18", "17.12")

    def reader(self, argv: Sequence[str]) -> Steady:
        """Return a new reader; of a benchmark nothing is known but that it runs."""
        return _Reader(argv) if _fills(argv) else Steady()

    def rerun(self, code: int, reader: Reader, argv: Sequence[str]) -> str | None:
        """Another run drops the tables first."""
        return "run.rerun.over" if _fills(argv) else None


def _fills(argv: Sequence[str]) -> bool:
    return has(argv, "-i", "--initialize")


TOOL = _Pgbench()
