"""Tries in threads of their own: a few at once, each with an answer in the end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from kaspad_taskd.notify.model import Message, Outcome, Target, Why

MOST: Final = 4
"""Tries at once: a child of 50 MiB each."""

log = logging.getLogger(__name__)


class Sender(Protocol):
    """Tries once; blocks for so long. `kaspad_taskd.notify.sending.send`."""

    def __call__(
        self, target: Target, message: Message, *, stop: threading.Event | None
    ) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a try.

    Attributes:
        place: where it went.
        number: of the entry; of a test its number.
        outcome: what came of it.
        took: seconds.
        test: whether somebody asked for it.
    """

    place: str
    number: int
    outcome: Outcome
    took: float
    test: bool = False


class Post:
    """Sends, and knows which places are busy. For one thread that asks, which hears the answers.

    Args:
        send: what tries.
        answer: takes what came of each, from another thread.
    """

    def __init__(self, send: Sender, answer: Callable[[Tried], None]) -> None:
        self._send = send
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

    def begin(
        self, place: str, number: int, target: Target, message: Message, *, test: bool = False
    ) -> None:
        """Try; `done` has to be called with the answer."""

        def run() -> None:
            began = time.monotonic()
            try:
                outcome = self._send(target, message, stop=self._stop)
            except Exception as fault:  # noqa: BLE001 - its text may have an address
                log.error("sending to %s failed: %s", target.name, type(fault).__name__)
                outcome = Outcome(False, Why.FAULT)
            self._answer(Tried(place, number, outcome, time.monotonic() - began, test))

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
