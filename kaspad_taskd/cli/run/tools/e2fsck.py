"""e2fsck 1.47: `-C 0`, `-C N`.

Measured with 1.47.0 on Debian 12 and 1.47.2 on 13. `-C 0` draws ONE bar for all passes, also on a
pipe, between two control characters; `-C 1` writes "pass current max device" on standard output,
between its texts; another N is a file descriptor that is not ours. Its last line has a percentage
that is none. It begins anew, from pass 1, when a repair asks for that.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import Known, Rows, number
from kaspad_taskd.cli.run.tools.options import has, value
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, PARTLY, WARNING, Ending, Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.tools.tool import Reader

_BAR = re.compile(r".*: \|=*[-\\|/ ]*\|\s{1,3}(\d{1,3}\.\d)%\s*")
_COUNT = re.compile(r"([1-5]) (\d{1,15}) (\d{1,15}) \S.*")
_PASS = re.compile(r"Pass ([1-5])[A-D]?: .*")
_PASSES = 5
_CORRECTED, _REBOOT, _UNCORRECTED, _OF_FAILURE = 1, 2, 4, 8 | 16 | 32 | 64 | 128


class _Reader(Rows):
    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        where = value(argv, "-C")
        self._one_bar = where == "0"
        self._counts = where in ("1", "2")
        self._pass = self._round = 1

    def parse(self, stream: int, piece: str) -> Reading | None:
        if self._one_bar and (bar := _BAR.fullmatch(piece)):
            return self._in_pass(number(bar[1]), 100, "percent")
        if self._counts and (count := _COUNT.fullmatch(piece)):
            self._begin(int(count[1]))
            return self._in_pass(int(count[2]), int(count[3]), "groups")
        if begun := _PASS.fullmatch(piece):
            self._begin(int(begun[1]))
            return None if self._one_bar else self._in_pass(None, None, "groups")
        return None

    def _begin(self, number_of_pass: int) -> None:
        self._round += number_of_pass < self._pass
        self._pass = number_of_pass

    def _in_pass(self, done: float | None, total: float | None, unit: str) -> Reading:
        again = f"round {self._round}" if self._round > 1 else None
        if self._one_bar:
            return Reading(done, total, unit, again, facts={"pass": self._pass})
        phase = f"pass {self._pass}"
        if again:
            return Reading(done, total, unit, f"{again}, {phase}")
        return Reading(done, total, unit, phase, after=self._pass - 1, phases=_PASSES)


class _E2fsck(Known):
    name = "e2fsck"
    programs = ("e2fsck", "fsck.ext2", "fsck.ext3", "fsck.ext4")
    versions = ("1.47.0", "1.47.2")
    reads = _Reader

    def ending(self, code: int, reader: Reader, argv: Sequence[str]) -> Ending:
        """The code is a sum of what was so."""
        if code < 0 or code & _OF_FAILURE:
            return Ending(FAILED, None, "run.rerun.over" if code < 0 or code & 32 else None)
        if code & _UNCORRECTED:
            return Ending(PARTLY, "run.end.uncorrected")
        if code & _REBOOT:
            return Ending(WARNING, "run.end.reboot")
        return Ending(WARNING, "run.end.corrected") if code & _CORRECTED else Ending(COMPLETE)

    def offer(self, argv: Sequence[str]) -> str | None:
        """It names its passes without."""
        return None if has(argv, "-C", "-V") or value(argv, "-C") else "-C 0"


TOOL = _E2fsck()
