"""Do complete looks prove that the node has caught up? Time and movement between them tell.

Between two passes of a download a node looks done for up to 3.5 s: no peer to download from, as
many blocks as headers, the newest block 20 s old. A node whose cable was pulled looks done for as
long as its newest block is younger than `max_lag`. In both the newest block grows older by a second
a second. So looks have to span more than any such pause, and in between the node has to follow.
"""

from __future__ import annotations

from kaspad_taskd.base.durations import tenths
from kaspad_taskd.core.observation import Condition
from kaspad_taskd.kaspa.sync.clock import Clock
from kaspad_taskd.kaspa.sync.memory import Run
from kaspad_taskd.kaspa.sync.position import AWAITED, Position, network_pace
from kaspad_taskd.kaspa.sync.reading import NodeReading

SPAN_S = 6.0
"""Complete looks have to span so much: the longest pause between two passes was 3.5 s."""
YOUNG_S = 5.0
"""A newest block so young (50 blocks on mainnet) leaves no pass to come."""
LONG_S, LONG_LOOKS = 30.0, 4
"""An older one has to stay as old for so long, over so many looks: then it is the clock's doing."""
STEP_S = LONG_S / (LONG_LOOKS - 1)
"""A longer step between two looks proves no more: nobody saw what was in between."""
STANDS_S = 5.0


def carried_on(run: Run | None, look: NodeReading, where: Position, done: bool) -> Run | None:
    """Return the run with this look in it; None where the gate did not pass."""
    if not done or where.pos is None:
        return None
    age = round(where.age * 1000)
    if run is None or look.at_ms < run.last or where.pos < run.pos:
        return Run(look.at_ms, where.pos, age, look.at_ms)
    seen = run.seen + min(look.at_ms - run.last, round(STEP_S * 1000))
    return Run(run.at, run.pos, run.age, look.at_ms, run.looks + 1, seen)


def proves(run: Run | None, look: NodeReading, where: Position, clock: Clock) -> bool:
    """Whether the looks of a run prove together that the node has caught up."""
    if run is None or where.pos is None or run.looks < 2 or not _near(where):
        return False
    span = (look.at_ms - run.at) / 1000
    pace = network_pace(look, where)
    slow = pace * span < AWAITED
    if span < SPAN_S or (where.pos <= run.pos and not (slow and _at_its_tip(where))):
        return False
    if abs(where.age) <= YOUNG_S + AWAITED / max(pace, 0.01):
        return True
    stands = abs(where.age * 1000 - run.age) <= STANDS_S * 1000
    lasts = run.seen >= LONG_S * 1000 and run.looks >= LONG_LOOKS
    return stands and lasts and not _really_old(where, clock)


def _really_old(where: Position, clock: Clock) -> bool:
    """Whether fresh peers say that the age is no clock's doing: a slow line, and always behind."""
    told = dict(clock.witnesses).get("peers")
    return told is not None and where.age - told > YOUNG_S


def condition(run: Run | None, look: NodeReading, where: Position, clock: Clock) -> Condition:
    """Return what the looks of a run prove together: over how many seconds, of how many."""
    span = None if run is None else tenths((look.at_ms - run.at) / 1000)
    return Condition("follows", proves(run, look, where, clock), span, SPAN_S)


def _at_its_tip(where: Position) -> bool:
    return where.headers is None or where.pos is None or where.headers <= where.pos


def _near(where: Position) -> bool:
    """Whether a reference, where there is one, is not ahead by what a pass would bring."""
    if not where.exact or where.tip is None or where.pos is None:
        return True
    return where.tip - where.pos <= YOUNG_S * where.bps
