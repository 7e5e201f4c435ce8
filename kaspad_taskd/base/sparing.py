"""What may happen ten thousand times a second is said once a minute."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

EVERY: Final = 60.0
"""Seconds between two lines about the same cause."""
_CAUSES: Final = 256
"""Causes that are remembered; of more of them the oldest is forgotten, and said anew."""


class Sparing:
    """Decides what is said: the first of each cause at once, and one in `every` seconds then."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, every: float = EVERY) -> None:
        self._clock = clock
        self._every = every
        self._said: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def may(self, cause: Hashable) -> int | None:
        """Return how many were kept back since the last one that was said; None: keep it back."""
        now = self._clock()
        since, kept = self._said.get(cause, (now, 0))
        if cause in self._said and now - since < self._every:
            self._said[cause] = since, kept + 1
            return None
        self._said[cause] = now, 0
        self._said.move_to_end(cause)
        while len(self._said) > _CAUSES:
            self._said.popitem(last=False)
        return kept


class SparingFilter(logging.Filter):
    """Lets each cause through once a minute: for loggers of libraries, which complain as they like.

    A cause is the message before its values are filled in, with the exception's type.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._sparing = Sparing(clock)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is said; with how many like it were not."""
        kind = record.exc_info[0] if record.exc_info else None
        kept = self._sparing.may((record.name, record.levelno, str(record.msg)[:200], kind))
        if kept is None:
            return False
        if kept:
            record.msg, record.args = f"{record.getMessage()} (and {kept} more like it)", ()
        return True
