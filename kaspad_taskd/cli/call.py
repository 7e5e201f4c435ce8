"""`call METHOD [JSON]`: any method of the daemon, its answer as JSON."""

from __future__ import annotations

import json

from kaspad_taskd.cli.faults import USAGE, Fault

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
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


def _params(text: str | None) -> Any:
    if text is None:
        return None
    try:
        params = json.loads(text)
        if not isinstance(params, dict | list):
            raise ValueError("it must be an object or a list")
        json.dumps(params, allow_nan=False)
    except (ValueError, RecursionError) as error:
        example = '{"taskId": "node-sync-kaspa-node"}'
        raise Fault("bad-json", USAGE, what=text, detail=str(error), example=example) from None
    return params
