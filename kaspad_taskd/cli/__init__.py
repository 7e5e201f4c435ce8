"""kaspad-taskctl: what the daemon watches, in a terminal."""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """Run kaspad-taskctl with the process's arguments; returns its exit code."""
    try:
        if "run" in sys.argv:
            _run()
        gc.disable()  # who asks once ends before there is garbage; `_module` enables it for others
        from kaspad_taskd.cli.main import run

        code = run()
        gc.freeze()  # nor is any looked for at the end
        return code
    except KeyboardInterrupt:  # before or after the verb itself
        return 130


def _run() -> None:
    """Be the verb `run`, which does not return, where the command line is one for it."""
    from kaspad_taskd.cli.run.wish import is_run, wish_of

    wish = wish_of(sys.argv[1:]) if is_run(sys.argv[1:]) else None
    if wish is not None and (wish.chosen is None or _is_tool(wish.chosen)):
        from kaspad_taskd.cli.run import verb

        verb.run(wish)


def _is_tool(chosen: str) -> bool:
    """Whether `--as` names one; argparse says what is wrong with one that is not."""
    from kaspad_taskd.cli.run.recognise import NoSuchTool, recognise

    try:
        recognise(["true"], chosen)
    except NoSuchTool:
        return False
    return True
