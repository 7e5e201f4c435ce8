"""`kaspad-taskctl run -- COMMAND`: the command first, then whatever is told of it.

It runs as if we were not there. Nothing here waits for the daemon but the end, 200 ms of it.
"""

from __future__ import annotations

import os
import sys
from time import time

from kaspad_taskd.cli.run import child
from kaspad_taskd.cli.run.attending import Attending
from kaspad_taskd.cli.run.canary import Canary
from kaspad_taskd.cli.run.descriptors import STDOUT, Descriptors
from kaspad_taskd.cli.run.pump import Pump, leave_to_heir

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from typing import NoReturn

    from kaspad_taskd.cli.run.wish import Wish


def run(wish: Wish) -> NoReturn:
    """Run the command, tell of it, end as it did."""
    descriptors = Descriptors()
    mask = child.block()
    began = time()
    try:
        pid = child.begin(wish.command, descriptors.actions(), mask)
    except (OSError, ValueError) as error:
        _cannot_begin(wish, error)
    descriptors.let_go()
    attending = Attending(pid, [Pump(each) for each in descriptors.streams], _canary())
    for pump in attending.pumps:
        pump.whole = pump.stream.number != STDOUT or _counts(wish)
        pump.tap.counts = _counts(wish)
        pump.start()
    from kaspad_taskd.cli.run.reporting import Reporting  # what the command need not wait for

    taps = {pump.stream.number: pump.tap for pump in attending.pumps}
    reporting = Reporting(wish, pid, began, taps)
    reporting.start()
    code = attending.until_end()
    took = time() - began
    attending.drain()
    reporting.end(code, took, attending.passed_on)
    leave_to_heir(attending.pumps)
    child.end_like(code)


def _counts(wish: Wish) -> bool:
    """Whether each line counts, however many there are."""
    return (wish.chosen or "").startswith("lines:")


def _canary() -> Canary | None:
    try:
        return Canary()
    except OSError:  # no process is left: what comes is passed on
        return None


def _cannot_begin(wish: Wish, error: OSError | ValueError) -> NoReturn:
    from kaspad_taskd.words.plain import safe
    from kaspad_taskd.words.sentences import say

    code = child.code_of(error) if isinstance(error, OSError) else child.NOT_RUNNABLE
    why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    said = say("run.cannot-begin", program=safe(wish.command[0], 200), why=why)
    if sys.stderr is not None:
        sys.stderr.write(f"{said}\n")
        sys.stderr.flush()
    os._exit(code)
