"""git: `--progress`.

Measured with 2.39.5 on Debian 12 and 2.47.3 on 13. Each phase has its own percentage, 0 to 100, of
what it counts; how many phases there will be it does not tell. Without the option a pipe gets one
only when a checkout takes more than 2 s.
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

_ROW = re.compile(
    r"(remote: )?([A-Z][A-Za-z ()-]{2,50}): +\d{1,3}% \((\d{1,15})/(\d{1,15})\)(?:, .*)?\s*"
)
_COUNTED = re.compile(r"(remote: )?(Enumerating objects): (\d{1,15})(?:, done\.)?\s*")
_TELLING = frozenset(
    "checkout clone fetch fsck merge pull push restore submodule switch".split()  # noqa: SIM905
)
_WITH_ARGUMENT = frozenset(("-C", "-c", "--git-dir", "--work-tree", "--namespace", "--config-env"))


class _Reader(Rows):
    def parse(self, stream: int, piece: str) -> Reading | None:
        row = _ROW.fullmatch(piece)
        if row:
            unit = "objects" if "objects" in row[2] else "files" if "files" in row[2] else ""
            return Reading(int(row[3]), int(row[4]), unit, _phase(row))
        counted = _COUNTED.fullmatch(piece) if self.whole else None
        return Reading(int(counted[3]), None, "objects", _phase(counted)) if counted else None


def _phase(row: re.Match[str]) -> str:
    return (row[1] or "") + row[2].lower()


class _Git(Known):
    name = "git"
    programs = ("git",)
    versions = ("2.39.5", "2.47.3")
    reads = _Reader

    def rerun(self, code: int, reader: Reader, argv: Sequence[str]) -> str | None:
        """A clone that fails takes away what it had."""
        return "run.rerun.over" if _verb(argv) == "clone" else None

    def offer(self, argv: Sequence[str]) -> str | None:
        """Only what transfers or checks out has it, and only where it is not told to be quiet."""
        told = has(argv, "--progress", "--no-progress", "-q", "--quiet")
        return "--progress" if _verb(argv) in _TELLING and not told else None


def _verb(argv: Sequence[str]) -> str | None:
    words = iter(argv[1:])
    for word in words:
        if word in _WITH_ARGUMENT:
            next(words, None)
        elif not word.startswith("-"):
            return word
    return None


TOOL = _Git()
