"""Is it done? The test for completion, and for switching services to a node."""

from __future__ import annotations

from kaspad_taskd.base.durations import tenths
from kaspad_taskd.core.observation import Condition
from kaspad_taskd.kaspa.sync.position import Position
from kaspad_taskd.kaspa.sync.reading import NodeReading


def needs_peers(network: str) -> bool:
    """Whether a node of this network can be synced only with a peer (simnet, devnet: without)."""
    return network.startswith(("mainnet", "testnet"))


def conditions(look: NodeReading, where: Position, max_lag: float) -> tuple[Condition, ...]:
    """Return what has to hold for this look to say that the node has caught up.

    The node's own word is not enough: it says "synced" from 11 minutes behind on, amid a download.
    Neither is "no download", nor "as many blocks as headers": both hold between two passes.

    Args:
        look: the node's answers.
        where: the same, understood.
        max_lag: seconds that its newest block may be old, and its headers lead its blocks.
    """
    slack = max_lag * where.bps
    found = [
        Condition("synced", look.is_synced),
        Condition("no-download", look.ibd_peers == 0, look.ibd_peers, 0),
        Condition("peers", look.peers > 0 or not needs_peers(look.network), look.peers, 1),
        Condition("state-there", not where.transitional and where.pos is not None),
        Condition("clock", where.clock),
        Condition("young-block", where.lag < max_lag, tenths(where.lag), max_lag),
    ]
    if where.pos is not None and where.headers is not None:
        ahead = where.headers - where.pos
        found.append(Condition("headers-near", ahead < slack, ahead, round(slack)))
    if where.exact and where.pos is not None and where.tip is not None:
        ahead = round(where.tip - where.pos)
        found.append(Condition("reference-near", ahead < slack, ahead, round(slack)))
    return tuple(found)


def passes(look: NodeReading, where: Position, max_lag: float) -> bool:
    """Whether this look says that the node has caught up: all of `conditions` hold."""
    return all(each.holds for each in conditions(look, where, max_lag))
