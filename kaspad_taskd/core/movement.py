"""What movement is: the done of the phase under way, brought forward. Nothing else is.

A target that grows, a phase whose label flips, another part that works, the same blocks again:
none of them brings the end nearer, and a task for which nothing else happens stands still.
"""

from __future__ import annotations

from collections.abc import Mapping

from kaspad_taskd.base.frozen import frozen, replace
from kaspad_taskd.core.model import Live, Task
from kaspad_taskd.core.observation import Reading

COUNTERS = 32
"""Counters whose highest values are kept, the oldest given up first."""


@frozen
class Movement:
    """What a reading shows: None where neither a done nor a witness can show any movement."""

    moved: bool | None
    reached: Mapping[str, float]
    entered: tuple[str, ...]


def movement(task: Task, reading: Reading) -> Movement:
    """Return whether a reading brings the work forward, and what is reached with it.

    Forward is beyond what this counter ever reached in this epoch, or into a phase beyond those
    that this pass had entered. A phase without a done has its witness instead (`at_work`).
    """
    live = task.live
    first = live.last_update is None or reading.epoch is not None
    reached = {} if reading.epoch is not None else live.reached
    next_pass = reading.pass_number > task.pass_number
    entered = () if first or next_pass else live.entered
    phase, new_phase = reading.phase or "", False
    if phase not in entered:
        new_phase = reading.at_work is not False and _ahead(phase, entered, reading)  # no mere name
        entered = (*entered, phase)
    counter, value = _done(reading)
    forward = value is not None and value > reached.get(counter, float("-inf"))
    if forward and value is not None:
        reached = _kept(reached, counter, value)
    unseen = value is None and reading.at_work is None
    moved = first or next_pass or new_phase or forward or _at_work(reading, value, reached)
    return Movement(True if moved else None if unseen else False, reached, entered)


def _at_work(reading: Reading, value: float | None, reached: Mapping[str, float]) -> bool:
    """Whether its witness shows work; that somebody answers is none once he has told a done.

    Work without phases that tells its done at one look and nothing at the next stands still; an
    indexer whose place is not known for a while has a witness of its own, and its unit.
    """
    nameless = reading.phase is None and reading.unit is None
    silent = value is None and nameless and "" in reached
    return reading.at_work is True and not silent


def afresh(live: Live) -> Live:
    """Return the live fields with nothing reached yet: data was lost, all of the way is new."""
    return replace(live, reached={}, entered=())


def _ahead(phase: str, entered: tuple[str, ...], reading: Reading) -> bool:
    """Whether a phase lies beyond all that were entered, as the plan has them."""
    order = {each.key: place for place, each in enumerate(reading.plan)}
    here = order.get(phase)
    return here is None or all(order.get(each, -1) < here for each in entered)


def _done(reading: Reading) -> tuple[str, float | None]:
    if reading.done is not None:
        return reading.done.counter, reading.done.value
    return reading.phase or "", reading.position


def _kept(reached: Mapping[str, float], counter: str, value: float) -> Mapping[str, float]:
    kept = dict(reached)
    kept.pop(counter, None)
    if len(kept) >= COUNTERS:
        del kept[next(iter(kept))]
    kept[counter] = value
    return kept
