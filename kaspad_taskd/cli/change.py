"""The verbs that change how tasks are watched: start, resume, pause, cancel and so on."""

from __future__ import annotations

import time

from kaspad_taskd.cli import detail
from kaspad_taskd.cli.arguments import of_all
from kaspad_taskd.cli.complaints import tell
from kaspad_taskd.cli.faults import FAILED, Fault
from kaspad_taskd.cli.filters import is_called, is_pattern, no_task
from kaspad_taskd.cli.find import find
from kaspad_taskd.client import Refused
from kaspad_taskd.words import kept
from kaspad_taskd.words import task as words
from kaspad_taskd.words.apart import shared
from kaspad_taskd.words.sentences import maybe, say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Iterator
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


_MEANWHILE = ("not-allowed", "not-found")
"""What becomes of a task that ends, or is removed, while all are acted on."""


def run(run: Run) -> int:
    """Do it, and say of each task what has become of it."""
    names = run.options.task
    if len(names) == 1 and not is_pattern(names[0]):
        _one(run, find(run, names[0]))
        return 0
    doing = _Doing(run)
    if getattr(run.options, "all", False):
        doing.every("*")
    for name in names:
        doing.named(name)
    return doing.code


class _Doing:
    """One after the other; what fails is said, and the others are done all the same.

    Attributes:
        code: of the exit, so far.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._done: set[str] = set()  # one may be named twice: by its id, and by its service
        self.code = 0

    def named(self, name: str) -> None:
        """Do it with the task of this id or service; of a pattern with each for which it is."""
        if is_pattern(name) and hasattr(self._run.options, "all"):
            self.every(name)
            return
        try:
            self._act(find(self._run, name))
        except (Refused, Fault) as fault:
            self._failed(fault, name)

    def every(self, pattern: str) -> None:
        """Do it with each task of such a name for which it is of use; others are left alone."""
        verb, tasks = self._run.options.verb, self._run.call("getAllTasks")
        called = [task for task in tasks if is_called(task, pattern)]
        alike = shared(tasks)
        if not called and not self._run.options.all:
            self._failed(no_task(pattern, tasks), pattern)
            return
        wanted = [
            task
            for task in called
            if of_all(verb, task.get("status"), bool(task.get("waitingFor")), task.get("watch"))
        ]
        if not wanted and not self._run.options.json:
            self._run.screen.say(say("changed.nothing", verb=verb))
        for task in wanted:
            try:
                self._act({**task, "alike": task.get("service") in alike})
            except Refused as fault:
                if fault.reason not in _MEANWHILE:
                    self._failed(fault, task["id"])

    def _act(self, task: dict[str, Any]) -> None:
        if task["id"] not in self._done:
            self._done.add(task["id"])
            _one(self._run, task)

    def _failed(self, fault: Refused | Fault, name: str) -> None:
        tell(self._run, fault, name, among=True)
        self.code = FAILED


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
    if kept.kept(task):
        key = words.condition(task)
    said = maybe(f"changed.check.{key}", name=words.name(task))
    if said:
        yield said


def _said(verb: str, task: dict[str, Any], answer: dict[str, Any]) -> str:
    every = task.get("watchInterval") if kept.kept(task) else answer.get("checkInterval")
    return say(
        words.of_type(task.get("type"), f"changed.{verb}"),
        name=words.name(task),
        id=task["id"],
        attempt=task.get("attempt"),
        every=every / 1000 if isinstance(every, int | float) else None,
    )
