"""pg_basebackup: `--progress`.

Measured with 15.18 on Debian 12 and 17.12 on 13. The total is what the server estimates at the
start, and is raised to what is done where that is more: then nobody knows it. 100 % comes once for
each of the last two lines, and the copy is written to disk after them.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import Known, Rows
from kaspad_taskd.cli.run.tools.options import has
from kaspad_taskd.cli.run.tools.tool import Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.tools.tool import Reader

_ROW = re.compile(
    r"\s*(\d{1,15})/(\d{1,15}) kB \(\d{1,15}%\), (\d{1,9})/(\d{1,9}) tablespaces?(?: .*)?"
)
_WAITING = re.compile(r"(?:pg_basebackup: .*)?waiting for checkpoint(?: to complete)?")
_FINISHING = re.compile(r"pg_basebackup: (?:waiting for background|syncing data to disk).*")


class _Reader(Rows):
    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self._estimate: int | None = None

    def parse(self, stream: int, piece: str) -> Reading | None:
        row = _ROW.fullmatch(piece)
        if row:
            return self._of(int(row[1]), int(row[2]), int(row[3]), int(row[4]))
        if _WAITING.fullmatch(piece):
            return Reading(phase="waiting for checkpoint")
        return Reading(phase="finishing") if _FINISHING.fullmatch(piece) else None

    def _of(self, done: int, total: int, spaces: int, of_spaces: int) -> Reading:
        if 0 < of_spaces <= spaces:
            return Reading(phase="finishing")
        if self._estimate is None:
            self._estimate = total
        facts = {"tablespaces": f"{spaces}/{of_spaces}"} if of_spaces > 1 else None
        raised = total != self._estimate
        return Reading(
            1024 * done, None if raised else 1024 * total, "bytes", "copying", raised, facts=facts
        )


class _BaseBackup(Known):
    name = "pg_basebackup"
    programs = ("pg_basebackup",)
    versions = ("15.18", "17.12")
    reads = _Reader

    def rerun(self, code: int, reader: Reader, argv: Sequence[str]) -> str | None:
        """What it has copied stays when a signal ends it; else it removes it itself.

        The signal ends one process; another one of it receives WAL, and goes on where it was not
        signalled, too (findings/pg-basebackup-killed.sh).
        """
        return "run.rerun.refused-directory" if code < 0 else None

    def offer(self, argv: Sequence[str]) -> str | None:
        """It is refused together with --no-estimate-size."""
        return None if has(argv, "-P", "--progress", "--no-estimate-size") else "--progress"


TOOL = _BaseBackup()
