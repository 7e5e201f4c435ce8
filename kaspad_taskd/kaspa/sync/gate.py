"""Is it done? The test for completion, and for switching services to a node."""

from __future__ import annotations

from kaspad_taskd.kaspa.sync.position import Position
from kaspad_taskd.kaspa.sync.reading import NodeReading


def needs_peers(network: str) -> bool:
    """Whether a node of this network can be synced only with a peer (simnet, devnet: without)."""
    return network.startswith(("mainnet", "testnet"))


def passes(look: NodeReading, where: Position, max_lag: float) -> bool:
    """Whether this look says that the node has caught up.

    The node's own word is not enough: it says "synced" from 11 minutes behind on, amid a download.
    Neither is "no download", nor "as many blocks as headers": both hold between two passes.

    Args:
        look: the node's answers.
        where: the same, understood.
        max_lag: seconds that its newest block may be old, and its headers lead its blocks.
    """
    if where.pos is None or where.headers is None or where.transitional or not where.clock:
        return False
    slack = max_lag * where.bps
    return (
        look.is_synced
        and look.ibd_peers == 0
        and (look.peers > 0 or not needs_peers(look.network))
        and where.lag < max_lag
        and where.headers - where.pos < slack
        and (not where.exact or where.tip is None or where.tip - where.pos < slack)
    )
