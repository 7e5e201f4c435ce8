"""pv 1.6 to 1.9: `-n`, and its bar (`-f`, or on a terminal).

Measured with 1.6.20 on Debian 12 and 1.9.31 on 13; exit codes: pv(1). Where it does not know the
size its `-n` counts up to 100 and down again, and where `-s` was too small it goes from 100 to
-100: it is read only where a size was given, and no more once it falls. Its standard output is
the data.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import Known, Rows, number
from kaspad_taskd.cli.run.tools.options import bounds, exactly, has, value
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

_NUMBERS = re.compile(r"(?:\d+\.\d+ )?(-?\d{1,18})", re.ASCII)
_BAR = re.compile(
    r"(?:[^\[\]%]*: +)?\s*(\d+(?:\.\d+)?) ?([KMGTPE]?i?[Bb])?\s.*"
    r"\[[=> <]*\](?:\s+(\d{1,3})%)?(?:\s.*)?"
)
_TAKES = "BDEFHLNPRQimosuwdx"  # letters of options whose argument may be the next word
_LONG = frozenset(
    f"--{name}"
    for name in (
        *("size", "interval", "width", "height", "name", "rate-limit", "buffer-size", "format"),
        *("delay-start", "watchfd", "remote", "pidfile", "store-and-forward", "output"),
        *(
            "average-rate-window",
            "last-written",
            "bar-style",
            "extra-display",
            "stats-file",
            "query",
        ),
    )
)
_SIZE = ("-s", "--size")
_SIGNAL = 32


class _Reader(Rows):
    """Attributes: `short`: the last percentage, where the size is known and it is not 100."""

    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self._numbers = has(argv, "-n", "--numeric")
        self._bytes = has(argv, "-b", "--bytes")
        self._unit = "lines" if has(argv, "-l", "--line-mode") else "bytes"
        self._total = exactly(value(argv, *_SIZE))
        self._known = has_size(argv)
        self._last = 0
        self.short: int | None = None

    def parse(self, stream: int, piece: str) -> Reading | None:
        if not self._numbers:
            return self._of_bar(piece)
        # Its standard output is the data, and any line may stand there.
        found = _NUMBERS.fullmatch(piece.strip()) if self.whole and stream != 1 else None
        if found is None:
            return None
        if self._bytes:
            done = number(found[1])
            total = self._total if done is not None and done <= (self._total or 0) else None
            return None if done is None else Reading(done, total, self._unit)
        return self._of_percent(int(found[1])) if self._known else None

    def _of_percent(self, percent: int) -> Reading:
        if percent < self._last or percent > 100:
            self._known, self.short = False, None
            return Reading(unit="percent")  # it is not known, nor was it
        self._last = self.short = percent
        return Reading(min(percent, 100), 100, "percent")

    def _of_bar(self, piece: str) -> Reading | None:
        found = _BAR.fullmatch(piece)
        if found is None:
            return None
        done = bounds(found[1], (found[2] or "").upper())
        facts = {"bytes": done[0]} if done else {}
        if found[3] and int(found[3]) <= 100:
            self.short = int(found[3])
            return Reading(self.short, 100, "percent", facts=facts)
        self.short = None
        return Reading(done[0], unit=self._unit) if done else None


def has_size(argv: Sequence[str]) -> bool:
    """Return whether it has been told a size, or files of which it knows it itself."""
    return has(argv, "--size") or value(argv, *_SIZE) is not None or bool(files(argv))


def files(argv: Sequence[str]) -> list[str]:
    """Return the files that it reads; none where standard input is among them."""
    found = []
    words = iter(argv[1:])
    for word in words:
        if word == "--":
            found += list(words)
        elif not word.startswith("-") or word == "-":
            found.append(word)
        elif word in _LONG or (not word.startswith("--") and word[-1] in _TAKES):
            next(words, None)
    return [] if "-" in found else found


class _Pv(Known):
    name = "pv"
    programs = ("pv",)
    versions = ("1.6.20", "1.9.31")
    reads = _Reader

    def ending(self, code: int, reader: Reader, argv: Sequence[str]) -> Ending:
        """Bits: 2, 8, 16: a file was left out. 32: a signal. Whose reader has gone says 0."""
        if code == 0:
            short = getattr(reader, "short", None)
            if short is None or short >= 100:
                return Ending(COMPLETE)
            return Ending(WARNING, "run.end.short", params={"percent": short})
        if 0 < code < _SIGNAL and code & 26 and len(files(argv)) > 1:
            return Ending(PARTLY, "run.end.left-out")
        return Ending(FAILED, None, "run.rerun.part")

    def offer(self, argv: Sequence[str]) -> str | None:
        """On a pipe it says nothing by itself, and no percentage without a size."""
        told = has(argv, "-n", "--numeric", "-f", "--force")
        missing = [] if told else ["-n"]
        if not has_size(argv):
            missing.append("-s SIZE")
        return None if has(argv, "-q", "--quiet") else " ".join(missing) or None


TOOL = _Pv()
