"""pg_checksums: `--progress`.

Measured with 15.18 on Debian 12 and 17.12 on 13. When it turns checksums on, its 100 % came at 0.46
of 3.5 s: all files are synced then.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import Known, Rows
from kaspad_taskd.cli.run.tools.options import has
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, Ending, Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.tools.tool import Reader

_MB = 1 << 20
_ROW = re.compile(r"\s*(\d{1,12})/(\d{1,12}) MB \(\d{1,15}%\) [a-z]+")
_BAD = re.compile(r"Bad checksums: +(\d{1,15})")
_LATER = re.compile(r"pg_checksums: (syncing data directory|updating control file)")


class _Reader(Rows):
    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self.bad = 0

    def parse(self, stream: int, piece: str) -> Reading | None:
        row = _ROW.fullmatch(piece)
        if row:
            return Reading(_MB * int(row[1]), _MB * int(row[2]), "bytes", "reading")
        if later := _LATER.fullmatch(piece):
            return Reading(phase=later[1])
        if found := _BAD.fullmatch(piece):
            self.bad = int(found[1])
        return None


class _Checksums(Known):
    name = "pg_checksums"
    programs = ("pg_checksums",)
    versions = ("15.18", "17.12")
    reads = _Reader

    def ending(self, code: int, reader: Reader, argv: Sequence[str]) -> Ending:
        """1 is also what bad blocks are; checksums are not on before it has ended well."""
        if code == 0:
            return Ending(COMPLETE)
        bad = getattr(reader, "bad", 0)
        if bad:
            return Ending(FAILED, "run.end.checksums", None, {"n": bad})
        return Ending(FAILED, None, "run.rerun.over" if code < 0 else None)

    def offer(self, argv: Sequence[str]) -> str | None:
        """Turning checksums off takes no time."""
        return None if has(argv, "-P", "--progress", "-d", "--disable") else "--progress"


TOOL = _Checksums()
