"""What a node has done of the phase under way, and who witnesses work that nobody counts.

Bytes are evidence of a download only above what gossip brings, and only while a peer is being
downloaded from. Finding peers and agreeing with them brings nothing forward.
"""

from __future__ import annotations

from kaspad_taskd.base.frozen import replace
from kaspad_taskd.core.observation import Done
from kaspad_taskd.kaspa.sync.identity import SHORT
from kaspad_taskd.kaspa.sync.memory import Mark, Memory
from kaspad_taskd.kaspa.sync.phase import FAR_BEHIND_S, FIRST, STATE, Moves, downloads, step_s
from kaspad_taskd.kaspa.sync.position import Position
from kaspad_taskd.kaspa.sync.reading import NodeReading
from kaspad_taskd.kaspa.sync.way import place

LEARN = 0.2
BY_BYTES = frozenset({*STATE, "proof", "proof_or_headers"})
"""Phases that show no movement but bytes received."""
KEPT_HIGHS = 12


def done(memory: Memory, look: NodeReading, where: Position) -> Done | None:
    """Return what is done of the phase in `memory`, None where nothing counts it.

    Each counter has a name: what a started node counts anew is counted under a new one.
    """
    key, told = memory.phase, memory.story
    if key in ("blocks", "confirming"):
        if look.protocol == "go":  # its score stands until a pass is over
            return Done("bodies", look.block_count)
        return None if where.pos is None else Done("blocks", where.pos)
    if key == "headers":
        return _headers(memory, look, where)
    if key is None or key in FIRST:  # nothing is done here; headers that come are the next phase
        return None if where.headers is None else Done("headers", where.headers)
    if key in STATE and told.stage == key and told.done is not None:
        return Done(f"{key} {memory.again}", told.done)
    return None


def _headers(memory: Memory, look: NodeReading, where: Position) -> Done | None:
    if not memory.staging:
        return None if where.headers is None else Done("headers", where.headers)
    here = place(memory, look, where)
    # From where these began: headers that were lost and come again are none beyond the first.
    return None if here is None else Done("staged", max(0, here - (memory.start or 0)))


def at_work(memory: Memory, look: NodeReading, moved: Moves) -> bool | None:
    """Return whether a phase that counts nothing was seen at work; None: nothing could show it."""
    key = memory.phase or "connecting"
    if key in FIRST:
        return False
    if key == "utxoindex":
        return None if look.disk_write_bytes is None else moved.disk > 0
    if key not in BY_BYTES:
        return None
    if look.p2p_rx_bytes is None:
        return None
    return downloads(memory, look, moved)


def counted(
    memory: Memory,
    look: NodeReading,
    where: Position,
    new: Mark,
    found: Done | None,
    at_work: bool | None,
    entered: bool,
) -> Memory:
    """Return the memory with this look's movement in it: standstills, highs, gossip, peers.

    Args:
        memory: in the phase of this look.
        look: the node's answers.
        where: the same, understood.
        new: its counters.
        found: what `done` tells of it.
        at_work: what its witness says.
        entered: the phase is a new one.
    """
    step = step_s(memory.last, new)
    high = None if found is None else memory.highs.get(found.counter)
    forward = found is not None and (high is None or found.value > high)
    seen = at_work is True if found is None else forward
    alive = seen or (entered and memory.phase not in FIRST) or memory.last is None
    if found is not None and forward:
        highs = {name: each for name, each in memory.highs.items() if name != found.counter}
        while len(highs) >= KEPT_HIGHS:
            del highs[next(iter(highs))]
        memory = replace(memory, highs={**highs, found.counter: int(found.value)})
    memory = replace(memory, still=0.0 if alive else memory.still + step)
    return _peers(_gossip(_quiet(memory, look, new, step), look, where, new), look, alive)


def _quiet(memory: Memory, look: NodeReading, new: Mark, step: float) -> Memory:
    last = memory.last
    if last is None:
        return memory
    names = ("pos", "headers", "blocks", "staged")
    rose = any((getattr(new, name) or 0) > (getattr(last, name) or 0) for name in names)
    idle = not rose and not look.ibd_peers and look.peers > 0
    flat = new.rx is not None and new.rx == last.rx and look.peers > 0
    return replace(
        memory,
        idle=memory.idle + step if idle else 0.0,
        quiet=memory.quiet + step if flat else 0.0,
    )


def _gossip(memory: Memory, look: NodeReading, where: Position, new: Mark) -> Memory:
    """Learn what peers send a node that is far behind and downloads nothing: that is gossip."""
    last = memory.last
    if last is None or last.ibd or look.ibd_peers or where.lag <= FAR_BEHIND_S:
        return memory
    seconds = (new.at - last.at) / 1000
    if last.rx is None or new.rx is None or new.rx < last.rx or seconds <= 0:
        return memory
    rate = (new.rx - last.rx) / seconds
    return replace(memory, gossip=memory.gossip + LEARN * (rate - memory.gossip))


def _peers(memory: Memory, look: NodeReading, alive: bool) -> Memory:
    """Count the peers that a download was begun with, since anything moved."""
    before, now = memory.ibd_peer, look.ibd_peer[:SHORT] if look.ibd_peers else ""
    known = now or ("?" if look.ibd_peers else "")
    tried = memory.peers_tried + (bool(before) and known != before)
    connected = (look.ibd_connected_ms or 0) if look.ibd_peers else 0
    return replace(
        memory, ibd_peer=known, ibd_connected=connected, peers_tried=0 if alive else tried
    )
