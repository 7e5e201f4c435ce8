"""What the status line knows of all tasks is what they are, however they came to be so."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.core.model import Health, Live, Status, Task, Watch
from kaspad_taskd.core.observation import Hint
from kaspad_taskd.daemon.overview import NAMED, Overview
from tests.fakes.house import EPOCH, definition

HINTS = st.sampled_from([(), (Hint("disk-runway"),), (Hint("no-peers"),)])
KINDS = st.tuples(st.sampled_from(Status), st.sampled_from(Health), st.sampled_from(Watch), HINTS)
CHANGES = st.lists(st.tuples(st.integers(0, 30), st.none() | KINDS), max_size=120)


class Table:
    """An engine's table, without an engine."""

    def __init__(self) -> None:
        self.on_swap: list[Any] = []
        self.there: dict[str, Task] = {}

    def tasks(self) -> list[Task]:
        return list(self.there.values())

    def get(self, task_id: str) -> Task | None:
        return self.there.get(task_id)

    def change(self, number: int, kind: Any) -> None:
        old = self.there.pop(f"t{number}", None)
        new = None
        if kind is not None:
            status, health, watch, hints = kind
            new = Task(definition(f"t{number}"), EPOCH, number, status, health, watch=watch,
                       live=Live(hints=hints))  # fmt: skip
            self.there[new.id] = new
        if old is not None or new is not None:
            for tell in self.on_swap:
                tell(old, new)


def _ill(task: Task) -> bool:
    return (
        task.status is Status.ERROR
        or task.health in (Health.BEHIND, Health.STALLED, Health.UNREACHABLE)
        or any(each.code == "disk-runway" for each in task.live.hints)
    )


@given(CHANGES, CHANGES)
def test_what_is_counted_is_what_is_there(before: list[Any], after: list[Any]) -> None:
    """Those in trouble are named first, and who is not named is counted by how he is."""
    table: Any = Table()
    overview = Overview(table, lambda task: {"id": task.id})
    for change in before:
        table.change(*change)
    overview.begin()
    for change in after:
        table.change(*change)
    named, others = overview.told()
    ids = [each["id"] for each in named]
    assert len(ids) == len(set(ids)) == min(NAMED, len(table.there))
    trouble = {task.id for task in table.tasks() if _ill(task)}
    assert set(ids[: len(trouble)]) <= trouble
    rest = Counter(
        (task.status.value, task.health.value, task.watch.value)
        for task in table.tasks()
        if task.id not in ids
    )
    assert {(each["status"], each["health"], each["watch"]): n for each, n in others} == rest
