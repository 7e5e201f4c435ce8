"""curl 7.88 to 8.14: its meter, `-#` and the table of `-Z`.

Measured with 7.88.1 on Debian 12 and 8.14.1 on 13; exit codes: curl(1). Where the length is not
known the first column is 100 from the first block on: the columns of what was received and of what
was sent are read, and they are 0 then. Each address begins anew, and so does one after a redirect.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import Known, Rows
from kaspad_taskd.cli.run.tools.options import bounds, has, value
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, WARNING, Ending, Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.tools.tool import Reader

_AMOUNT = r"(\d+(?:\.\d+)?)([kKMGTP]?)"
_TIME = r"(?:\d+:\d\d:\d\d|--:--:--|\d+d \d\dh|\d+d)"
_METER = re.compile(
    rf"\s*\d{{1,3}}\s+{_AMOUNT}\s+(\d{{1,3}})\s+{_AMOUNT}\s+(\d{{1,3}})\s+{_AMOUNT}"
    rf"(?:\s+{_AMOUNT}){{2}}\s+{_TIME}\s+{_TIME}\s+{_TIME}\s+{_AMOUNT}\s*",
    re.ASCII,
)
_PARALLEL = re.compile(
    rf"\s*(\d{{1,3}}|--)\s+(\d{{1,3}}|--)\s+{_AMOUNT}\s+{_AMOUNT}\s+(\d+)\s+(\d+)"
    rf"\s+{_TIME}\s+{_TIME}\s+{_TIME}\s+{_AMOUNT}\s*",
    re.ASCII,
)
_BAR = re.compile(r"#*\s+(\d{1,3}\.\d)%\s*", re.ASCII)
_HEADER = re.compile(r"\s*% Total\s+% Received\s+% Xferd\b.*")
_FAULT = re.compile(r"curl: \(\d+\) ")
_TO_FILE = ("-o", "-O", "--output", "--remote-name", "--remote-name-all")


class _Reader(Rows):
    """Attributes: `faults`: transfers that curl said had failed."""

    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self._after = 0  # transfers before this one
        self._last = (0.0, 0.0, 0)  # received, sent, percent
        self._seen = False
        self.faults = 0

    def parse(self, stream: int, piece: str) -> Reading | None:
        if _FAULT.match(piece):
            self.faults += self.whole
        elif _HEADER.fullmatch(piece):
            self._begin()
        elif row := _METER.fullmatch(piece):
            return self._of_meter(row)
        elif row := _PARALLEL.fullmatch(piece):
            return self._of_parallel(row)
        elif row := _BAR.fullmatch(piece):
            return self._of_bar(float(row[1]))
        return None

    def _begin(self) -> None:
        self._after += self._seen
        self._seen, self._last = False, (0.0, 0.0, 0)

    def _of_meter(self, row: re.Match[str]) -> Reading | None:
        size = bounds(row[1], row[2])
        received, sent = bounds(row[4], row[5]), bounds(row[7], row[8])
        if size is None or received is None or sent is None:
            return None
        percent = min(100, max(int(row[3]), int(row[6])))
        now = (received[0], sent[0], percent)
        if now[0] < self._last[0] or now[1] < self._last[1] or percent < self._last[2]:
            self._begin()  # after a redirect
        self._last = now
        if percent == 100 or not any(now):
            return None  # it is over, and may have been a redirect; or it has not begun
        self._seen = True
        phase = f"transfer {self._after + 1}"
        if not percent:
            return Reading(max(now[:2]), phase=phase, after=self._after)
        whole = size[0]
        return Reading(percent * whole / 100, whole, phase=phase, after=self._after)

    def _of_parallel(self, row: re.Match[str]) -> Reading | None:
        shares = [int(share) for share in (row[1], row[2]) if share != "--"]
        done = [bounds(row[3], row[4]), bounds(row[5], row[6])]
        moved = sum(each[0] for each in done if each)
        if len(shares) != 1:  # none is known, or two that are not one
            return Reading(moved)
        return Reading(min(shares[0], 100), 100, "percent", facts={"bytes": moved})

    def _of_bar(self, percent: float) -> Reading | None:
        if percent < self._last[2]:
            self._begin()
        self._last = (0.0, 0.0, int(percent))
        if percent >= 100:
            return None
        self._seen = True
        # It is rounded to what is nearer.
        done = max(0.0, percent - 0.05)
        return Reading(done, 100, "percent", f"transfer {self._after + 1}", after=self._after)


class _Curl(Known):
    name = "curl"
    programs = ("curl",)
    versions = ("7.88.1", "8.14.1")
    reads = _Reader

    def ending(self, code: int, reader: Reader, argv: Sequence[str]) -> Ending:
        """Of several addresses the code is the last one's: what failed before is a warning."""
        if code == 0:
            failed = getattr(reader, "faults", 0)
            return Ending(WARNING, "run.end.earlier-failed") if failed else Ending(COMPLETE)
        if has(argv, "--remove-on-error") and code > 0:
            return Ending(FAILED, None, "run.rerun.removed")
        if not has(argv, *_TO_FILE):
            return Ending(FAILED)
        goes_on = value(argv, "-C", "--continue-at") == "-"
        return Ending(
            FAILED, None, "run.rerun.continues" if goes_on else "run.rerun.truncated-curl"
        )


TOOL = _Curl()
