"""The writer: one thread that commits whatever is queued as one group.

While it waits for the disk the next group gathers, so 64 changes cost little more than one. The
loop hears of each group once.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import TypeAlias

from kaspad_taskd.core.record import Change, Outcome
from kaspad_taskd.store.fault import StoreError

Commit: TypeAlias = Callable[[Sequence[Change]], tuple[list[Outcome], str | None]]
"""Makes changes durable, in order: the outcomes of those that are, and why the next is not."""
Settled: TypeAlias = Callable[[Sequence[Outcome]], None]

GROUP = 256
"""Changes in one transaction at most: some 10 ms of work, so nobody waits long for others."""
QUEUE = 16_384
"""Changes that may wait: 10,000 tasks (the most there are) with one each, and requests."""
IDLE = 0.5
"""Seconds after which an idle writer looks whether all is in its place; a sign of life, too."""


class Writer:
    """The thread, its queue, and the way back to the loop.

    When a commit fails, all that is queued fails with it: it was computed from what is not so. So
    that nothing slips in between, the writer then stands still until the loop has taken the queue
    and told everyone, in one stretch.

    Args:
        commit: called in the thread, never by two at once.
        tidy: called in the thread between groups; its argument says whether nobody waits.
        finish: called in the thread as its last act.

    Attributes:
        answered: monotonic time of the last sign of life.
    """

    def __init__(
        self, commit: Commit, tidy: Callable[[bool], None], finish: Callable[[], None]
    ) -> None:
        self._commit = commit
        self._tidy = tidy
        self._finish = finish
        self._queue: SimpleQueue[Change | None] = SimpleQueue()  # None: the end
        self._told = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self.answered = time.monotonic()

    def start(self, settled: Settled) -> None:
        """Begin; `settled` is called on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._settled = settled
        self.answered = time.monotonic()
        self._thread.start()

    def submit(self, change: Change) -> None:
        """Queue a change (on the loop).

        Raises:
            StoreError: QUEUE changes wait already; this one is not queued.
        """
        if self._queue.qsize() >= QUEUE:
            raise StoreError(f"{QUEUE} changes wait for the disk, which does not answer")
        self._queue.put(change)

    def end(self) -> None:
        """Take nothing further; what is queued is still committed (on the loop)."""
        self._queue.put(None)

    def ended(self, patience: float) -> bool:
        """Wait up to `patience` seconds for the last commit (not on the loop: it has to hear)."""
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _run(self) -> None:
        going = True
        while going:
            group, going = self._next()
            if group and not self._write(group):
                break  # the loop is gone: nobody is left to be told
            self.answered = time.monotonic()
            self._tidy(self._queue.empty())
        self._finish()

    def _next(self) -> tuple[list[Change], bool]:
        """What is queued, up to GROUP, and whether more may follow; nothing after IDLE s."""
        group: list[Change] = []
        try:
            change = self._queue.get(timeout=IDLE)
            while change is not None:
                group.append(change)
                if len(group) == GROUP:
                    break
                change = self._queue.get_nowait()
        except Empty:
            return group, True
        return group, change is not None

    def _write(self, group: list[Change]) -> bool:
        outcomes, fault = self._commit(group)
        if fault is None:
            return self._post(lambda: self._settled(outcomes))
        self._told.clear()
        failed = group[len(outcomes) :]
        posted = self._post(lambda: self._fail(outcomes, failed, fault))
        while posted and not self._told.wait(IDLE):
            self.answered = time.monotonic()
        return posted

    def _post(self, call: Callable[[], None]) -> bool:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:  # the loop is closed
            return False
        return True

    def _fail(self, outcomes: list[Outcome], failed: list[Change], fault: str) -> None:
        """Tell a failed group, and all that is queued, as one (on the loop)."""
        failed.extend(self._take_queue())
        try:
            self._settled([*outcomes, *(Outcome(change, fault=fault) for change in failed)])
        finally:
            self._told.set()

    def _take_queue(self) -> list[Change]:
        taken: list[Change] = []
        ending = False
        while not self._queue.empty():
            change = self._queue.get_nowait()
            if change is None:
                ending = True
            else:
                taken.append(change)
        if ending:
            self._queue.put(None)
        return taken
