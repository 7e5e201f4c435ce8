"""In which phase a node is. The RPC shows it by what moves; a log, where there is one, refines it.

A phase read from two neighbouring looks flickers: headers arrive 1 024 at a time, seconds apart. So
looks are compared over 15 s and more, and the last phase stands until another is positively seen.
"""

from __future__ import annotations

from kaspad_taskd.base.frozen import frozen, replace
from kaspad_taskd.kaspa.sync.memory import Mark, Memory
from kaspad_taskd.kaspa.sync.position import Position
from kaspad_taskd.kaspa.sync.reading import NodeReading

SPAN_MS = 15_000
SPACING_MS = 2_500
KEPT = 10
LONGEST_STEP_S = 120.0
"""Longest time between two looks that counts: a clock that jumps tells no standstill."""
FAR_BEHIND_S = 661
"""The node's own limit for "nearly synced": a proof is fetched by nodes further behind only."""
PROOF_S = 86_400
"""On the public networks a node less than 30 h behind has its peer's pruning point: no proof."""

GOSSIP_BYTES = 66.0
"""Received for each relayed block from each peer that has it: measured with two peers."""
BLOCKS_PER_SECOND = 10
ABOVE = 2.0
"""Bytes are a download's from this multiple of gossip on."""
LIVELY_RATE = 1_000.0
"""Bytes a second that are more than pings and one peer's gossip, however few peers there are."""

FIRST = frozenset({"starting", "connecting", "negotiating"})
STATE = frozenset({"trusted_bodies", "smt", "utxo", "state_download"})
_RANK = {None: 0, "sync": 1, "catchup": 2, "proof": 3}


@frozen
class Moves:
    """What rose since the oldest mark, and over how many seconds. None counts as not moved.

    `ibd`: in all these looks it was downloading from a peer.
    """

    seconds: float = 0.0
    pos: int = 0
    headers: int = 0
    blocks: int = 0
    staged: int = 0
    rx: int = 0
    disk: int = 0
    ibd: bool = False


def mark(look: NodeReading, where: Position) -> Mark:
    """Return the counters of this look."""
    return Mark(
        look.at_ms,
        where.pos,
        where.headers,
        look.block_count,
        look.header_counts,
        look.p2p_rx_bytes,
        look.disk_write_bytes,
        None if where.genesis or not where.dated else round(where.age * 1000),
        look.ibd_peers > 0,
    )


def moves(marks: tuple[Mark, ...], new: Mark) -> Moves:
    """Return what rose from the oldest mark to the new one."""
    if not marks:
        return Moves()
    old = marks[0]

    def rise(name: str) -> int:
        before, after = getattr(old, name), getattr(new, name)
        return 0 if before is None or after is None else max(0, after - before)

    return Moves(
        (new.at - old.at) / 1000,
        rise("pos"),
        rise("headers"),
        rise("blocks"),
        rise("staged"),
        rise("rx"),
        rise("disk"),
        new.ibd and all(each.ibd for each in marks),
    )


def downloads(memory: Memory, look: NodeReading, moved: Moves) -> bool:
    """Whether a peer sends what is downloaded: more bytes than peers send otherwise, all the time.

    A peer that begins and ends sends some kB each time, and eight that gossip some kB a second.
    """
    if not moved.ibd or moved.seconds <= 0:
        return False
    gossip = max(GOSSIP_BYTES * BLOCKS_PER_SECOND * look.peers, memory.gossip)
    return moved.rx / moved.seconds > max(LIVELY_RATE, ABOVE * gossip)


def step_s(old: Mark | None, new: Mark) -> float:
    """Return the seconds from one look to the next, as far as they count."""
    return 0.0 if old is None else min(LONGEST_STEP_S, max(0.0, (new.at - old.at) / 1000))


def restarted(old: Mark | None, new: Mark) -> bool:
    """Whether the node's process counters began anew."""
    return old is not None and any(
        before is not None and after is not None and after < before
        for before, after in ((old.staged, new.staged), (old.rx, new.rx))
    )


