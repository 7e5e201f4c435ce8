"""What may happen ten thousand times a second is said once a minute."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from kaspad_taskd.base.repeats import Repeats, counted

WARNINGS: Final = "py.warnings"
"""The logger of Python's own warnings."""


class Sparing:
    """Decides what is said: the first of each cause at once, and one a minute from then on."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._repeats = Repeats()

    def may(self, *cause: object) -> int | None:
        """Return how many were kept back since the last one that was said; None: keep it back."""
        return self._repeats.told(repr(cause), "", self._clock())


class SparingFilter(logging.Filter):
    """Lets each cause through once a minute: for loggers of libraries, which complain as they like.

    A cause is the message before its values are filled in, with the exception's type; of a Python
    warning, whose text comes filled in, the file, line and category that it begins with.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._sparing = Sparing(clock)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is said; with how many like it were not."""
        kind = record.exc_info[0] if record.exc_info else None
        what = str(record.msg)[:200]
        if record.name == WARNINGS:
            what = ":".join(record.getMessage().split(":")[:3])
        kept = self._sparing.may(record.name, record.levelno, what, kind)
        if kept is None:
            return False
        if kept:
            record.msg, record.args = counted(record.getMessage(), kept), ()
        return True
