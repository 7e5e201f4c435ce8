"""Where phases began, where they end, and which pass it is: the memory after one more look."""

from __future__ import annotations

from kaspad_taskd.base.frozen import replace
from kaspad_taskd.kaspa.sync.identity import DOUBT_MS, SHORT, Met
from kaspad_taskd.kaspa.sync.memory import Mark, Memory
from kaspad_taskd.kaspa.sync.phase import STATE, Moves, step_s
from kaspad_taskd.kaspa.sync.position import Position
from kaspad_taskd.kaspa.sync.reading import NodeReading

LOST_S = 600
"""A position that falls by more than this many seconds of blocks is lost data: a new epoch."""
DEEPEST_S = 42 * 3600
"""Greatest age of the pruning point of mainnet and testnet: a proof's headers begin there."""
STANDSTILL_S = 20
"""A chunk of 1 024 headers takes a slow connection so long; more is a standstill."""
BLOCKS_AMID = 0.1
"""Blocks of a look, as a share of its headers, that took hardly any of its time."""
GAP_S = 30
"""Two looks so far apart may hold another phase's time: they tell no speed of headers."""


def lost(
    memory: Memory, look: NodeReading, where: Position, new: Mark, who: Met
) -> tuple[Memory, str | None]:
    """Return the memory, and why the way begins anew, or None.

    Reorgs, a moved pruning point, a restarted node lose nothing, a state download's zeros are no
    position, and another node behind the same name is not this one's loss.
    """
    if where.transitional or where.pos is None:
        return memory, None
    if memory.best is not None and where.pos < memory.best - LOST_S * where.bps:
        since = memory.lower_since if memory.lower_since is not None else new.at
        memory = replace(memory, lower_since=since)
        told = look.system_id is not None or new.at - since >= DOUBT_MS
        return memory, "db-reset" if told and who is not Met.ANOTHER else None
    begun_anew = who is Met.RESTARTED
    return _staging_lost(replace(memory, lower_since=None), look, where, new, begun_anew)


def _staging_lost(
    memory: Memory, look: NodeReading, where: Position, new: Mark, begun_anew: bool
) -> tuple[Memory, str | None]:
    """Staged headers live as long as the download that brings them: its peer, its process."""
    last = memory.last
    if not (memory.staging and memory.phase == "headers" and last and last.headers == new.headers):
        return memory, None
    broken = not look.ibd_peers or _connected_anew(memory, look)
    broken = broken or memory.story.proofs > memory.proofs
    if not (begun_anew or broken):
        return memory, None
    done = (last.staged or 0) - (memory.start or 0)
    base = 0 if begun_anew else look.header_counts or 0
    memory = replace(
        memory, phase="negotiating", staging=False, staged_base=base, start=None, goal=None,
        goal_from=0, marks=(),
    )  # fmt: skip
    return memory, "headers-lost" if done > LOST_S * where.bps else None


def _connected_anew(memory: Memory, look: NodeReading) -> bool:
    """Whether the download's connection ended and no look fell in between: another, or anew."""
    if look.ibd_peer and memory.ibd_peer and look.ibd_peer[:SHORT] != memory.ibd_peer:
        return True
    return look.ibd_connected_ms is not None and look.ibd_connected_ms < memory.ibd_connected


def forget(memory: Memory) -> Memory:
    """Return the memory with which a new epoch begins: who the node is, and what its log told."""
    return Memory(
        story=memory.story,
        proofs=memory.story.proofs,
        cursor=memory.cursor,
        staged_base=memory.staged_base,
        gossip=memory.gossip,
        ids=memory.ids,
        system=memory.system,
        bests=memory.bests,
        another_at=memory.another_at,
        starts=memory.starts,
        again=memory.again,
        furthest=memory.furthest,
    )


