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

    from kaspad_taskd.cli.run.pump import Tap
    from kaspad_taskd.cli.run.reporting import Reporting
    from kaspad_taskd.cli.run.wish import Wish


def run(wish: Wish) -> NoReturn:
    """Run the command, tell of it, end as it did."""
    descriptors = Descriptors()
    mask = child.block()
    pumps = _pumps(descriptors, wish)
    began = time()
    try:
        pid = child.begin(wish.command, descriptors.actions(), mask)
    except (OSError, ValueError) as error:
        _cannot_begin(wish, error)
    descriptors.let_go()
    attending = Attending(pid, pumps, _canary())
    taps = {pump.stream.number: pump.tap for pump in pumps}
    reporting = _reporting(wish, pid, began, taps)
    code = attending.until_end()
    took = time() - began
    attending.drain()
    _end(reporting, code, took, attending.passed_on)
    leave_to_heir(attending.pumps)
    child.end_like(code)


def _reporting(wish: Wish, pid: int, began: float, taps: dict[int, Tap]) -> Reporting | None:
    """Begin to tell of it; None: that is not to be had, which is no harm to the command."""
    try:
        from kaspad_taskd.cli.run.reporting import Reporting  # what the command need not wait for

        found = Reporting(wish, pid, began, taps)
        found.start()
    except Exception:  # no file is left, or an upgrade has just taken our modules away
        return None
    return found


def _end(reporting: Reporting | None, code: int, took: float, stopped: int | None) -> None:
    try:
        if reporting is not None:
            reporting.end(code, took, stopped)
    except Exception:  # likewise: the exit code is the command's
        return


def _pumps(descriptors: Descriptors, wish: Wish) -> list[Pump]:
    """One for each stream; what there is no file or thread for goes its own way, unread."""
    pumps = []
    for stream in [*descriptors.streams]:
        try:
            pump = Pump(stream)
            pump.whole = stream.number != STDOUT or _counts(wish)
            pump.tap.counts = _counts(wish)
            pump.start()
        except (OSError, RuntimeError):
            descriptors.give_up(stream)
        else:
            pumps.append(pump)
    return pumps


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
