"""What went wrong, said on standard error: in words, or as one line of JSON."""

from __future__ import annotations

import sys

from kaspad_taskd.cli.faults import FAILED, Fault, as_json, of_refused, of_unreachable
from kaspad_taskd.cli.screen import Screen
from kaspad_taskd.client import Refused, Unreachable
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from typing import Any, Protocol

    from kaspad_taskd.client import Client

    class Asked(Protocol):
        """What was asked for, and of whom: `main.Run`."""

        options: Any
        client: Client
        method: str | None
        timeout: float


def tell(
    run: Asked, fault: Refused | Unreachable | Fault, named: str | None, among: bool = False
) -> int:
    """Say it, and return the exit code that it means.

    Args:
        run: how it was to be said.
        fault: what went wrong.
        named: the task or service that the command line named.
        among: it was one of several: what is said names it.
    """
    shown: Refused | Fault
    if isinstance(fault, Refused):
        asked = run.options.verb == "call"
        said, code = of_refused(fault, named, run.method, run.client.path, asked), FAILED
        said = [f"{safe(named, 100)}: {said[0]}", *said[1:]] if among else said
        shown = fault
    else:
        shown = of_unreachable(fault, run.timeout) if isinstance(fault, Unreachable) else fault
        said, code = shown.said(), shown.code
    if not run.options.json:
        return complain(said, code, run.options.ascii)
    import json

    line = as_json(shown)
    if among:
        line["error"]["data"].setdefault("task", named)
    sys.stderr.write(json.dumps(line, separators=(",", ":")) + "\n")
    return code


def complain(said: list[str], code: int, ascii_only: bool = False) -> int:
    """Write sentences to standard error, the first as the fault; return the code."""
    first, *rest = said
    err = Screen(sys.stderr, "never", ascii_only)
    err.show([[(say("error.prefix", what=first), "")], *([("  " + line, "")] for line in rest)])
    return code
