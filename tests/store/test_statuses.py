"""The second record's lines, beside the tasks that they were written of."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from kaspad_taskd.base import jsontext
from kaspad_taskd.core.model import Task, Watch
from kaspad_taskd.store import statuses
from tests.store.samples import anything


@given(anything(Task), anything(Task))
@settings(max_examples=20)
def test_a_line_agrees_with_a_task_as_the_task_that_is_in_it_does(one: Task, other: Task) -> None:
    """It is compared as it is, for a start of 10,000 tasks: with itself, another, a part of it."""
    line = jsontext.loads(jsontext.dumps(statuses._task(one)))
    said = statuses.task_in(line)
    assert statuses.agrees(said, line)
    for task in (
        other,
        replace(said, attempt=said.attempt + 1),
        replace(said, status=other.status),
        replace(said, watch=Watch.PAUSED),
        replace(said, definition=other.definition),
        replace(said, percent=said.percent + 1, revision=said.revision + 1),
    ):
        assert statuses.agrees(task, line) is statuses.same(task, said)


@given(anything(Task))
@settings(max_examples=20)
def test_a_line_of_an_earlier_version_is_taken_as_that_version_meant_it(one: Task) -> None:
    """It knew of no watch."""
    line = jsontext.loads(jsontext.dumps(statuses._task(one)))
    del line["task"]["watch"]
    assert statuses.agrees(statuses.task_in(line), line)
