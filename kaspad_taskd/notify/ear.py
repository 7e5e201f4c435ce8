"""A thread that hears what the notifier tells of: begun, stopped, and with signs of life."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from kaspad_taskd.notify.snapshot import Asks

WordT = TypeVar("WordT")


class Stopped(Exception):
    """Somebody wants it to end."""


class Ear(ABC, Generic[WordT]):
    """Hears until it is stopped.

    Args:
        name: of the thread.
        tell: takes each word; not called again before it returns.
        idle: called every second or so.

    Attributes:
        asks: what is asked for besides.
        answered: when who is heard gave a sign of life, by time.monotonic(), or we began.
        turned: when the thread gave one itself.
    """

    def __init__(self, name: str, tell: Callable[[WordT], None], idle: Callable[[], None]) -> None:
        self._tell = tell
        self._idle = idle
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.asks = Asks()
        self.answered = self.turned = time.monotonic()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, patience: float = 1.0) -> None:
        """Let it end; a question under way is not waited for."""
        self._stop.set()
        self._thread.join(patience)

    @abstractmethod
    def _run(self) -> None:
        """Hear, until `_stop` is set."""

    def _live(self) -> None:
        """Give a sign of life, and see what others want."""
        self._hold_on()
        self.turned = time.monotonic()
        self._idle()

    def _say(self, word: WordT) -> None:
        self._hold_on()
        self._tell(word)

    def _hold_on(self) -> None:
        if self._stop.is_set():
            raise Stopped
