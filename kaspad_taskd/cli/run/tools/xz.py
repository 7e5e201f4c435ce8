"""xz 5.4 to 5.8: `-v` on a terminal, and what SIGUSR1 makes it say.

Measured with 5.4.1 on Debian 12 and 5.8.1 on 13; exit codes: xz(1). Its percentage is of what it
reads; from standard input there is none.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import Known, Rows
from kaspad_taskd.cli.run.tools.options import bounds, has
from kaspad_taskd.cli.run.tools.tool import WARNING, Ending, Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.tools.tool import Reader

_SIZE = r"(\d[\d,]*(?:\.\d+)?) ([KMGTPE]?i?B)"
_ROW = re.compile(
    rf"\s*(\d{{1,3}}(?:\.\d)?|---) %\s+{_SIZE} / {_SIZE}(?: (?:=|>) ?\d+\.\d+)?(?:\s.*)?",
    re.ASCII,
)
_FILE = re.compile(r".* \((\d{1,9})/(\d{1,9})\)\s*", re.ASCII)
_CODES = {2: Ending(WARNING, "run.end.warnings")}
_TO_OUTPUT = ("-c", "--stdout", "--to-stdout", "-t", "--test", "-l", "--list")


class _Reader(Rows):
    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self._file = self._files = 1

    def parse(self, stream: int, piece: str) -> Reading | None:
        if row := _ROW.fullmatch(piece):
            return self._of_row(row)
        found = _FILE.fullmatch(piece) if self.whole else None
        if found and self._file <= int(found[1]) <= int(found[2]):
            self._file, self._files = int(found[1]), int(found[2])
        return None

    def _of_row(self, row: re.Match[str]) -> Reading | None:
        name = None if self._files == 1 else f"file {self._file}"
        after, files = self._file - 1, self._files
        done = bounds(row[4], row[5])
        facts = {"bytes": done[0]} if done else {}
        if row[1] == "---":
            return Reading(done[0], phase=name, after=after, phases=files) if done else None
        # It is rounded to what is nearer.
        share = min(100.0, max(0.0, float(row[1]) - 0.05))
        return Reading(share, 100, "percent", name, after=after, phases=files, facts=facts)


class _Xz(Known):
    name = "xz"
    programs = ("xz", "unxz", "xzcat")
    versions = ("5.4.1", "5.8.1")
    reads = _Reader
    codes = _CODES

    def rerun(self, code: int, reader: Reader, argv: Sequence[str]) -> str | None:
        """It removes what it has not finished."""
        removed = not has(argv, *_TO_OUTPUT) and not argv[0].endswith("xzcat")
        return "run.rerun.removed" if removed and code != -9 else None

    def asking(self, argv: Sequence[str]) -> str | None:
        """It says how far it is and goes on, also without -v."""
        return None if has(argv, "-l", "--list") else "SIGUSR1"


TOOL = _Xz()
