"""How all tasks are, for the status line: counted as they change, for there may be 10,000."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final, TypeAlias

from kaspad_taskd.core.model import TROUBLE, Health, Status, Task, Watch
from kaspad_taskd.core.runway import MADE_HERE
from kaspad_taskd.engine.engine import Engine

Json: TypeAlias = Any
Kind: TypeAlias = tuple[Status, Health, Watch]

NAMED: Final = 32
"""Tasks whose names the status line can take; the rest is counted."""


class Overview:
    """Which tasks are in trouble, and how many are how.

    Args:
        engine: whose tasks.
        shape: the public shape of one.
    """

    def __init__(self, engine: Engine, shape: Callable[[Task], Mapping[str, Json]]) -> None:
        self._engine = engine
        self._shape = shape
        self._kinds: Counter[Kind] = Counter()
        self._ill: dict[str, None] = {}

    def begin(self) -> None:
        """Count the tasks that are there, and from then on what changes."""
        for task in self._engine.tasks():
            self._swapped(None, task)
        self._engine.on_swap.append(self._swapped)

    def told(self) -> tuple[list[Mapping[str, Json]], list[tuple[Mapping[str, Json], int]]]:
        """Return the tasks that may be named, trouble first, and how many of the others are how."""
        well = (task for task in self._engine.tasks() if task.id not in self._ill)
        ill = filter(None, map(self._engine.get, self._ill))
        named = [*islice(ill, NAMED)]
        named += islice(well, NAMED - len(named))
        rest = self._kinds - Counter(map(_kind, named))
        return [self._shape(task) for task in named], [
            ({"status": status.value, "health": health.value, "watch": watch.value}, count)
            for (status, health, watch), count in rest.items()
        ]

    def _swapped(self, old: Task | None, new: Task | None) -> None:
        if old is None or new is None or _kind(old) != _kind(new):
            if old is not None:
                self._kinds[_kind(old)] -= 1
            if new is not None:
                self._kinds[_kind(new)] += 1
        if new is not None and _troubled(new):
            self._ill.setdefault(new.id)
        elif self._ill and (gone := new or old) is not None:
            self._ill.pop(gone.id, None)


def _kind(task: Task) -> Kind:
    return task.status, task.health, task.watch


def _troubled(task: Task) -> bool:
    ill = task.status is Status.ERROR or task.health in TROUBLE
    hints = task.live.hints
    return ill or (bool(hints) and any(each.code in MADE_HERE for each in hints))
