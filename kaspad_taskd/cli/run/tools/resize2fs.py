"""resize2fs 1.47: `-p`.

Measured with 1.47.0 on Debian 12 and 1.47.2 on 13. Of each pass it draws 40 dashes, goes back over
them with 40 backspaces and writes an X for each fortieth that is done; nothing ends the row before
its last. It does not tell how many passes there will be.
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

_WIDTH = 40
_BEGUN = re.compile(rf"(\S.{{0,60}}?) *-{{{_WIDTH}}}")
_DONE = re.compile(rf"X{{1,{_WIDTH}}}")


class _Reader(Rows):
    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self._label: str | None = None

    def parse(self, stream: int, piece: str) -> Reading | None:
        begun = _BEGUN.fullmatch(piece)
        if begun:
            self._label = begun[1].lower()
            return self._at(0)
        if self._label is not None and _DONE.fullmatch(piece):
            return self._at(len(piece))
        return None

    def _at(self, fortieths: int) -> Reading:
        return Reading(100 * fortieths / _WIDTH, 100, "percent", self._label)


class _Resize2fs(Known):
    name = "resize2fs"
    programs = ("resize2fs",)
    versions = ("1.47.0", "1.47.2")
    reads = _Reader

    def rerun(self, code: int, reader: Reader, argv: Sequence[str]) -> str | None:
        """Ended in the middle it leaves a file system that is neither."""
        return "run.rerun.fsck" if code < 0 else None

    def offer(self, argv: Sequence[str]) -> str | None:
        """-P only asks for the least size."""
        return None if has(argv, "-p", "-P") else "-p"


TOOL = _Resize2fs()
