"""What a person types and sees in a terminal: a real shell in a real one, tmux."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kaspad_taskd.cli.bars import time_left
from kaspad_taskd.words import task as words

TITLE = "kaspad-taskctl in a terminal"
PROMPT, COMMAND = "$", "kaspad-taskctl"
COLUMNS, ROWS = 80, 40
PATIENCE = 60.0
"""Seconds until the shell asks for the next command."""

STARTUP = """\
PS1='{prompt} '
alias {command}='{program}'
"""
"""What the shell reads first: the command is as if it were installed, its daemon the system's."""


def typed(socket: Path, place: Path) -> list[str]:
    """Return the lines, colours and all, of typing the command to the daemon at `socket`.

    Blocks. Raises TimeoutError.
    """
    startup = place / "startup.sh"
    program = shlex.join([sys.executable, "-m", "kaspad_taskd.cli", "--socket", str(socket)])
    startup.write_text(STARTUP.format(prompt=PROMPT, command=COMMAND, program=program))
    tmux = _Tmux(place)
    size = ("-x", str(COLUMNS), "-y", str(ROWS))
    tmux.do("new-session", "-d", *size, "-e", f"ENV={startup}", "-e", "LC_ALL=C.UTF-8", "sh")
    try:
        _prompts(tmux, 1)
        tmux.do("send-keys", COMMAND, "Enter")
        return _prompts(tmux, 2)[:-1]
    finally:
        tmux.do("kill-server")


def _prompts(tmux: _Tmux, count: int) -> list[str]:
    """Wait until there are so many; return the lines up to the last, and with it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        bare = [line.rstrip() for line in tmux.do("capture-pane", "-p").rstrip().split("\n")]
        if bare[-1] == PROMPT and sum(line.startswith(PROMPT) for line in bare) == count:
            return tmux.do("capture-pane", "-e", "-p").split("\n")[: len(bare)]
        time.sleep(0.05)
    raise TimeoutError(f"no prompt within {PATIENCE:g} s; the terminal shows {bare}")


class _Tmux:
    """A tmux server of its own."""

    def __init__(self, place: Path) -> None:
        self._command = ("tmux", "-S", str(place / "tmux"), "-f", "/dev/null")
        self._env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMUX": ""}

    def do(self, *words: str) -> str:
        outcome = subprocess.run(
            [*self._command, *words], env=self._env, capture_output=True, text=True, check=True
        )
        return outcome.stdout


def told(tasks: Sequence[Mapping[str, Any]], now: float) -> str:
    """Return what is seen there, for those who do not see it."""
    first = words.most_urgent(tasks)
    head = [words.headline(first, now)] if first else []
    troubles = [words.attention(task, now) for task in tasks if words.troubled(task)]
    return ". ".join([TITLE, *head, *map(_row, tasks), *troubles]) + "."


def _row(task: Mapping[str, Any]) -> str:
    left = time_left(task)
    parts = [words.state(task), words.percent(task), None if left == "-" else f"{left} left"]
    return f"{words.name(task)}, {words.kind(task)}: " + ", ".join(filter(None, parts))
