"""`call METHOD [KEY=VALUE ...]` (or JSON): any method of the daemon, its answer as JSON."""

from __future__ import annotations

import json

from kaspad_taskd.cli.faults import USAGE, Fault, UsageFault
from kaspad_taskd.cli.options import PROG
from kaspad_taskd.cli.pairs import pairs
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kaspad_taskd.cli.main import Run


def run(run: Run) -> int:
    """Call it; the answer is indented for a person, one line with --json or in a pipe."""
    answer = run.call(run.options.method, _params(run.options.params))
    if run.options.json or not run.screen.terminal:
        run.print_json(answer)
    else:
        run.screen.out.write(json.dumps(answer, indent=2) + "\n")
    return 0


def _params(words: Sequence[str]) -> Any:
    """What the words say: one JSON text, or KEY=VALUE each."""
    if not words:
        return None
    if not words[0].lstrip().startswith(("{", "[")):
        return pairs(words)
    if len(words) > 1:
        raise UsageFault(say("error.json-beside"), f"{PROG} call --help")
    return _parsed(words[0])


def _parsed(text: str) -> Any:
    try:
        params = json.loads(text)
        json.dumps(params, allow_nan=False)
    except (ValueError, RecursionError) as error:
        example = '{"taskId": "node-sync-kaspa-node"}'
        raise Fault("bad-json", USAGE, what=text, detail=str(error), example=example) from None
    return params
