"""apt-get and apt: `-o APT::Status-Fd=2`, or the packages that it names.

Measured with 2.6.1 on Debian 12 and 3.0.4 on 13, whose `apt` words its plan anew. The status has a
percentage of each phase; that of installing ends at 94 or 86 and says nothing of how much of
anything was done, so the packages are counted beside it. A status on another file descriptor than 1
and 2 is not ours: then, and without one, how many packages it named of those it is going to unpack,
set up and remove is all there is.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import Known, Rows, number
from kaspad_taskd.cli.run.tools.options import verb
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, WARNING, Ending, Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.tools.tool import Reader

_STATUS = re.compile(r"(dlstatus|pmstatus):[^:\s]{1,200}:(\d{1,3}(?:\.\d{1,6})?):.*")
_PLAN = re.compile(
    r"(\d{1,9}) upgraded, (\d{1,9}) newly installed,(?: (\d{1,9}) reinstalled,)?"
    r"(?: (\d{1,9}) downgraded,)? (\d{1,9}) to remove and \d{1,9} not upgraded\.\s*"
)
_SUMMARY = re.compile(
    r"\s*Upgrading: (\d{1,9}), Installing: (\d{1,9}),(?: Reinstalling: (\d{1,9}),)?"
    r"(?: Downgrading: (\d{1,9}),)? Removing: (\d{1,9}), Not Upgrading: \d{1,9}\s*"
)
_STEP = re.compile(r"(?:Unpacking|Setting up|Removing) \S+ \(.*\) .*\.\.\.\s*")
_GET = re.compile(r"(?:Get|Hit|Ign|Err):\d{1,9} \S.*")
_OLD = re.compile(r"W: Some index files failed to download\..*")
_VERBS = frozenset(
    (
        "autoremove", "build-dep", "dist-upgrade", "download", "full-upgrade", "install", "purge",
        "reinstall", "remove", "source", "update", "upgrade",
    )
)  # fmt: skip


class _Reader(Rows):
    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self.installing = self.old = self._has_status = False
        self._steps = self._of_steps = 0

    def parse(self, stream: int, piece: str) -> Reading | None:
        if status := _STATUS.fullmatch(piece):
            self._has_status = True
            return self._in_phase(status[1] == "pmstatus", number(status[2]))
        if _OLD.fullmatch(piece):
            self.old = True
        if plan := _PLAN.fullmatch(piece) or _SUMMARY.fullmatch(piece):
            new, other, anew, down, gone = (int(each or 0) for each in plan.groups())
            self._of_steps = 2 * (new + other + anew + down) + gone
        if not self.whole:
            return None
        if _STEP.fullmatch(piece):
            return self._step()
        download = _GET.fullmatch(piece) and not self._has_status and not self.installing
        return Reading(phase="downloading") if download else None

    def _in_phase(self, installing: bool, percent: float | None) -> Reading:
        self.installing = self.installing or installing
        return Reading(percent, 100, "percent", "installing" if self.installing else "downloading")

    def _step(self) -> Reading | None:
        """A package is named before it is worked at."""
        self.installing = True
        self._steps += 1
        if self._has_status:
            return None
        return Reading(self._steps - 1, self._of_steps or None, "steps", "installing")


class _Apt(Known):
    name = "apt-get"
    programs = ("apt-get", "apt")
    versions = ("2.6.1", "3.0.4")
    reads = _Reader

    def ending(self, code: int, reader: Reader, argv: Sequence[str]) -> Ending:
        """`update` is 0 too where lists could not be fetched and old ones are used."""
        if code == 0:
            old = getattr(reader, "old", False)
            return Ending(WARNING, "run.end.index-old") if old else Ending(COMPLETE)
        began = getattr(reader, "installing", False)
        return Ending(FAILED, None, "run.rerun.dpkg" if began else None)

    def offer(self, argv: Sequence[str]) -> str | None:
        """Its lines come between the others."""
        told = any("status-fd" in word.lower() for word in argv)
        return None if told or verb(argv, _VERBS) is None else "-o APT::Status-Fd=2"


TOOL = _Apt()
