"""borg 1.2 to 1.4: `--progress`, with `--log-json` or without.

Measured with 1.2.4 on Debian 12 and 1.4.0 on 13; exit codes: borg's manual, "Return codes".
`create` knows no total. The others count an operation at a time: `current` is what it is about to
do, so what is done is what the line before had; the last line of an operation has no numbers.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import ROW, Known, Steady, parsed
from kaspad_taskd.cli.run.tools.options import bounds, has, verb
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, WARNING, Ending, Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kaspad_taskd.cli.run.tools.tool import Reader

_SIZE = r"(\d+(?:\.\d+)?) ([kMGTPEZY]?B)"
_CREATE = re.compile(rf"\s*{_SIZE} O {_SIZE} C {_SIZE} D (\d+) N\b.*")
_SHARE = re.compile(
    r"\s*(?:(Checking segments|Checking archives|Verifying data|Compacting segments"
    r"|Deleting archives|Pruning archives|Recreating archives|Calculating statistics)"
    r"\s+(\d{1,3}(?:\.\d+)?)%\s*|(\d{1,3}\.\d)% (Extracting): .*)"
)
_LOCK = re.compile(r"Failed to (?:create/acquire|acquire write) the? ?lock")
_COUNTED = {"extract": "bytes"}
_CHANGING = ("create", "check", "compact", "delete", "prune", "recreate", "rename", "import-tar")
_VERBS = (*_CHANGING, "extract", "export-tar", "list", "info", "mount", "init")
_NO_PROGRESS = ("list", "info", "mount", "init", "rename")
_WARNINGS = (1, *range(100, 128))


class _Reader(Steady):
    """Attributes: `locked`: it could not lock the repository."""

    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self._operation: tuple[object, object] | None = None
        self._after = -1  # operations before this one
        self._before = 0.0  # what the last line of it said
        self.locked = False

    def parse(self, stream: int, piece: str) -> Reading | None:
        found = parsed(piece)
        if found is not None:
            return self._of_json(found)
        if len(piece) > ROW:
            return None
        if "lock" in piece and _LOCK.search(piece):
            self.locked = True
        elif told := _CREATE.fullmatch(piece):
            size = bounds(told[1], told[2], 1000)
            return None if size is None else Reading(size[0], facts={"files": int(told[7][:15])})
        elif shared := _SHARE.fullmatch(piece):
            name, share = (shared[1] or shared[4]).lower(), float(shared[2] or shared[3])
            self._within(name, None, share < self._before)
            self._before = share
            # It is rounded to what is nearer.
            return Reading(max(0.0, share - 0.05), 100, "percent", name, after=self._after)
        return None

    def _of_json(self, found: dict[str, Any]) -> Reading | None:
        kind = found.get("type")
        if kind == "archive_progress":
            size, files = found.get("original_size"), found.get("nfiles")
            facts = {"files": files} if isinstance(files, int) else {}
            return Reading(size, facts=facts) if isinstance(size, int) else None
        if kind == "log_message" and str(found.get("msgid")).startswith("Lock"):
            self.locked = True
        if kind == "progress_percent" and found.get("finished") is False:
            return self._percent(found)
        return None

    def _percent(self, found: dict[str, Any]) -> Reading | None:
        name, current, total = found.get("msgid"), found.get("current"), found.get("total")
        if not isinstance(name, str) or type(current) is not int or type(total) is not int:
            return None
        self._within(name, found.get("operation"), current < self._before)
        done, self._before = self._before, float(current)
        if total <= 0:
            return None
        unit = _COUNTED.get(name, "objects")
        return Reading(min(done, total), total, unit, name[:60], after=self._after)

    def _within(self, name: object, operation: object, anew: bool) -> None:
        if (name, operation) != self._operation or anew:
            self._operation = (name, operation)
            self._after += 1
            self._before = 0.0


class _Borg(Known):
    name = "borg"
    programs = ("borg",)
    versions = ("1.2.4", "1.4.0")
    reads = _Reader

    def ending(self, code: int, reader: Reader, argv: Sequence[str]) -> Ending:
        """1, or with BORG_EXIT_CODES=modern 100 to 127: done, with warnings."""
        if code == 0:
            return Ending(COMPLETE)
        if code in _WARNINGS:
            return Ending(WARNING, "run.end.warnings")
        if getattr(reader, "locked", False):
            return Ending(FAILED, "run.end.locked", "run.rerun.unlock-borg")
        if verb(argv, _VERBS) not in _CHANGING:
            return Ending(FAILED)
        return Ending(FAILED, None, "run.rerun.unlock-borg" if code == -9 else "run.rerun.reuses")

    def offer(self, argv: Sequence[str]) -> str | None:
        """Without it nothing is told."""
        silent = has(argv, "--progress", "-p") or verb(argv, _VERBS) in (None, *_NO_PROGRESS)
        return None if silent else "--progress"


TOOL = _Borg()
