"""kaspad-taskctl: what the daemon watches, in a terminal."""

from __future__ import annotations

import sys


def main() -> int:
    """Run kaspad-taskctl with the process's arguments; returns its exit code."""
    try:
        from kaspad_taskd.cli.run.wish import is_run, wish_of

        wish = wish_of(sys.argv[1:]) if is_run(sys.argv[1:]) else None
        if wish is not None and (wish.chosen is None or _is_tool(wish.chosen)):
            from kaspad_taskd.cli.run import verb

            verb.run(wish)
        from kaspad_taskd.cli.main import run

        return run()
    except KeyboardInterrupt:  # before or after the verb itself
        return 130


def _is_tool(chosen: str) -> bool:
    """Whether `--as` names one; argparse says what is wrong with one that is not."""
    from kaspad_taskd.cli.run.recognise import NoSuchTool, recognise

    try:
        recognise(["true"], chosen)
    except NoSuchTool:
        return False
    return True
