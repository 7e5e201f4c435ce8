"""Tools that tell how far they are when they get a signal: asked only while they surely catch it.

Before dd has its handler the signal ends it. So each time the process is looked at anew: it is the
very one that was begun, ours, and says that it catches the signal.
"""

from __future__ import annotations

import os
import signal
from time import monotonic

from kaspad_taskd.cli.run.canary import masked
from kaspad_taskd.cli.run.place import ticks
from kaspad_taskd.cli.run.sieve import Sieve

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.pump import Tap
    from kaspad_taskd.cli.run.tools.tool import Tool

EVERY = 5.0
"""Seconds between two questions."""


class Asking:
    """Asks one command, if its tool is one that can be asked."""

    def __init__(
        self, pid: int, tool: Tool | None, argv: Sequence[str], tap: Tap | None = None
    ) -> None:
        named = tool.asking(argv) if tool is not None else None
        self._number = getattr(signal, named, None) if named else None
        self._programs = tuple(tool.programs) if tool is not None else ()
        self._pid = pid
        self._began = ticks(pid) if self._number else None
        self._due = monotonic() + EVERY
        self._sieve = Sieve.of(tool.name) if tool is not None and self._began else None
        if tap is not None and self._sieve is not None:
            tap.sieve = self._sieve

    def ask(self) -> None:
        """Send its signal, if it is time and may be done."""
        if self._number is None or self._began is None or monotonic() < self._due:
            return
        self._due = monotonic() + EVERY
        try:
            mine = os.stat(f"/proc/{self._pid}").st_uid == os.geteuid()  # noqa: PTH116
            if mine and self._is_it() and self._number in masked(self._pid, "SigCgt"):
                if self._sieve is not None:
                    self._sieve.asked += 1
                os.kill(self._pid, self._number)
        except OSError:
            pass

    def _is_it(self) -> bool:
        """Whether it is the process that was begun, and runs the tool itself: no sudo, no shell."""
        with open(f"/proc/{self._pid}/comm", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            name = file.read().strip()
        return ticks(self._pid) == self._began and name in [each[:15] for each in self._programs]