def remember(marks: tuple[Mark, ...], new: Mark) -> tuple[Mark, ...]:
    """Return the marks with the new one: thinned, the oldest just over 15 s old."""
    if marks and (new.at < marks[-1].at or restarted(marks[-1], new)):
        return (new,)
    if len(marks) > 1 and marks[-1].at - marks[-2].at < SPACING_MS:
        marks = marks[:-1]
    marks = (*marks, new)
    while len(marks) > 2 and new.at - marks[1].at >= SPAN_MS:
        marks = marks[1:]
    return marks[-KEPT:]


def detect(memory: Memory, look: NodeReading, where: Position, moved: Moves, done: bool) -> str:
    """Return the phase of this look; `done` is the gate's verdict."""
    if done:
        return "confirming"
    stage = memory.story.stage
    if where.transitional:
        return stage if stage in STATE or stage == "headers" else "state_download"
    if stage == "utxoindex" and moved.pos > 1:
        return "blocks"  # no line says that an index is built
    if memory.phase == "blocks" and stage == "headers" and not _headers_alone(moved):
        return "blocks"
    if look.ibd_peers and stage is not None and stage not in STATE:
        early = memory.phase is None or memory.phase in FIRST
        return stage if stage != "negotiating" or early else memory.phase or stage
    if look.ibd_peers:
        seen = _downloading(memory, look, where, moved)
    else:  # blocks come by relay: it follows, and is only not done by another condition
        seen = "blocks" if moved.pos > 1 else None
    return seen or _kept(memory.phase, look)


def _downloading(memory: Memory, look: NodeReading, where: Position, moved: Moves) -> str | None:
    """The phase that the counters show, or None where they show no new one."""
    if moved.pos > 1 or (look.protocol == "go" and moved.blocks > 1):
        return "blocks"
    if memory.phase == "blocks" and not _headers_alone(moved):
        return None
    if moved.headers > 0 or moved.staged > 0 or _staged_before(memory, look, where):
        return "headers"
    if memory.phase in STATE or memory.phase == "utxoindex":
        # The set is there, no block follows: with an index only this can be it.
        indexing = look.has_utxo_index and moved.seconds >= SPAN_MS / 1000 and moved.disk > 0
        return "utxoindex" if indexing else None
    if memory.phase not in FIRST or not _may_need_proof(look, where):
        return None
    if look.header_counts is None:
        return "proof_or_headers"
    unmoved = moved.seconds >= SPAN_MS / 1000 and downloads(memory, look, moved)
    return "proof" if unmoved else None


def _may_need_proof(look: NodeReading, where: Position) -> bool:
    """Whether so old a node may fetch a proof; other networks may have any depth."""
    public = look.network.startswith(("mainnet", "testnet")) and look.protocol == "rust"
    return where.lag > (PROOF_S if public and where.clock else FAR_BEHIND_S)


def _headers_alone(moved: Moves) -> bool:
    """Long enough without a block: this is a pass's headers, not the moment before its blocks."""
    return moved.seconds >= SPAN_MS / 1000 and moved.pos <= 1


def _staged_before(memory: Memory, look: NodeReading, where: Position) -> bool:
    """A node without headers that has processed some: they are in staging, if not lost."""
    processed = (look.header_counts or 0) - memory.staged_base
    return where.genesis and look.header_count <= 1 and processed > 1


def _kept(phase: str | None, look: NodeReading) -> str:
    if phase is None or phase in FIRST:
        return "negotiating" if look.ibd_peers else "connecting"
    return phase if phase != "confirming" else "blocks"


def with_kind(memory: Memory, phase: str, where: Position, moved: Moves) -> Memory:
    """Return the memory with the kind of download, as far as it shows.

    A kind that was seen stays until one with more phases is seen: after a proof the node syncs in
    passes of the plain kind, and they are the rest of the same way.
    """
    kind = memory.story.kind
    if kind is None and phase == "proof":
        kind = "proof"
    elif kind is None and phase == "headers":
        kind = "sync" if moved.headers else "proof" if moved.staged else None
    elif kind is None and phase in STATE and memory.kind == "sync" and memory.sure:
        kind = "catchup"
    if kind is not None and (not memory.sure or _RANK[kind] > _RANK[memory.kind]):
        return replace(memory, kind=kind, sure=True)
    if memory.kind is None:
        guess = "proof" if where.genesis or where.transitional else "sync"
        return replace(memory, kind=guess)
    return memory
