"""The newest computed state of each task that is not settled: what the next input steps from."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from kaspad_taskd.core.model import Task


@dataclass(slots=True)
class Tip:
    """The newest state of a task (None: removed), and how many of its changes are under way."""

    task: Task | None
    changes: int = 0
    settled: asyncio.Future[None] | None = None


class Tips:
    """All tips, by task id."""

    def __init__(self) -> None:
        self._tips: dict[str, Tip] = {}

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._tips

    def ids(self) -> list[str]:
        """The ids of all tasks with a change under way."""
        return list(self._tips)

    def get(self, task_id: str) -> Tip | None:
        """The tip of a task, if one of its changes is under way."""
        return self._tips.get(task_id)

    def submitted(self, task_id: str, task: Task | None) -> None:
        """A change is under way that makes `task` the newest state."""
        tip = self._tips.setdefault(task_id, Tip(task))
        tip.task = task
        tip.changes += 1

    def settle(self, task_id: str) -> Tip | None:
        """One change of a task is on disk; returns the tip if it was the last one under way."""
        tip = self._tips[task_id]
        tip.changes -= 1
        if tip.changes:
            return None
        self._drop(task_id, tip)
        return tip

    def forget(self, task_id: str) -> None:
        """A change failed, and with it all that stood on it."""
        tip = self._tips.get(task_id)
        if tip is not None:
            self._drop(task_id, tip)

    async def wait(self, task_id: str) -> None:
        """Wait until no change of the task is under way."""
        tip = self._tips.get(task_id)
        if tip is None:
            return
        if tip.settled is None:
            tip.settled = asyncio.get_running_loop().create_future()
        await asyncio.shield(tip.settled)

    def _drop(self, task_id: str, tip: Tip) -> None:
        del self._tips[task_id]
        if tip.settled is not None and not tip.settled.done():
            tip.settled.set_result(None)
