"""Where a node is and where the network is, from one look. Positions are DAA scores."""

from __future__ import annotations

from kaspad_taskd.base.frozen import frozen, replace
from kaspad_taskd.kaspa.sync.reading import NodeReading

MEDIAN_AGE_MS = 132_000
"""Age of the past median time of a node at the tip: half of 263 samples, one a second."""

GENESIS_AGE_S = 4 * 86_400
"""A node without blocks whose sink is older than this has nothing but the genesis block."""


AWAITED = 3.0
"""Blocks that a span must let expect before their missing says anything."""


@frozen
class Position:
    """One look, understood.

    Attributes:
        pos: blocks processed (the virtual block's, or the sink's while the virtual one is 0);
            None where neither is known.
        headers: the newest header, or None while the node's counts are not comparable.
        lag: seconds that the sink is behind our wall clock, never below 0.
        age: the same, negative for a sink that is ahead of our clock.
        dated: the age is the sink header's own, not guessed from the past median time.
        tip: the network's newest block, or None where nothing tells it.
        exact: the tip comes from a reference node, not from the clock.
        bps: blocks the network adds a second.
        transitional: SMT and UTXO set are being fetched (the node's scores are 0).
        genesis: the node has nothing yet; its lag means nothing.
        clock: our clock may be right; where it is known to be wrong, it tells no lag and no tip.
    """

    pos: int | None
    headers: int | None
    lag: float
    tip: float | None
    exact: bool
    bps: int
    transitional: bool
    genesis: bool
    age: float = 0.0
    dated: bool = False
    clock: bool = True


def blocks_per_second(look: NodeReading) -> int:
    """Return 10, or 1 before the Crescendo upgrade (Go nodes, rusty-kaspa 0.x)."""
    old = look.protocol == "go" or (look.server_version or "").startswith("0.")
    return 1 if old and look.network != "testnet-11" else 10


def locate(look: NodeReading, reference: int | None = None) -> Position:
    """Understand one look; `reference` is a synced node's virtual DAA score at the same time."""
    bps = blocks_per_second(look)
    transitional = (
        look.virtual_daa_score == 0 and look.past_median_time == 0 and look.header_count > 0
    )
    pos = _pos(look, transitional)
    age, dated = _age(look)
    lag = max(0.0, age)
    bare = look.block_count <= 1 or look.protocol == "go"  # Go counts bodies, its score stands
    genesis = not transitional and bare and lag > GENESIS_AGE_S
    headers = None if pos is None else _headers(look, pos, transitional)
    tip = _tip(pos, headers, lag * bps, genesis, reference)
    exact = reference is not None
    return Position(pos, headers, lag, tip, exact, bps, transitional, genesis, age, dated)


def without_clock(where: Position) -> Position:
    """Return it as it is known without our clock: a reference may tell the tip, nothing else."""
    tip = where.tip if where.exact else None
    return replace(where, tip=tip, clock=False)


def _pos(look: NodeReading, transitional: bool) -> int | None:
    if transitional:
        return look.sink_daa_score
    return max(look.virtual_daa_score, look.sink_daa_score or 0)


def _age(look: NodeReading) -> tuple[float, bool]:
    # Amid the transition the median is 0 and the sink the pruning point.
    sink_ms = look.sink_timestamp
    if sink_ms is None:
        guessed = (look.at_ms - look.past_median_time - MEDIAN_AGE_MS) / 1000
        return max(0.0, guessed), False
    return (look.at_ms - sink_ms) / 1000, True


def _headers(look: NodeReading, pos: int, transitional: bool) -> int:
    # Both counts are scores above the same root, so their difference is exact; amid the
    # transition the root is the sink itself and the block count 0.
    base = pos if transitional else look.virtual_daa_score
    return max(pos, base + look.header_count - look.block_count)


def _tip(
    pos: int | None, headers: int | None, missing: float, genesis: bool, reference: int | None
) -> float | None:
    if reference is not None:
        return float(max(reference, headers or 0, pos or 0))
    if pos is None or genesis:
        return None
    return max(pos + missing, headers or 0)


def network_pace(look: NodeReading, where: Position) -> float:
    """Return how many blocks a second the network has made lately, as the median time tells.

    It is the time of the block half a window of 263 samples back (one a second at full pace); a
    chain that is shorter than the window has half of itself behind it.
    """
    if not where.dated or not look.past_median_time:
        return float(where.bps)
    gap = (look.at_ms / 1000 - where.age) - look.past_median_time / 1000
    blocks = min(MEDIAN_AGE_MS / 1000 * where.bps, max(1.0, (where.pos or 0) / 2))
    return min(float(where.bps), blocks / max(1.0, gap))
