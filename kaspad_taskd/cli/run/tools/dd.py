"""dd of coreutils 9.1 to 9.7: `status=progress`, and what SIGUSR1 makes it say.

Measured with 9.1 on Debian 12 and 9.7 on 13; operands: dd(1). How much there is in all is known
only where its operands say so, count= and the size of a block; a file's size is not asked.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import MOST, Known, Steady, number
from kaspad_taskd.cli.run.tools.tool import Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.tools.tool import Reader

_ROW = re.compile(r"(\d{1,18}) [^\s\d(]+(?: \([^)]*\))? [^\d,(]{1,30}, \d[\d.,e+-]* s, .*")
"""In whatever language: "10354688 bytes (10 MB, 9.9 MiB) copied, 1 s, 10.3 MB/s"."""
_NUMBER = re.compile(r"(\d{1,18})(?:(c|w|b|[kKMGTPEZY](?:iB|B)?))?", re.ASCII)
_BLOCK = 512
_SMALL = {"": 1, "c": 1, "w": 2, "b": 512, "kB": 1000}
_BYTES = "count_bytes"


class _Reader(Steady):
    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self._all = total(argv)

    def parse(self, stream: int, piece: str) -> Reading | None:
        found = _ROW.fullmatch(piece)
        done = number(found[1]) if found else None
        return None if done is None else Reading(done, self._all)


def total(argv: Sequence[str]) -> float | None:
    """Return the bytes that a dd is to copy at most, or None: its operands do not say."""
    given = dict(word.partition("=")[::2] for word in argv[1:] if "=" in word)
    count = given.get("count")
    if count is None:
        return None
    blocks = size(count)
    if count.endswith("B") or _BYTES in given.get("iflag", "").split(","):
        return blocks or None
    block = size(given.get("bs") or given.get("ibs") or str(_BLOCK))
    found = None if blocks is None or block is None else blocks * block
    return found if found and found <= MOST else None


def size(text: str) -> float | None:
    """Return a number as dd takes it ("4M", "2x512", "1kB", "7B"), or None: it is none."""
    whole = 1.0
    for part in text.split("x"):
        bare = part[:-1] if part.endswith("B") and part[:-1].isdigit() else part
        found = _NUMBER.fullmatch(bare)
        if found is None:
            return None
        whole *= int(found[1]) * _scale(found[2] or "")
    return whole


def _scale(unit: str) -> float:
    if unit in _SMALL:
        return _SMALL[unit]
    base = 1000 if unit.endswith("B") and not unit.endswith("iB") else 1024
    return float(base ** (1 + "KMGTPEZY".index(unit[0].upper())))


class _Dd(Known):
    name = "dd"
    programs = ("dd",)
    versions = ("9.1", "9.7")
    reads = _Reader

    def rerun(self, code: int, reader: Reader, argv: Sequence[str]) -> str | None:
        """What was copied until then stays."""
        return "run.rerun.part"

    def asking(self, argv: Sequence[str]) -> str | None:
        """It says how far it is, in three lines, and goes on; not where it is to say nothing."""
        silent = any(word in ("status=none", "status=noxfer") for word in argv)
        return None if silent or "status=progress" in argv else "SIGUSR1"


TOOL = _Dd()
