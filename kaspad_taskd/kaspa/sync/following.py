"""What keeping watch has to know of a node: what it has newest, and what it lacks by scores."""

from __future__ import annotations

from kaspad_taskd.core.observation import Following
from kaspad_taskd.kaspa.sync.clock import Clock
from kaspad_taskd.kaspa.sync.gate import needs_peers
from kaspad_taskd.kaspa.sync.position import Position, network_pace
from kaspad_taskd.kaspa.sync.reading import NodeReading

HASH = 16
"""Digits of a hash that tell two blocks apart."""


def following(
    look: NodeReading,
    where: Position,
    clock: Clock,
    max_lag: float = 60.0,
    doubtful: bool = False,
) -> Following:
    """Return what a look says of how the node follows its network.

    Args:
        look: the node's answers.
        where: the same, understood.
        clock: the verdict on this host's clock.
        max_lag: seconds off up to which it is called right.
        doubtful: it may not be the node that was watched: what it lacks, nobody lost.
    """
    blocks = look.block_count if look.protocol == "go" else ""  # its score stands amid a download
    return Following(
        newest=f"{look.sink[:HASH]} {where.pos} {blocks}".rstrip(),
        score=where.pos,
        pace=network_pace(look, where),
        joined=look.ibd_peers == 0 and (look.peers > 0 or not needs_peers(look.network)),
        lacks=None if doubtful else _lacks(look, where),
        clock_off=_clock_off(clock, max_lag),
    )


def _clock_off(clock: Clock, max_lag: float) -> bool | None:
    """Whether the clock is wrong; right is what a witness says whom none contradicts."""
    if clock.off is not None:
        return True
    if clock.denied:
        return False
    said = [abs(off) <= max_lag for _, off in clock.witnesses]
    return False if clock.good or (said and all(said)) else None


def _lacks(look: NodeReading, where: Position) -> float | None:
    """Seconds of blocks up to the newest header, or to a reference, while it downloads."""
    if where.pos is None or not (look.ibd_peers or where.transitional):
        return None
    ends = [where.headers, where.tip if where.exact else None]
    known = [float(each) for each in ends if each is not None]
    return max(0.0, max(known) - where.pos) / where.bps if known else None
