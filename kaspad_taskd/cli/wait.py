"""`wait TASK`: until it has ended (of several: waiting.py).

A bar on stderr for a person, the verdict on stdout.
"""

from __future__ import annotations

import sys
import time

from kaspad_taskd.cli.bars import bar
from kaspad_taskd.cli.ending import FAILED, RETRY, TIMED_OUT, code_of, is_gone
from kaspad_taskd.cli.filters import is_pattern
from kaspad_taskd.cli.find import find
from kaspad_taskd.cli.listing import share, time_left
from kaspad_taskd.cli.screen import Screen, clip
from kaspad_taskd.client import Refused, Unreachable
from kaspad_taskd.words import task as words
from kaspad_taskd.words.moment import seconds_of
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from kaspad_taskd.cli.main import Run

_SLICE = 25.0
_BAR_SLICE = 1.0


def run(run: Run) -> int:
    """Wait, and say how it ended."""
    began = time.monotonic()
    line = BarLine(Screen(sys.stderr, run.options.color, run.options.ascii))
    if run.options.json:
        line.shown = False
    if run.options.all or len(run.options.task) > 1 or is_pattern(run.options.task[0]):
        from kaspad_taskd.cli import waiting

        return waiting.several(run, line, began)
    task = find(run, run.options.task[0])
    try:
        ended, code = _wait(run, task, line, began)
    finally:
        line.clear()
    if run.options.json and ended:
        run.print_json(ended)
    else:
        run.screen.say(verdict(ended or task, code, time.monotonic() - began))
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


def verdict(task: Mapping[str, Any], code: int, waited: float) -> str:
    """Return how it ended, or that it has not within `waited` s.

    Args:
        task: as it was last seen.
        code: of the exit (ending.py): TIMED_OUT, or FAILED where it was removed.
        waited: seconds.
    """
    began, done = seconds_of(task.get("startedAt")), seconds_of(task.get("completedAt"))
    key = {TIMED_OUT: "timeout", FAILED: "removed"}.get(code, str(task.get("status")))
    state = words.percent(task, "tilde") or words.state(task)
    left = words.left(task)
    return say(
        f"wait.{key}",
        name=words.name(task),
        word=words.done_word(task),
        took=done - began if began and done else None,
        error=task.get("error"),
        waited=waited,
        state=state,
        left=time_left(task) if left else None,
    )


class BarLine:
    """One line on a terminal's stderr, rewritten in place; nothing where there is no terminal."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self.shown = screen.terminal
        self._drawn = False

    def draw(self, task: Mapping[str, Any]) -> None:
        """Show how far the task is."""
        if not self.shown:
            return
        head = f"{words.name(task)}  {words.state(task)}  "
        line = [(head, ""), bar(task, 20), (f"  {share(task)}  {time_left(task)}", "")]
        text = self._screen.text(clip(line, self._screen.size()[0] - 1))
        self._drawn = True
        self._write(f"\r{text}\x1b[K")

    def clear(self) -> None:
        """Leave nothing behind."""
        if self.shown and self._drawn:
            self._drawn = False
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        self._screen.out.write(text)
        self._screen.out.flush()
