"""Ways of reading any program, chosen by `--as`: a number in JSON, a pattern, counted lines."""

from __future__ import annotations

from kaspad_taskd.cli.run.searching import Searching, compiled
from kaspad_taskd.cli.run.tools.common import MOST, Known, Steady, number, parsed
from kaspad_taskd.cli.run.tools.tool import Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_MOST_LINES = 10**15


def way(given: str) -> Way | None:
    """Return the way of `json:KEY/TOTAL`, `percent:REGEX` or `lines:N`, or None: it is none.

    KEY and TOTAL are names of a JSON line, or paths into it (`stats.bytes`); TOTAL may be a number.
    The first group of REGEX is the percentage, or the whole match where it has none.
    """
    kind, _, how = given.partition(":")
    if kind == "json":
        key, _, total = how.partition("/")
        return Way(kind, how) if key and total else None
    if kind == "percent":
        return Way(kind, how) if how and compiled(how) else None
    if kind == "lines" and how.isascii() and how.isdigit() and 0 < int(how[:20]) <= _MOST_LINES:
        return Way(kind, how)
    return None


class Way(Known):
    """A way of reading.

    Args:
        kind: what stands before the colon of `--as`; it is its name.
        how: what stands behind it.
    """

    def __init__(self, kind: str, how: str) -> None:
        self.name = kind
        self.lines = kind == "lines"
        self._how = how

    def reader(self, argv: Sequence[str]) -> Steady:
        """Return a new reader."""
        return _READERS[self.name](self._how)


class _Json(Steady):
    def __init__(self, how: str) -> None:
        super().__init__()
        self._key, _, self._total = how.partition("/")
        self._fixed = number(self._total)

    def parse(self, stream: int, piece: str) -> Reading | None:
        found = parsed(piece)
        if found is None:
            return None
        done = _counted(_at(found, self._key))
        if done is None:
            return None
        total = self._fixed if self._fixed else _counted(_at(found, self._total))
        return Reading(done, total, "percent" if self._fixed == 100 else "")


class _Percent(Steady):
    def __init__(self, how: str) -> None:
        super().__init__()
        pattern = compiled(how)
        self._searching = Searching(pattern) if pattern else None

    def parse(self, stream: int, piece: str) -> Reading | None:
        text = self._searching.search(piece) if self._searching else None
        if text is None:
            return None
        share = number(text.strip().rstrip("%").rstrip().replace(",", "."))
        return Reading(share, 100, "percent") if share is not None and share <= 100 else None


class _Lines(Steady):
    def __init__(self, how: str) -> None:
        super().__init__()
        self._total = int(how)
        self._count = 0

    def parse(self, stream: int, piece: str) -> Reading | None:
        if stream != 1 or not self.whole:
            return None
        self._count += 1
        return Reading(self._count, self._total, "lines")

    def skipped(self, lines: int) -> Reading | None:
        """Count lines that went by unread."""
        self._count += lines
        return self._steadied(Reading(self._count, self._total, "lines"))


_READERS = {"json": _Json, "percent": _Percent, "lines": _Lines}
TOOLS = (Way("json", "KEY/TOTAL"), Way("percent", "([0-9.]+)%"), Way("lines", "1"))
"""One of each kind, for lists of what there is."""


def _at(found: Any, path: str) -> Any:
    """What stands at a name, or else at a path of names and places in lists."""
    if isinstance(found, dict) and path in found:
        return found[path]
    for name in path.split("."):
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isdecimal() and int(name[:9]) < len(found):
            found = found[int(name[:9])]
        else:
            return None
    return found


def _counted(value: object) -> float | None:
    """A number, also where it is written as text."""
    if isinstance(value, str):
        return number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value <= MOST else None
