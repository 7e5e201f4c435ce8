"""`wait` for several tasks: until each has ended, or with --any the first of them.

One connection tells what happens, another asks for what has changed; both come back after a
restart of the daemon.
"""

from __future__ import annotations

import time

from kaspad_taskd.cli.arguments import of_all
from kaspad_taskd.cli.ending import FAILED, RETRY, TIMED_OUT, code_of, is_gone, worst
from kaspad_taskd.cli.filters import called, is_pattern
from kaspad_taskd.cli.find import find
from kaspad_taskd.cli.streams import must_be_read
from kaspad_taskd.cli.wait_shown import tell_trouble, verdict
from kaspad_taskd.cli.watch import Watched, hear
from kaspad_taskd.client import Refused, Unreachable
from kaspad_taskd.words.apart import shared
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from kaspad_taskd.cli.main import Run
    from kaspad_taskd.cli.wait_shown import BarLine
    from kaspad_taskd.client import Subscription

_TICK = 1.0
_QUIET = 25.0  # seconds without an event, then the daemon is asked whether it is there
_NAMED = 1000  # ids that a subscription may name; more, and it is told of all tasks


def several(run: Run, line: BarLine, began: float) -> int:
    """Wait; each task has its own line, told when it has ended. Returns the exit code."""
    tasks = wanted(run)
    if not tasks:
        if not run.options.json:
            run.screen.say(say("wait.nothing"))
        return 0
    ends = _Ends(run, tasks, line, began)
    try:
        return _follow(run, ends, began + (run.options.timeout or float("inf")))
    finally:
        line.clear()


def wanted(run: Run) -> list[dict[str, Any]]:
    """Return the tasks that are named, each once; of a pattern, and all, those not ended yet.

    Raises:
        Fault: one of the names is none.
    """
    found = _live(run, "*") if run.options.all else []
    for name in run.options.task:
        found += _live(run, name) if is_pattern(name) else [find(run, name)]
    return list({task["id"]: task for task in found}.values())


def _live(run: Run, pattern: str) -> list[dict[str, Any]]:
    every: list[dict[str, Any]] = run.call("getAllTasks")
    found = called(every, pattern, all_=run.options.all)
    return [task for task in found if of_all("wait", task.get("status"), False)]


class _Ends:
    """The tasks waited for, and how those that have ended did.

    Attributes:
        watched: the tasks as last heard.
        line: shows how far the first is that goes on.
    """

    def __init__(self, run: Run, tasks: list[dict[str, Any]], line: BarLine, began: float) -> None:
        self.watched = Watched(run, [task["id"] for task in tasks])
        self.line = line
        self._run = run
        self._began = began
        self._alike = shared(tasks)
        self._open: dict[str, dict[str, Any]] = {task["id"]: task for task in tasks}
        self._codes: list[int] = []

    def code(self) -> int | None:
        """Tell what has ended since; return the exit code, or None: it is waited for more."""
        for task_id in list(self._open):
            task = self.watched.tasks.get(task_id)
            code = FAILED if task is None else code_of(task)
            if code is None:
                self._open[task_id] = task or {}
                continue
            known = self._open.pop(task_id)
            self._codes.append(code)
            self._tell(task or known, code)
            if self._run.options.any:
                return code
        return None if self._open else worst(self._codes)

    def too_late(self) -> int:
        """Tell of those that go on; return the exit code."""
        for task in self._open.values():
            self._tell(task, TIMED_OUT)
        return TIMED_OUT

    def _tell(self, task: Mapping[str, Any], code: int) -> None:
        self.line.clear()
        if self._run.options.json:
            self._run.print_json(task)
            return
        shown = {**task, "alike": True} if task.get("service") in self._alike else task
        self._run.screen.say(verdict(shown, code, time.monotonic() - self._began))
        tell_trouble(self._run, shown)

    def draw(self) -> None:
        """Show on a terminal what is waited for."""
        self.line.draw(next(iter(self._open.values())))


def _follow(run: Run, ends: _Ends, limit: float) -> int:
    """Return the exit code; raises Unreachable when the daemon stays away."""
    ids = ends.watched.ids or []
    heard = _Heard()
    while True:
        try:
            source = run.client.subscribe(tasks=ids if len(ids) <= _NAMED else None)
            try:
                ends.watched.snapshot(source)
                return _listen(run, ends, source, limit, heard)
            finally:
                source.close()
        except Refused as fault:
            if fault.reason != "gap":
                raise
        except Unreachable as fault:
            if time.monotonic() >= limit:
                return ends.too_late()
            if is_gone(fault, heard.at):
                raise
            time.sleep(RETRY)


class _Heard:
    """When the daemon was last heard, by time.monotonic()."""

    def __init__(self) -> None:
        self.at = time.monotonic()

    def now(self, _event: object = None) -> None:
        """It was heard."""
        self.at = time.monotonic()


def _listen(run: Run, ends: _Ends, source: Subscription, limit: float, heard: _Heard) -> int:
    heard.now()
    while (code := ends.code()) is None:
        now = time.monotonic()
        if now >= limit:
            return ends.too_late()
        ends.draw()
        must_be_read()
        if now - heard.at > _QUIET:
            run.call("ping")
            heard.now()
        hear(ends.watched, source, heard.now, min(now + _TICK, limit))
    return code
