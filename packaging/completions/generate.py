"""Writes the shell completions beside it, from the client's own parsers (development only).

Run it after a change of the options: python packaging/completions/generate.py
"""

from __future__ import annotations

import argparse
from pathlib import Path

import shtab

from kaspad_taskd.cli.arguments import STATUSES
from kaspad_taskd.cli.options import PROG, full_parser

HERE = Path(__file__).parent
FILES = {"bash": "kaspad-taskctl.bash", "zsh": "_kaspad-taskctl", "fish": "kaspad-taskctl.fish"}
TASK = {"bash": "_kaspad_taskctl_tasks", "zsh": "_kaspad_taskctl_tasks",
        "fish": f"({PROG} list --ids 2>/dev/null)"}  # fmt: skip
PREAMBLE = {
    "bash": f"""
_kaspad_taskctl_tasks() {{
  compgen -W "$({PROG} list --ids 2>/dev/null)" -- "$1"
}}
""",
    "zsh": f"""
_kaspad_taskctl_tasks() {{
  local -a ids
  ids=(${{(f)"$({PROG} list --ids 2>/dev/null)"}})
  compadd -a ids
}}
""",
}


def completions() -> dict[str, str]:
    """Return each file's name and text."""
    parser = full_parser()
    for action in parser._actions:
        _teach(action)
    return {
        name: shtab.complete(parser, shell, preamble=PREAMBLE)  # type: ignore[arg-type]
        for shell, name in FILES.items()
    }


def _teach(action: argparse.Action) -> None:
    """Say what completes an argument: a task's id, or a file."""
    if isinstance(action, argparse._SubParsersAction):
        for parser in action.choices.values():
            for inner in parser._actions:
                _teach(inner)
    elif action.dest in ("config", "socket", "file"):
        action.complete = shtab.FILE  # type: ignore[attr-defined]
    elif action.dest == "status":
        action.choices = STATUSES
    elif action.dest in ("task", "after", "names") and action.type is None:
        action.complete = TASK  # type: ignore[attr-defined]


def main() -> None:
    """Write the files."""
    for name, text in completions().items():
        (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
