"""What is counted for `/metrics` and stands in no table: looks and commits, how long they took.

Imports nothing of the bridge's libraries: the daemon counts from its start.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from kaspad_taskd.core.observation import Json, Observation, Reading
from kaspad_taskd.core.record import Change, Outcome
from kaspad_taskd.engine.ports import Probe, Store

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
"""Upper ends, in seconds, of the classes of commits."""


class Looks:
    """How many looks at a task there were, how many brought no reading, and their seconds."""

    __slots__ = ("count", "failed", "seconds")

    def __init__(self) -> None:
        self.count = 0
        self.failed = 0
        self.seconds = 0.0

    def note(self, seconds: float, *, answered: bool) -> None:
        """Count a look."""
        self.count += 1
        self.seconds += seconds
        self.failed += not answered


class Counts:
    """All counts since the start.

    Attributes:
        began: seconds since 1970 at the start.
        looks: by the task's id.
        commits: changes by class of BOUNDS, the last one beyond; `commit_seconds` their sum.
    """

    def __init__(self) -> None:
        self.began = time.time()
        self.looks: dict[str, Looks] = {}
        self.commits = [0] * (len(BOUNDS) + 1)
        self.commit_seconds = 0.0

    def commit(self, seconds: float) -> None:
        """Count a change that was put on record, or was not."""
        self.commits[bisect_left(BOUNDS, seconds)] += 1
        self.commit_seconds += seconds

    def forget_all_but(self, task_ids: Iterable[str]) -> None:
        """Let go of the looks at tasks that went."""
        for gone in self.looks.keys() - set(task_ids):
            del self.looks[gone]

    def probe(self, task_id: str, probe: Probe) -> Probe:
        """Return the probe, its looks counted."""
        return CountedProbe(probe, self.looks.setdefault(task_id, Looks()))


class CountedProbe:
    """A probe whose looks are counted."""

    def __init__(self, probe: Probe, looks: Looks) -> None:
        self._probe = probe
        self._looks = looks

    async def observe(self, memory: Mapping[str, Json]) -> Observation | None:
        """Ask once."""
        began, answered = time.monotonic(), False
        try:
            seen = await self._probe.observe(memory)
            answered = isinstance(seen, Reading)
        finally:
            self._looks.note(time.monotonic() - began, answered=answered)
        return seen

    async def close(self) -> None:
        """Let connections go."""
        await self._probe.close()


class CountedStore:
    """A store whose commits are timed, from the change's submission to its outcome."""

    def __init__(self, store: Store, note: Callable[[float], None]) -> None:
        self._store = store
        self._note = note
        self._submitted: deque[float] = deque()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def start(self, settled: Callable[[Sequence[Outcome]], None]) -> None:
        """Begin to commit."""

        def noted(outcomes: Sequence[Outcome]) -> None:
            now = time.monotonic()
            for _ in outcomes:
                self._note(now - self._submitted.popleft())
            settled(outcomes)

        self._store.start(noted)

    def submit(self, change: Change) -> None:
        """Queue a change."""
        self._store.submit(change)
        self._submitted.append(time.monotonic())
