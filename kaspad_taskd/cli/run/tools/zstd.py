"""zstd 1.5: `--progress`.

Measured with 1.5.4 on Debian 12 and 1.5.7 on 13. The percentage that it prints is how small the
output is: it is 100 at once for what cannot be compressed. Progress are the two amounts in front
of it, which are rounded. What it unpacks has no total.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import Known, Rows
from kaspad_taskd.cli.run.tools.options import bounds, has
from kaspad_taskd.cli.run.tools.tool import Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.tools.tool import Reader

_SIZE = r"(\d+(?:\.\d+)?) *([KMGTPE]?i?B)"
_ROW = re.compile(
    rf"(?:\w+: *(\d{{1,9}})/(\d{{1,9}}) files?\..* )?Read: *{_SIZE}(?: */ *{_SIZE})? *==> *\d.*"
)
_CONSUMED = re.compile(rf".*\bConsumed *: *{_SIZE} - .*")
_UNPACKED = re.compile(rf"(?:\w+: *(\d{{1,9}})/(\d{{1,9}}) files?\..*|.*: *){_SIZE}\.\.\.\s*")


class _Reader(Rows):
    def parse(self, stream: int, piece: str) -> Reading | None:
        if row := _ROW.fullmatch(piece):
            done = bounds(row[3], row[4])
            total = bounds(row[5], row[6]) if row[5] else None
            return self._of(row[1], row[2], done, total)
        if row := _UNPACKED.fullmatch(piece):
            return self._of(row[1], row[2], bounds(row[3], row[4]), None)
        if row := _CONSUMED.fullmatch(piece):
            return self._of(None, None, bounds(row[1], row[2]), None)
        return None

    def _of(
        self,
        file: str | None,
        files: str | None,
        done: tuple[float, float] | None,
        total: tuple[float, float] | None,
    ) -> Reading | None:
        if done is None:
            return None
        found = Reading(done[0], total[1] if total else None)
        if file and files:
            found.phase, found.after, found.phases = f"file {file}", int(file) - 1, int(files)
        return found


class _Zstd(Known):
    name = "zstd"
    programs = ("zstd", "unzstd", "zstdcat", "zstdmt")
    versions = ("1.5.4", "1.5.7")
    reads = _Reader

    def rerun(self, code: int, reader: Reader, argv: Sequence[str]) -> str | None:
        """2: SIGINT, the output is removed. SIGTERM leaves it, cut short, under its name."""
        if code < 0 and not has(argv, "-c", "--stdout", "-t", "--test"):
            return "run.rerun.truncated-zstd"
        return "run.rerun.removed" if code == 2 else None

    def offer(self, argv: Sequence[str]) -> str | None:
        """Without it there is but a last line on a pipe."""
        told = has(argv, "--progress", "-q", "--quiet", "--no-progress", "-l", "--list")
        return None if told else "--progress"


TOOL = _Zstd()