def measured(memory: Memory, new: Mark) -> Memory:
    """Carry on the average speed of headers, in whatever pass they come.

    Looks at which none came count when the next do; a standstill, a gap and what held blocks too
    tell nothing of it.
    """
    last = memory.last
    if last is None or not new.ibd:
        return memory if memory.headers_at is None else replace(memory, headers_at=None)
    counted = "headers" if new.staged is None or last.staged is None else "staged"
    rise = (getattr(new, counted) or 0) - (getattr(last, counted) or 0)
    blocks = (new.pos or 0) - (last.pos or 0)
    if rise < 0 or blocks > max(1, rise * BLOCKS_AMID):
        return memory if memory.headers_at is None else replace(memory, headers_at=None)
    if rise == 0:
        return memory
    took = None if memory.headers_at is None else (new.at - memory.headers_at) / 1000
    memory = replace(memory, headers_at=new.at)
    if took is None or not 0 < took <= STANDSTILL_S or step_s(last, new) > GAP_S:
        return memory
    return replace(memory, headers_s=memory.headers_s + took, headers_n=memory.headers_n + rise)


def enter(memory: Memory, look: NodeReading, where: Position, moved: Moves, phase: str) -> Memory:
    """Return the memory in `phase`: with its start and goal, and the pass."""
    changed = phase != memory.phase
    memory = replace(memory, phase=phase)
    if phase == "headers":
        memory = _headers(memory, look, where, moved, changed)
    elif phase == "blocks":
        memory = _blocks(memory, where)
    elif phase in STATE:
        memory = replace(memory, blocks_start=None, pass_end=None)
    return _pass(memory, look, where)


def place(memory: Memory, look: NodeReading, where: Position) -> int | None:
    """Return where the download of headers is: in its own count, of staging or of the node."""
    if not memory.staging:
        return where.headers
    return look.header_counts if look.header_counts is not None else memory.story.done


def _headers(
    memory: Memory, look: NodeReading, where: Position, moved: Moves, changed: bool
) -> Memory:
    staging = memory.staging and not moved.headers
    if changed:
        staging = moved.headers == 0 and memory.kind == "proof"
    changed = changed or staging != memory.staging
    memory = replace(memory, staging=staging)
    here = place(memory, look, where)
    if here is None:
        return memory
    if changed:
        memory = replace(memory, start=_began(memory, here), goal=None, goal_from=0)
    elif memory.start is None or here < memory.start:
        memory = replace(memory, start=here, goal=None, goal_from=0)
    return _goal(memory, look, where, here)


def _began(memory: Memory, here: int) -> int:
    """The place before the first headers came, where the look before this one saw it."""
    before = memory.last.headers if memory.last and not memory.staging else None
    return before if before is not None and before < here else here


def _goal(memory: Memory, look: NodeReading, where: Position, here: int) -> Memory:
    told = memory.story
    if told.stage == "headers" and told.header_ms and told.ibd_ms:
        if told.header_ms == memory.goal_from:
            return memory
        ahead = max(0, told.ibd_ms - told.header_ms) * where.bps // 1000
        return replace(memory, goal=here + ahead, goal_from=told.header_ms)
    if memory.goal is not None:
        return memory
    if not memory.staging:
        return replace(memory, goal=None if where.tip is None else round(where.tip))
    if look.network.startswith(("mainnet", "testnet")):
        return replace(memory, goal=(memory.start or 0) + DEEPEST_S * where.bps)
    return memory


def _blocks(memory: Memory, where: Position) -> Memory:
    if where.pos is None:
        return memory
    start = memory.blocks_start
    if start is None:
        before = memory.last.pos if memory.last else None
        start = where.pos if before is None else min(before, where.pos)
    return replace(memory, blocks_start=min(start, where.pos))


def _pass(memory: Memory, look: NodeReading, where: Position) -> Memory:
    """Count the passes: headers beyond a pass whose blocks are all there begin the next one."""
    if where.pos is None or where.headers is None or memory.blocks_start is None:
        return memory
    end = memory.pass_end
    if end is not None and where.pos >= end and where.headers > where.pos and look.ibd_peers:
        return replace(memory, pass_number=memory.pass_number + 1, pass_end=where.headers)
    if end is None or where.pos < end:
        return replace(memory, pass_end=where.headers)
    return memory
