"""restic 0.14 to 0.18: `backup --json`, and the counts of its other verbs.

Measured with 0.14.0 on Debian 12 and 0.18.0 on 13; exit codes: restic's manual, "Scripting". What
`backup` counts is what it has read. What is still to be uploaded is not in it (with --limit-upload
it stood at 55 % after a fifth of the time), so there is no time left from it. Its total grows until
the scan of the sources has ended. `seconds_remaining` tells that, but is left out where it is 0; a
total is believed, too, when it has stood still for two seconds. No percentage before.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import ROW, Known, Steady, parsed
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
    from typing import Any

    from kaspad_taskd.cli.run.tools.tool import Reader

_VERBS = (
    "backup",
    "restore",
    "check",
    "prune",
    "forget",
    "copy",
    "rebuild-index",
    "repair",
    "stats",
)
_WRITING = ("backup", "prune", "forget", "copy", "rebuild-index", "repair")
_AT = r"\[(?:\d+:)*\d+:\d\d\]\s+"
_COUNT = re.compile(_AT + r"\d+\.\d+%\s+(\d+) / (\d+) (\w[\w ]*?)\s*", re.ASCII)
_SIZE = r"(\d+(?:\.\d+)?) ([KMGTPE]?i?B)"
_TEXT = re.compile(
    _AT + rf"(?:(\d+\.\d+)%\s+)?\d+ files(?:/dirs)? {_SIZE}, total \d+ files(?:/dirs)? {_SIZE}\b.*"
)
_SKIPPED = "does not exist, skipping"
_LOCKED = 11  # since 0.17
_STILL = 2
"""Seconds with the same total, after which it is believed."""


class _Reader(Steady):
    """Attributes: `missing`: a source was not there; `errors`: how often something was not read."""

    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self._reading = "reading" if verb(argv, _VERBS) == "backup" else None
        self._listed = self._reading is None
        self._total = (0.0, 0.0)  # the last total, and when it was new
        self._count = ("", 0, 0)  # what was counted last, how far, how many counts before
        self.missing = False

    def parse(self, stream: int, piece: str) -> Reading | None:
        if _SKIPPED in piece:
            self.missing = True
            return None
        found = parsed(piece)
        if found is not None:
            return self._of_json(found) if found.get("message_type") == "status" else None
        if len(piece) > ROW:
            return None
        if counted := _COUNT.fullmatch(piece):
            return self._counted(int(counted[1][:15]), int(counted[2][:15]), counted[3])
        if told := _TEXT.fullmatch(piece):
            done, total = bounds(told[2], told[3]), bounds(told[4], told[5])
            self._listed = self._listed or told[1] is not None
            return self._bytes(done[0], total[1]) if done and total else None
        return None

    def _of_json(self, found: dict[str, Any]) -> Reading | None:
        """A status; what is 0 is left out in it."""
        done = found.get("bytes_done", found.get("bytes_restored", 0))
        total = found.get("total_bytes", 0)
        if type(done) not in (int, float) or type(total) not in (int, float):
            return None
        elapsed = found.get("seconds_elapsed", 0)
        still = type(elapsed) in (int, float) and self._stands_still(total, elapsed)
        self._listed = self._listed or still or bool(found.get("seconds_remaining"))
        return self._bytes(done, total)

    def _stands_still(self, total: float, elapsed: float) -> bool:
        last, since = self._total
        if total != last:
            self._total = (total, elapsed)
            return False
        return elapsed - since > _STILL

    def _bytes(self, done: float, total: float) -> Reading | None:
        """A restore knows its total at once; a backup is not over when all is read."""
        if self._reading is None:
            return Reading(done, total or None) if total else Reading(done)
        if not self._listed or not total:
            return Reading(done, phase=self._reading, growing=True)
        if done >= total:
            return Reading(phase="saving")
        return Reading(done, total, phase=self._reading, growing=True)

    def _counted(self, done: int, total: int, unit: str) -> Reading:
        """`check` and `prune` count one thing after the other."""
        last, before, after = self._count
        if last and (unit != last or done < before):
            after += 1
        self._count = (unit, done, after)
        return Reading(done, total, unit, phase=unit, after=after)


class _Restic(Known):
    name = "restic"
    programs = ("restic",)
    versions = ("0.14.0", "0.18.0")
    reads = _Reader

    def ending(self, code: int, reader: Reader, argv: Sequence[str]) -> Ending:
        """3: not all could be read. 0, though a source was not there, is a warning."""
        if code == 0:
            missing = getattr(reader, "missing", False)
            return Ending(WARNING, "run.end.missing") if missing else Ending(COMPLETE)
        if code == 3:
            return Ending(PARTLY, "run.end.unread", "run.rerun.reuses")
        if code == _LOCKED:
            return Ending(FAILED, "run.end.locked", "run.rerun.unlock-restic")
        if verb(argv, _VERBS) not in _WRITING:
            return Ending(FAILED)
        return Ending(FAILED, None, "run.rerun.lock-restic" if code < 0 else "run.rerun.reuses")

    def offer(self, argv: Sequence[str]) -> str | None:
        """On a pipe a backup tells nothing without it."""
        return None if verb(argv, _VERBS) != "backup" or has(argv, "--json") else "--json"


TOOL = _Restic()
