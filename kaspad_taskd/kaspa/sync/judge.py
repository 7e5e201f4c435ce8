"""One look at a node, and what was known before: the Reading that the core takes."""

from __future__ import annotations

from collections.abc import Mapping

from kaspad_taskd.base.frozen import frozen, replace
from kaspad_taskd.core.observation import Condition, Done, Leg, Reading, Route, Scalar
from kaspad_taskd.core.reason import EtaReason
from kaspad_taskd.kaspa.sync import gate, hints, phase, settling, way, work
from kaspad_taskd.kaspa.sync.clock import YOUNG_MS, Clock, Record, agreed, verdict
from kaspad_taskd.kaspa.sync.following import following
from kaspad_taskd.kaspa.sync.hints import Aside
from kaspad_taskd.kaspa.sync.identity import Met, is_doubtful, met
from kaspad_taskd.kaspa.sync.memory import Mark, Memory, Passed
from kaspad_taskd.kaspa.sync.plan import plan
from kaspad_taskd.kaspa.sync.position import Position, locate, without_clock
from kaspad_taskd.kaspa.sync.reading import NodeReading

MEASURED_S = 10.0
"""Seconds of headers from which on their average speed is told."""
PAUSE_S = 3.0
"""Seconds before the headers of each further pass in which nothing moves: the peers agree."""


@frozen
class Seen:
    """A look, understood: where the node is, what of it the clock may tell, what it has done."""

    look: NodeReading
    where: Position
    clock: Clock
    conditions: tuple[Condition, ...]
    done: Done | None
    at_work: bool | None


@frozen
class Span:
    """The way through a phase: from where, to where, in which unit, how sure."""

    position: float | None = None
    start: float | None = None
    target: float | None = None
    unit: str | None = None
    basis: str = "unknown"
    drift: float = 0.0


def judge(look: NodeReading, memory: Memory, aside: Aside) -> Reading:
    """Return what this look means.

    Args:
        look: the node's answers.
        memory: what the last look left, the log's newest lines already in its story.
        aside: what else is known.
    """
    where = locate(look, aside.reference)
    new = phase.mark(look, where)
    memory, who = met(memory, look, new)
    marks, future = (*memory.marks, new), _refuses_blocks(memory, look)
    steady = look.at_ms if aside.steady is None else aside.steady
    record = Record(memory.passed, steady, memory.off)
    clock = verdict(look, where, marks, aside.max_lag, future, record)
    if clock.off is not None:
        where = without_clock(where)
    needed = gate.conditions(look, where, aside.max_lag)
    done = all(each.holds for each in needed)
    memory, epoch = way.lost(memory, look, where, new, who)
    if epoch is not None:
        memory = way.forget(memory)
    elif who is Met.RESTARTED:
        memory = replace(memory, marks=())  # counters of two lives cannot be compared
    moved = phase.moves(memory.marks, new)
    memory = way.measured(memory, new)
    key = phase.detect(memory, look, where, moved, done)
    entered = key != memory.phase
    memory = phase.with_kind(memory, key, where, moved)
    memory = way.enter(memory, look, where, moved, key)
    found, at_work = work.done(memory, look, where), work.at_work(memory, look, moved)
    memory = work.counted(memory, look, where, new, found, at_work, entered)
    memory = replace(
        memory,
        ready=settling.carried_on(memory.ready, look, where, done),
        passed=_passed(memory, where, steady, done),
        off=agreed(clock, memory.off),
    )
    proof = settling.condition(memory.ready, look, where, clock)
    seen = Seen(look, where, clock, (*needed, proof), found, at_work)
    return _reading(seen, _remembered(memory, where, new), aside, done, epoch)


def _passed(memory: Memory, where: Position, steady: int, done: bool) -> Passed | None:
    """When it was in sync last, and where."""
    if not done or where.pos is None or not where.dated:
        return memory.passed
    return Passed(steady, where.pos, round(where.lag * 1000))


def _refuses_blocks(memory: Memory, look: NodeReading) -> bool:
    """Whether its log has just told of blocks too far in its future."""
    at = memory.story.future_ms
    return bool(at) and 0 <= look.at_ms - (at or 0) < YOUNG_MS


def _remembered(memory: Memory, where: Position, new: Mark) -> Memory:
    # The leap from the old tip to the pruning point is no download: nothing before it counts.
    marks = (new,) if where.transitional else phase.remember(memory.marks, new)
    best = memory.best if where.pos is None else max(memory.best or 0, where.pos)
    return replace(memory, marks=marks, best=best, proofs=memory.story.proofs)


