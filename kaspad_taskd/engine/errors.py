"""How the engine says no."""

from __future__ import annotations


class NotFound(Exception):
    """No task has this id."""

    def __init__(self, task_id: str) -> None:
        super().__init__(f"no task has the id {task_id!r}")
        self.task_id = task_id


class NotDurable(Exception):
    """The store could not write the change, so it was not made; the text says why."""


class Gap(Exception):
    """Events were asked for that are not kept (any more), or were never told.

    `oldest` and `seq` are the first and the last that there are.
    """

    def __init__(self, after: int, oldest: int, seq: int) -> None:
        super().__init__(f"the events after {after} are not kept: {oldest} to {seq} are")
        self.oldest = oldest
        self.seq = seq


class Conflict(Exception):
    """The id is taken by another definition."""


class Full(Exception):
    """No further task can be taken; `limit` are there."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"there are {limit} tasks already: remove some (cleanupOldTasks)")
        self.limit = limit
