"""rsync 3.2 to 3.5, read by `--info=progress2`.

What it does was measured with 3.2.7 and 3.5.0 on Debian 12 and 3.5.0 on 13; exit codes: rsync(1).
Its percentage is of the bytes of the files that it knows of. While the list of files still grows
(`ir-chk`) it falls; from `to-chk` on it does not. Files that were there before are in the total and
are never counted: the last is 67 % where a third was there, 0 % where there is nothing to do.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import Known, Rows, number
from kaspad_taskd.cli.run.tools.options import bounds, has
from kaspad_taskd.cli.run.tools.tool import (
    PARTLY,
    WARNING,
    Ending,
    Reading,
)

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.tools.tool import Reader

_ROW = re.compile(
    r"\s*(\d[\d.,]*)([KMGTP]?)\s+(\d{1,3})%\s+\d[\d.,]*[kKMGTP]?B/s\s+(?:\d+:\d\d:\d\d|\?\?:\?\?:\?\?)"
    r"(?:\s+\(xfe?r#(\d+), (ir|to)-ch(?:k|eck)=\d+/\d+\))?\s*",
    re.ASCII,
)
_WHOLE_LIST = (  # with these the list is made before the first file is sent
    "--no-inc-recursive",
    "--no-i-r",
    "--delete-before",
    "--delete-after",
    "--delay-updates",
    "--prune-empty-dirs",
    "-m",
)
_RECURSIVE = ("-a", "-r", "--archive", "--recursive")
_INFO = "--info=progress2"
_CODES = {
    23: Ending(PARTLY, "run.end.left-out", "run.rerun.others"),
    24: Ending(WARNING, "run.end.vanished"),  # files, meanwhile
    25: Ending(PARTLY, "run.end.deletions", "run.rerun.others"),
}
_BEGUN = 10  # the exit codes below are of faults before anything was sent


class _Reader(Rows):
    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self._of_all = _is_of_all(argv)
        self._listed = has(argv, *_WHOLE_LIST) or not has(argv, *_RECURSIVE)

    def parse(self, stream: int, piece: str) -> Reading | None:
        found = _ROW.fullmatch(piece)
        if found is None:
            return None
        amount, unit, percent, files, kind = found.groups()
        if not self._of_all:
            return Reading(int(files[:15]), unit="files") if files else None
        self._listed = self._listed or kind == "to"
        done = _bytes(amount, unit)
        if not self._listed:
            return None if done is None else Reading(done, growing=True)
        facts = {} if done is None else {"bytes": done}
        return Reading(min(int(percent), 100), 100, "percent", facts=facts)


def _bytes(amount: str, unit: str) -> float | None:
    """Bytes of "1,234,567", of "1.234.567" where that is the way, or at least those of "1.18M"."""
    if not unit:
        return number(amount.replace(".", ""))
    found = bounds(amount.replace(",", "."), unit, 1000)
    return None if found is None else found[0]


def _is_of_all(argv: Sequence[str]) -> bool:
    given = [word.lower() for word in argv if word.startswith("--info=")]
    return any("progress2" in word for word in given)


class _Rsync(Known):
    name = "rsync"
    programs = ("rsync",)
    versions = ("3.2.7", "3.5.0")
    reads = _Reader
    codes = _CODES

    def rerun(self, code: int, reader: Reader, argv: Sequence[str]) -> str | None:
        """20: it was stopped."""
        if 0 < code < _BEGUN:
            return None
        kept = has(argv, "--partial", "--inplace", "--append", "-P")
        return "run.rerun.partial" if kept else "run.rerun.others"

    def offer(self, argv: Sequence[str]) -> str | None:
        """The whole list first, so that there is a percentage from the beginning."""
        missing = [] if _is_of_all(argv) else [_INFO]
        if has(argv, *_RECURSIVE) and not has(argv, *_WHOLE_LIST):
            missing.append("--no-inc-recursive")
        return " ".join(missing) or None


TOOL = _Rsync()