def _reading(seen: Seen, memory: Memory, aside: Aside, done: bool, epoch: str | None) -> Reading:
    look, where = seen.look, seen.where
    key = memory.phase or "connecting"
    span = _span(memory, look, where, key)
    said = None if done else hints.reason(memory, look, where, seen.clock, aside)
    told = hints.params(said, memory, look, seen.clock)
    return Reading(
        complete=done,
        settled=seen.conditions[-1].holds,
        conditions=seen.conditions,
        phase=key,
        plan=plan(memory, look, key, aside.has_log),
        pass_number=memory.pass_number,
        position=span.position,
        start=span.start,
        target=span.target,
        drift=span.drift,
        unit=span.unit,
        basis=span.basis,
        route=_route(memory, where, key, span),
        behind=None if where.genesis or not where.clock else round(where.lag, 1),
        done=seen.done,
        at_work=seen.at_work,
        epoch=epoch,
        eta_reason=_eta_reason(memory, look, key, span),
        reason=said,
        params=told,
        hints=hints.hints(memory, look, said, told, seen.clock, aside),
        shown=_shown(where),
        following=following(look, where, seen.clock, aside.max_lag, is_doubtful(memory, look)),
        metadata=_metadata(look, memory, where, seen.clock),
        memory=memory.to_json(),
    )


def _span(memory: Memory, look: NodeReading, where: Position, key: str) -> Span:
    if key == "blocks" and where.pos is not None:
        basis = "unknown" if where.tip is None else "exact" if where.exact else "estimated"
        return Span(where.pos, memory.blocks_start, where.tip, "blocks", basis, where.bps)
    if key == "headers":
        return _headers(memory, look, where)
    told = memory.story
    if key == "smt" and told.done is not None and told.total:
        return Span(told.done, 0, told.total, "lanes", "exact")
    if key == "utxo" and told.done is not None:
        return Span(told.done, 0, None, "entries", "exact")
    return Span()


def _headers(memory: Memory, look: NodeReading, where: Position) -> Span:
    here = way.place(memory, look, where)
    if here is None:
        return Span(unit="headers")
    if memory.goal is None or memory.goal < here:
        return Span(here, memory.start, None, "headers", "unknown", where.bps)
    exact = memory.goal_from > 0 or (where.exact and not memory.staging)
    basis = "exact" if exact else "estimated"
    return Span(here, memory.start, memory.goal, "headers", basis, where.bps)


def _route(memory: Memory, where: Position, key: str, span: Span) -> Route | None:
    """What lies ahead: this pass, then headers and blocks of what the network made meanwhile."""
    legs: tuple[Leg, ...]
    if key == "blocks" and where.pos is not None and where.headers is not None and where.tip:
        legs, grown = (Leg("blocks", where.headers - where.pos),), where.tip - where.headers
    elif key == "headers" and span.position is not None and span.target is not None:
        legs, grown = _from_headers(memory, where, span.target - span.position)
    else:
        return None
    measured = memory.headers_s >= MEASURED_S
    rates = {"headers": memory.headers_n / memory.headers_s} if measured else {}
    near = settling.YOUNG_S * where.bps
    return Route(legs, grown, ("headers", "blocks"), rates, PAUSE_S, near)


def _from_headers(memory: Memory, where: Position, ahead: float) -> tuple[tuple[Leg, ...], float]:
    if memory.staging or where.pos is None or where.headers is None:
        bodies, grown = (memory.goal or 0) - float(memory.start or 0), 0.0
    else:
        end = where.headers + ahead
        bodies, grown = end - where.pos, max(0.0, (where.tip or end) - end)
    return (Leg("headers", ahead), Leg("blocks", bodies)), grown


def _eta_reason(memory: Memory, look: NodeReading, key: str, span: Span) -> EtaReason | None:
    if key == "confirming":
        return EtaReason.CONFIRMING
    if memory.still >= hints.SILENT_S:
        return EtaReason.STALLED
    if key in phase.FIRST:
        return EtaReason.WARMING_UP if memory.kind == "sync" else EtaReason.NO_TOTAL
    if key not in ("headers", "blocks") or span.target is None or look.protocol == "go":
        return EtaReason.NO_TOTAL  # a Go node's score stands until a pass is over
    return None


def _shown(where: Position) -> tuple[float, float] | None:
    if where.pos is None or where.tip is None:
        return None
    return float(where.pos), float(max(round(where.tip), where.pos))


def _metadata(
    look: NodeReading, memory: Memory, where: Position, clock: Clock
) -> Mapping[str, Scalar]:
    known: dict[str, Scalar | None] = {
        "network": look.network,
        "version": look.server_version,
        "protocol": look.protocol,
        "peers": look.peers,
        "ibdPeers": look.ibd_peers,
        "isSynced": look.is_synced,
        "blockCount": look.block_count,
        "headerCount": look.header_count,
        "virtualDaaScore": look.virtual_daa_score,
        "position": where.pos,
        "networkTip": None if where.tip is None else round(where.tip),
        "lagSeconds": None if where.genesis or not where.clock else round(where.lag, 1),
        "clockOffSeconds": None if clock.off is None else round(clock.off),
        "utxoIndex": look.has_utxo_index,
        "receivedBytes": look.p2p_rx_bytes,
        "kind": memory.kind,
        "ibdErrors": memory.story.errors_since(look.at_ms) or None,
        "proofLevel": memory.story.done if memory.story.stage == "proof" else None,
    }
    return {name: value for name, value in known.items() if value is not None}
