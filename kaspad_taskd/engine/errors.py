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
    """Events were asked for that are not kept (any more), never told, or of another journal.

    `oldest` and `seq` are the first and the last that there are, `journal` is whose they are.
    """

    def __init__(
        self, after: int, oldest: int, seq: int, journal: str = "", *, other: bool = False
    ) -> None:
        kept = f"{oldest} to {seq} are"
        if other:
            super().__init__(
                f"the journal is another one by now ({journal}): its events {kept} kept"
            )
        else:
            super().__init__(f"the events after {after} are not kept: {kept}")
        self.oldest = oldest
        self.seq = seq
        self.journal = journal


class Conflict(Exception):
    """The id is taken by another definition."""


class Full(Exception):
    """No further task can be taken; `limit` are there."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"there are {limit} tasks already: remove some (cleanupOldTasks)")
        self.limit = limit
