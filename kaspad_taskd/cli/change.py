"""The verbs that change how tasks are watched: start, resume, pause, cancel and so on."""

from __future__ import annotations

import time

from kaspad_taskd.cli import detail
from kaspad_taskd.cli.faults import FAILED, Fault
from kaspad_taskd.cli.find import find
from kaspad_taskd.cli.telling import tell
from kaspad_taskd.cli.wanted import of_all
from kaspad_taskd.client import Refused
from kaspad_taskd.words import task as words
from kaspad_taskd.words.apart import shared
from kaspad_taskd.words.sentences import maybe, say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from typing import Any

    from kaspad_taskd.cli.main import Run

_METHODS = {
    "start": "startMonitoring",
    "resume": "resumeTask",
    "pause": "pauseTask",
    "check": "checkTaskStatus",
    "cancel": "cancelTask",
    "retry": "retryTask",
    "remove": "removeTask",
}


def run(run: Run) -> int:
    """Do it, and say of each task what has become of it."""
    if getattr(run.options, "all", False):
        return _every(run)
    names = run.options.task
    if len(names) == 1:
        _one(run, find(run, names[0]))
        return 0
    return _several(run, names)


def _every(run: Run) -> int:
    """Each task for which the verb is of use; others are left alone."""
    verb, tasks = run.options.verb, run.call("getAllTasks")
    found = [
        task["id"]
        for task in tasks
        if of_all(verb, task.get("status"), bool(task.get("waitingFor")))
    ]
    if not found and not run.options.json:
        run.screen.say(say("changed.nothing", verb=verb))
    return _several(run, found, shared(tasks))


def _several(run: Run, names: Sequence[str], alike: Container[str] = ()) -> int:
    """One after the other; what fails is said, and the others are done all the same.

    `alike`: the services that do not tell a task.
    """
    code = 0
    done: set[str] = set()
    for name in names:
        try:
            task = find(run, name)
            if task["id"] not in done:  # named twice: by its id, and by its service
                done.add(task["id"])
                _one(run, {**task, "alike": task.get("service") in alike})
        except (Refused, Fault) as fault:
            tell(run, fault, name, among=True)
            code = FAILED
    return code


def _one(run: Run, task: dict[str, Any]) -> None:
    verb = run.options.verb
    answer = run.call(_METHODS[verb], {"taskId": task["id"]})
    if run.options.json:
        run.print_json(answer)
    elif verb == "check":
        for said in _unlooked(task):
            run.screen.say(said)
        run.screen.show(detail.page(answer["task"], run.screen.width, time.time()))
    else:
        run.screen.say(_said(verb, {**task, **(answer.get("task") or {})}, answer))


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
