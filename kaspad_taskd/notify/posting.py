"""Tries in threads of their own: a few at once, each with an answer in the end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Final, TypeAlias

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.notify.model import Outcome, Why

MOST: Final = 4
"""Tries at once: a child of 50 MiB each."""

Job: TypeAlias = Callable[[threading.Event], Outcome]
"""Tries once and blocks for so long; the event, when it is set, ends it at once."""

log = logging.getLogger(__name__)


class Errand(StrEnum):
    """What a try is for."""

    MESSAGE = "message"
    TEST = "test"
    BEAT = "beat"


@frozen
class Tried:
    """What came of a try.

    Attributes:
        errand: what it was for.
        place: where it went.
        number: of the entry, or of the test.
        outcome: what came of it.
        took: seconds.
    """

    errand: Errand
    place: str
    number: int
    outcome: Outcome
    took: float


class Post:
    """Sends, and knows which places are busy. For one thread that asks, which hears the answers.

    Args:
        answer: takes what came of each, from another thread.
    """

    def __init__(self, answer: Callable[[Tried], None]) -> None:
        self._answer = answer
        self._stop = threading.Event()
        self._busy: dict[str, threading.Thread] = {}

    @property
    def busy(self) -> frozenset[str]:
        """Places at which a try is under way."""
        return frozenset(self._busy)

    @property
    def is_full(self) -> bool:
        """Whether another try has to wait."""
        return len(self._busy) >= MOST

    def begin(self, errand: Errand, place: str, number: int, job: Job) -> None:
        """Try; the answer that comes has to be given to `done`."""

        def run() -> None:
            began = time.monotonic()
            try:
                outcome = job(self._stop)
            except Exception as fault:
                log.error("trying %s failed: %s", place, type(fault).__name__)
                outcome = Outcome(False, Why.FAULT)
            self._answer(Tried(errand, place, number, outcome, time.monotonic() - began))

        thread = threading.Thread(target=run, name=f"to {place}", daemon=True)
        self._busy[place] = thread
        thread.start()

    def done(self, tried: Tried) -> None:
        """The place of an answer is free again."""
        thread = self._busy.pop(tried.place, None)
        if thread is not None:
            thread.join()

    def give_up(self) -> None:
        """Let all that is under way end at once."""
        self._stop.set()
