"""The verbs that change how a task is watched: start, pause, check, cancel, retry, remove."""

from __future__ import annotations

import time

from kaspad_taskd.cli import detail
from kaspad_taskd.cli.find import find
from kaspad_taskd.words import task as words
from kaspad_taskd.words.sentences import maybe, say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from kaspad_taskd.cli.main import Run

_METHODS = {
    "start": "startMonitoring",
    "pause": "pauseTask",
    "check": "checkTaskStatus",
    "cancel": "cancelTask",
    "retry": "retryTask",
    "remove": "removeTask",
}


def run(run: Run) -> int:
    """Do it, and say what has become of the task."""
    verb = run.options.verb
    task = find(run, run.options.task)
    answer = run.call(_METHODS[verb], {"taskId": task["id"]})
    if run.options.json:
        run.print_json(answer)
    elif verb == "check":
        for said in _unlooked(task):
            run.screen.say(said)
        run.screen.show(detail.page(answer["task"], run.screen.width, time.time()))
    else:
        run.screen.say(_said(verb, {**task, **(answer.get("task") or {})}, answer))
    return 0


def _unlooked(task: dict[str, Any]) -> Iterator[str]:
    """That no look was taken, and why, where that is so."""
    status, reports = str(task.get("status")), task.get("type") == "report"
    if "check" in (task.get("actions") or ()) or (status == "in-progress" and not reports):
        return
    key = "report" if status == "in-progress" else status
    said = maybe(f"changed.check.{key}", name=words.name(task))
    if said:
        yield said


def _said(verb: str, task: dict[str, Any], answer: dict[str, Any]) -> str:
    every = answer.get("checkInterval")
    return say(
        words.of_type(task.get("type"), f"changed.{verb}"),
        name=words.name(task),
        id=task["id"],
        attempt=task.get("attempt"),
        every=every / 1000 if isinstance(every, int | float) else None,
    )
