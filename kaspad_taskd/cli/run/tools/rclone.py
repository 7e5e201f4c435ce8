"""rclone 1.60: its statistics as one line, as blocks (`-P`), as JSON.

Measured with 1.60.1 on Debian 12 and 13; exit codes: rclone's manual, "Exit code". Its total is of
what it has found by now, and it does not say when all is found but with --check-first. Else a total
is believed when it has stood still while the work went on, and no time left is made of it.
The rows of single files are not read.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import Known, Steady, parsed
from kaspad_taskd.cli.run.tools.options import bounds, has, verb
from kaspad_taskd.cli.run.tools.tool import (
    COMPLETE,
    FAILED,
    PARTLY,
    WARNING,
    Ending,
    Reading,
)

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.tools.tool import Reader

_SIZE = r"(\d+(?:\.\d+)?) ?([KMGTPE]?i?(?:B(?:ytes?)?)?)"
_RATE = (
    r"(?:\d+%|-), \d+(?:\.\d+)? ?[KMGTPE]?i?(?:B(?:ytes?)?|bits?)/s,"
    r" ETA (?:-|\d+[ywdhms](?:\d+[wdhms])*)"
)
_BEFORE = r"^|Transferred:\s+|INFO\s+: +|NOTICE: +|(?<=[-)ywdhms])"
"""In front of a row; on a pipe nothing ends the one that stands there, under -P."""
_ROW = re.compile(rf"(?:{_BEFORE}){_SIZE} / {_SIZE}, {_RATE}")
_STILL = 3
"""Looks in a row with the same total, after which it is believed."""
_WORKING = frozenset(
    ("copy", "sync", "move", "bisync", "check", "cryptcheck", "copyto", "moveto", "copyurl")
)
_FIRST = "Checks finished, now starting transfers"


class _Reader(Steady):
    """Attributes: `moved`: bytes that were transferred."""

    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self._first = has(argv, "--check-first")
        self._checked = False
        self._total = (0.0, 0)  # the last total, and how often it came again with more done
        self.moved = 0.0

    def parse(self, stream: int, piece: str) -> Reading | None:
        found = parsed(piece)
        if found is not None:
            self._checked = self._checked or _FIRST in str(found.get("msg"))
            return self._of_json(found.get("stats"))
        if self._first and _FIRST in piece:
            self._checked = True
            return None
        rows = _ROW.findall(piece) if " / " in piece else ()
        if not rows:
            return None
        amount, unit, of, of_unit = rows[-1]
        done, total = bounds(amount, unit), bounds(of, of_unit)
        return self._seen(done[0], total[1]) if done and total else None

    def _of_json(self, stats: object) -> Reading | None:
        if not isinstance(stats, dict):
            return None
        done, total = stats.get("bytes"), stats.get("totalBytes")
        if not isinstance(done, int | float) or not isinstance(total, int | float):
            return None
        return self._seen(done, total)

    def _seen(self, done: float, total: float) -> Reading:
        known = self._checked if self._first else self._stands_still(done, total)
        self.moved = max(self.moved, done)
        return Reading(done, total if known and total > 0 else None, growing=not self._checked)

    def _stands_still(self, done: float, total: float) -> bool:
        last, times = self._total
        if total != last:
            self._total = (total, 0)
        elif done > self.moved:
            self._total = (total, times + 1)
        return self._total[1] >= _STILL


class _Rclone(Known):
    name = "rclone"
    programs = ("rclone",)
    versions = ("1.60.1",)
    reads = _Reader

    def ending(self, code: int, reader: Reader, argv: Sequence[str]) -> Ending:
        """8, 10: a limit that was asked for. 9: nothing to do. 1, 5, 6: some of it failed."""
        if code == 0:
            return Ending(COMPLETE)
        if code == 9:
            return Ending(WARNING, "run.end.nothing")
        if code in (8, 10):
            return Ending(PARTLY, "run.end.limit", "run.rerun.others")
        if code in (1, 5, 6) and getattr(reader, "moved", 0) > 0:
            return Ending(PARTLY, "run.end.some-failed", "run.rerun.others")
        return Ending(FAILED, None, "run.rerun.truncated-some" if code < 0 else None)

    def offer(self, argv: Sequence[str]) -> str | None:
        """`--stats` alone prints nothing; --check-first makes its total one that stands."""
        loud = has(argv, "-v", "--verbose", "--stats-log-level") or "-vv" in argv
        if has(argv, "-P", "--progress") or loud or verb(argv, _WORKING) is None:
            return None
        missing = ["-v"]
        if not has(argv, "--stats"):
            missing.append("--stats=1s")
        if not has(argv, "--stats-one-line", "--use-json-log"):
            missing.append("--stats-one-line")
        if not has(argv, "--check-first"):
            missing.append("--check-first")
        return " ".join(missing)


TOOL = _Rclone()
