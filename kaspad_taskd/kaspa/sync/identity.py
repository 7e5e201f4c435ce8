"""Which node answered: the one of before, the same started anew, or another behind the same name.

`p2p_id` is new at each start and never comes back, `system_id` is its host's and stays. Without
either a counter that fell shows a start; larger counters after a gap show nothing. A new `p2p_id`
is another node's where its peers are connected for longer than nobody looked.
"""

from __future__ import annotations

from enum import Enum
from itertools import pairwise

from kaspad_taskd.base.frozen import frozen, replace
from kaspad_taskd.kaspa.sync.memory import Mark, Memory
from kaspad_taskd.kaspa.sync.phase import restarted
from kaspad_taskd.kaspa.sync.reading import NodeReading

SHORT = 64
"""Characters of an id that are kept: a UUID and a SHA-256 in hex are whole."""
KEPT_IDS = 8
KEPT_STARTS = 8
KEPT_OTHERS = 4
OTHER_MS = 600_000
"""So long after another node answered nobody knows whom the next look meets."""
DOUBT_MS = 120_000
"""So long a lower score has to last at a node that does not say which one it is."""
STALE_MS = 5_000
"""How old what is told of connected peers may be."""
HOUR_MS = 3_600_000
SHORT_LIFE_MS = 180_000
LOOP_MS, LOOP_LATE, LOOP_HOUR = 900_000, 3, 6
"""Two starts within the first, so many within the second or within an hour are a loop."""


class Met(Enum):
    """Who answered this look."""

    SAME = "same"
    RESTARTED = "restarted"
    ANOTHER = "another"


@frozen
class Loop:
    """A node that ends and is started again and again: how often in an hour, how far it got."""

    count: int
    phase: str | None


def met(memory: Memory, look: NodeReading, new: Mark) -> tuple[Memory, Met]:
    """Return the memory of the node that answered, and who it is."""
    system = None if look.system_id is None else look.system_id[:SHORT]
    p2p = None if look.p2p_id is None else look.p2p_id[:SHORT]
    who = _who(memory, system, p2p, new)
    if who is Met.RESTARTED and _ran_before(memory, look):
        who = Met.ANOTHER
    if who is Met.ANOTHER:
        memory = _other(memory, system, p2p, look.at_ms)
    elif who is Met.RESTARTED:
        starts = (*memory.starts, look.at_ms)[-KEPT_STARTS:]
        memory = replace(
            memory, starts=starts, again=memory.again + 1, ready=None, furthest=memory.phase
        )
    ids = memory.ids
    if p2p is not None and (not ids or ids[-1] != p2p):
        ids = (*(each for each in ids if each != p2p), p2p)[-KEPT_IDS:]
    return replace(memory, system=system or memory.system, ids=ids), who


def _who(memory: Memory, system: str | None, p2p: str | None, new: Mark) -> Met:
    if system and memory.system and system != memory.system:
        return Met.ANOTHER
    if p2p is not None and memory.ids:
        if p2p == memory.ids[-1]:
            return Met.SAME
        return Met.ANOTHER if p2p in memory.ids else Met.RESTARTED
    return Met.RESTARTED if restarted(memory.last, new) else Met.SAME


def _ran_before(memory: Memory, look: NodeReading) -> bool:
    """Whether a peer has been connected for longer than the time since the look before this one."""
    if memory.last is None:
        return False
    since = look.at_ms - memory.last.at + STALE_MS
    return any(each.connected_ms > since for each in look.peer_clocks)


def _other(memory: Memory, system: str | None, p2p: str | None, at_ms: int) -> Memory:
    """The memory for another node: nothing of the first one's counters can be compared.

    Nodes of one host share a system id: their p2p ids tell them apart.
    """
    bests, shared = dict(memory.bests), system is not None and system == memory.system
    before, now = (memory.ids[-1], p2p) if shared else (memory.system, system)
    if before and memory.best is not None:
        bests[before] = memory.best
    best = bests.pop(now, None) if now else memory.best
    while len(bests) > KEPT_OTHERS:
        del bests[next(iter(bests))]
    return replace(
        memory, marks=(), ready=None, starts=(), best=best, bests=bests, another_at=at_ms,
        staging=False, start=None, goal=None, goal_from=0, lower_since=None, ibd_peer="",
        ibd_connected=0, passed=None,
    )  # fmt: skip


def is_doubtful(memory: Memory, look: NodeReading) -> bool:
    """Whether this may not be the node that was watched: another one answered lately."""
    another = 0 <= look.at_ms - memory.another_at < OTHER_MS
    lower = memory.lower_since is not None and look.system_id is None
    return another or (lower and look.at_ms - (memory.lower_since or 0) < DOUBT_MS)


def loop(memory: Memory, now_ms: int) -> Loop | None:
    """Return how often the node was started lately, where that is a loop, else None.

    The log tells starts that no look saw; the first of them ended nothing that is known.
    """
    if memory.story.death == "stopped":
        return None  # somebody stops it
    for starts in (memory.starts, memory.story.starts[1:]):
        hour = [at for at in starts if now_ms - HOUR_MS < at <= now_ms]
        late = [at for at in hour if now_ms - LOOP_MS < at]
        short = any(other - one <= SHORT_LIFE_MS for one, other in pairwise(late))
        if short or len(late) >= LOOP_LATE or len(hour) >= LOOP_HOUR:
            return Loop(len(hour), memory.furthest)
    return None
