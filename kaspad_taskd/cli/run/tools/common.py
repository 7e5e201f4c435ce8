"""What tools have in common: a reader that holds its promises, a tool that is silent."""

from __future__ import annotations

import json

from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, Ending, Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from kaspad_taskd.cli.run.tools.tool import Reader

MOST = 1e18
"""More bytes than anybody has; what is beyond is no number of anything."""
ROW = 1000
"""Characters of a row of progress: patterns may look at a longer one as often as it is long."""
_DIGITS = 18


class Steady:
    """A reader whose numbers never fall within a phase; a tool's own has `parse`.

    A done that is less than before is not believed. A total that makes the percentage less than
    before, or that is less than what is done, is none.

    Args:
        argv: the command line, of which some tools' readers need to know.

    Attributes:
        whole: the piece that is read has ended.
    """

    def __init__(self, argv: Sequence[str] = ()) -> None:
        self._phase: tuple[str | None, int | None, str] = (None, None, "")
        self._done = self._share = 0.0
        self.whole = True

    def read(self, stream: int, piece: str, whole: bool = True) -> Reading | None:
        """Return what a piece says, or None: nothing of progress. Never fails."""
        self.whole = whole
        found = self.parse(stream, piece)
        return None if found is None else self._steadied(found)

    def parse(self, stream: int, piece: str) -> Reading | None:
        """Return what a piece says by itself."""
        return None

    def _steadied(self, found: Reading) -> Reading | None:
        done, total = found.done, found.total
        phase = (found.phase, found.after, found.unit)
        if phase != self._phase:
            self._phase, self._done, self._share = phase, 0.0, 0.0
        if done is None:
            return found
        if not self._done <= done <= MOST:  # nan is neither
            return None
        self._done = done
        if total is None:
            return found
        if not 0 < total <= MOST or done > total or done / total < self._share:
            found.total, found.growing = None, True
        else:
            self._share = done / total
        return found


class Rows(Steady):
    """A reader of rows, none of which has more than ROW characters."""

    def read(self, stream: int, piece: str, whole: bool = True) -> Reading | None:
        """Return what a piece says, or None; one that is too long for a row is not looked at."""
        return super().read(stream, piece, whole) if len(piece) <= ROW else None


class Known:
    """A tool with what most have: an exit code that means what it is, nothing to offer or ask.

    Attributes:
        reads: the class of its readers.
        codes: exit codes besides 0 that mean something of their own, whatever was run.
    """

    name = ""
    programs: Sequence[str] = ()
    versions: Sequence[str] = ()
    lines = False
    reads: type[Steady] = Steady
    codes: Mapping[int, Ending] = {}

    def reader(self, argv: Sequence[str]) -> Reader:
        """Return a new reader; one of a tool that has none knows of no progress."""
        return self.reads(argv)

    def ending(self, code: int, reader: Reader, argv: Sequence[str]) -> Ending:
        """Say what an exit code means: 0 is complete, what is not among `codes` has failed."""
        if code == 0:
            return Ending(COMPLETE)
        return self.codes.get(code) or Ending(FAILED, None, self.rerun(code, reader, argv))

    def rerun(self, code: int, reader: Reader, argv: Sequence[str]) -> str | None:
        """Return the sentence on what a failure leaves and what another run would do, or None."""
        return None

    def offer(self, argv: Sequence[str]) -> str | None:
        """Nothing would make it tell more."""
        return None

    def asking(self, argv: Sequence[str]) -> str | None:
        """It is not to be asked."""
        return None


def number(text: str) -> float | None:
    """Return a number as tools print it ("1,234", "2.5"), or None: it is none."""
    text = text.replace(",", "")
    if len(text) > _DIGITS or not text.isascii():
        return None
    try:
        found = float(text)
    except ValueError:
        return None
    return found if 0 <= found <= MOST else None


def parsed(piece: str) -> dict[str, Any] | None:
    """Return the JSON object that a line is, or None: it is none. Never fails."""
    if not piece.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(piece)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
