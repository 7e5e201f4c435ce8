"""`hold`: a service stays where an operator put it, until he lets go."""

from __future__ import annotations

from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from kaspad_taskd.cli.main import Run


def run(run: Run) -> int:
    """Run the verb."""
    wanted = {"service": run.options.service, "hold": not run.options.off}
    answer = run.call("holdService", wanted)
    if run.options.json:
        run.print_json(answer)
        return 0
    key = "service.held-on" if answer["held"] else "service.held-off"
    run.screen.say(say(key, name=safe(answer["service"], 100)))
    return 0
