"""`wait TASK`: until it has ended (of several: wait_several.py; with --now: wait_now.py).

A bar on stderr for a person, the verdict on stdout.
"""

from __future__ import annotations

import sys
import time

from kaspad_taskd.cli.ending import FAILED, RETRY, TIMED_OUT, code_of, is_gone
from kaspad_taskd.cli.filters import is_pattern
from kaspad_taskd.cli.find import find
from kaspad_taskd.cli.screen import Screen
from kaspad_taskd.cli.wait_shown import BarLine, tell_trouble, verdict
from kaspad_taskd.client import Refused, Unreachable

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from typing import Any

    from kaspad_taskd.cli.main import Run

_SLICE = 25.0
_BAR_SLICE = 1.0


def run(run: Run) -> int:
    """Wait, and say how it ended."""
    if run.options.now:
        from kaspad_taskd.cli import wait_now

        return wait_now.run(run)
    began = time.monotonic()
    line = BarLine(Screen(sys.stderr, run.options.color, run.options.ascii))
    if run.options.json:
        line.shown = False
    if run.options.all or len(run.options.task) > 1 or is_pattern(run.options.task[0]):
        from kaspad_taskd.cli import wait_several

        return wait_several.several(run, line, began)
    task = find(run, run.options.task[0])
    try:
        ended, code = _wait(run, task, line, began)
    finally:
        line.clear()
    if run.options.json and ended:
        run.print_json(ended)
    else:
        run.screen.say(verdict(ended or task, code, time.monotonic() - began))
        tell_trouble(run, ended or task)
    return code


def _wait(
    run: Run, task: dict[str, Any], line: BarLine, began: float
) -> tuple[dict[str, Any] | None, int]:
    """Return the task as it ended (None: removed) and the exit code."""
    limit = run.options.timeout or float("inf")
    heard = time.monotonic()
    while (code := code_of(task)) is None:
        left = limit - (time.monotonic() - began)
        if left <= 0:
            return task, TIMED_OUT
        line.draw(task)
        try:
            task = _next(run, task, min(left, _BAR_SLICE if line.shown else _SLICE))
            heard = time.monotonic()
        except Unreachable as fault:
            if is_gone(fault, heard):
                raise
            time.sleep(RETRY)
        except Refused as fault:
            if fault.reason != "not-found":
                raise
            return None, FAILED
    return task, code


def _next(run: Run, task: dict[str, Any], seconds: float) -> dict[str, Any]:
    wanted = {"taskId": task["id"], "revision": task["revision"], "timeout": int(seconds * 1000)}
    run.method = "waitTask"
    found: dict[str, Any] = run.client.call("waitTask", wanted, timeout=seconds + run.timeout)
    return found
