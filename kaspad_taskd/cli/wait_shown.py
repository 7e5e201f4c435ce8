"""What is shown of a task that is waited for: how far it is, and how it ended."""

from __future__ import annotations

import sys
import time

from kaspad_taskd.cli.bars import bar, share, time_left
from kaspad_taskd.cli.ending import FAILED, TIMED_OUT
from kaspad_taskd.cli.screen import Screen, clip
from kaspad_taskd.words import kept
from kaspad_taskd.words import task as words
from kaspad_taskd.words.moment import seconds_of
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from kaspad_taskd.cli.main import Run


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


def tell_trouble(run: Run, task: Mapping[str, Any]) -> None:
    """Say beside the verdict, on stderr, what is wrong with it since it was complete."""
    if kept.kept(task) and words.troubled(task):
        now = f"{words.headline(task, time.time())}."
        Screen(sys.stderr, "never", run.options.ascii).say(now)


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
