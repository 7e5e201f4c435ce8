"""What may be wrong with a node that answers, and what helps."""

from __future__ import annotations

from collections.abc import Mapping

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.observation import Hint, Scalar
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.sync import death, identity, source
from kaspad_taskd.kaspa.sync.clock import FUTURE_S, Clock
from kaspad_taskd.kaspa.sync.memory import Memory
from kaspad_taskd.kaspa.sync.position import Position
from kaspad_taskd.kaspa.sync.reading import NodeReading

SILENT_S = 180
"""A node drops a silent peer after 120 s by itself; beyond that something is wrong."""
IDLE_S = 60
"""Between two passes nothing moves for up to 50 s (Go)."""
STANDSTILL_MAX_S = 6 * 3600
"""A node further behind is behind, whatever its peers have."""
ERRORS = 3
SKEW_S = 60
CUT_OFF_S, PINGS_S = 30.0, 360.0
"""Peers ping every 120 s each: a silence of three rounds of all of them is none of chance."""
ANOTHER_MS = 600_000
GONE = frozenset({Reason.REFUSED, Reason.STREAM_CLOSED, Reason.STOPPING})
"""What a node that has ended looks like from outside."""

P2P_PORTS: Mapping[str, int] = {
    "mainnet": 16111,
    "testnet": 16211,
    "simnet": 16511,
    "devnet": 16611,
}


@frozen
class Aside:
    """What is known beside the node's own answers.

    Attributes:
        max_lag: seconds that the newest block of a node in sync may be old.
        reference: virtual DAA score of a reference node at the same time, where one answered.
        has_log: the node's log is followed.
        unit: its systemd unit, where known, for the commands of the cures.
        free: free bytes on the disk of its data, where known.
        steady: when the position was told, ms, by a clock that nobody sets; None: `at_ms` is.
    """

    max_lag: float = 60.0
    reference: int | None = None
    has_log: bool = False
    unit: str | None = None
    free: int | None = None
    steady: int | None = None


def reason(
    memory: Memory, look: NodeReading, where: Position, clock: Clock, aside: Aside
) -> Reason | None:
    """Return what to say over any phase of a node that is not done: a cause before its effects."""
    if clock.off is not None or (look.peers == 0 and clock.suspect is not None):
        return Reason.CLOCK_SKEW
    if identity.loop(memory, look.at_ms) is not None:
        return Reason.CRASH_LOOP
    if look.peers == 0:
        return Reason.NO_PEERS
    if look.ibd_peers and memory.still >= SILENT_S:
        return Reason.PEER_SILENT
    if memory.idle >= IDLE_S and _at_its_tip(where, aside):
        return _standstill(memory, look, where)
    return None


def _standstill(memory: Memory, look: NodeReading, where: Position) -> Reason | None:
    """Nothing comes in: from nobody (we are cut off), or no blocks (the network makes none)."""
    if where.exact or look.p2p_rx_bytes is None or memory.quiet == 0:
        return Reason.NETWORK_STANDS_STILL
    if memory.quiet >= max(CUT_OFF_S, PINGS_S / look.peers):
        return Reason.CUT_OFF
    return None


def _at_its_tip(where: Position, aside: Aside) -> bool:
    """Whether an old sink is the newest there is, as far as anybody knows."""
    if where.pos is None or where.headers is None or where.genesis or where.transitional:
        return False
    slack = aside.max_lag * where.bps
    ahead = where.exact and where.tip is not None and where.tip - where.pos >= slack
    old = aside.max_lag <= where.lag < STANDSTILL_MAX_S
    return old and not ahead and where.headers - where.pos < slack


def hints(
    memory: Memory,
    look: NodeReading,
    said: Reason | None,
    told: Mapping[str, Scalar],
    clock: Clock,
    aside: Aside,
) -> tuple[Hint, ...]:
    """Return the likely causes with a cure; `said` is the reason shown, `told` its params."""
    found = [] if said is None else [Hint(str(said), told)]
    errors = memory.story.errors_since(look.at_ms)
    if errors >= ERRORS:
        unit: dict[str, Scalar] = {"unit": aside.unit} if aside.unit else {}
        found.append(Hint(str(Reason.IBD_ERRORS), {"count": errors, **unit}))
    if aside.free is not None and aside.free < death.LOW_DISK:
        found.append(Hint(str(Reason.DISK_FULL), {"free": aside.free}))
    if said is not Reason.CLOCK_SKEW and _off(look, clock) is not None:
        found.append(Hint(str(Reason.CLOCK_SKEW), params(Reason.CLOCK_SKEW, memory, look, clock)))
    if memory.another_at and look.at_ms - memory.another_at < ANOTHER_MS:
        found.append(Hint("several-nodes"))
    return (*found, *source.source_hints(memory.story, look.at_ms))


def _off(look: NodeReading, clock: Clock) -> float | None:
    """By how much the clock is off, as far as it can be said; a remote node's may differ too."""
    off = clock.off if clock.off is not None else clock.suspect
    if off is not None or clock.good or not look.server_time_ms:
        return off
    apart = (look.at_ms - look.server_time_ms) / 1000
    return apart if abs(apart) > SKEW_S else None


def params(
    said: Reason | None, memory: Memory, look: NodeReading, clock: Clock
) -> Mapping[str, Scalar]:
    """Return what the sentence of a reason needs."""
    if said is Reason.NO_PEERS:
        return {"port": P2P_PORTS.get(look.network.partition("-")[0], 16111)}
    if said is Reason.CLOCK_SKEW:
        off = _off(look, clock) or 0.0
        name = "least" if off == -FUTURE_S else "skew"  # refused blocks tell no more
        return {name: abs(round(off)), "way": "ahead" if off > 0 else "behind"}
    if said is Reason.CRASH_LOOP:
        return looping(memory, look.at_ms)
    if said is Reason.PEER_SILENT:
        tried = max(memory.peers_tried, memory.story.given_up_since(look.at_ms))
        return {"count": tried} if tried > 1 else {}
    return {}


def looping(memory: Memory, now_ms: int) -> Mapping[str, Scalar]:
    """Return how often in the last hour it was started anew and how far it came, if in a loop."""
    found = identity.loop(memory, now_ms)
    if found is None:
        return {}
    return {"count": found.count, **({"phase": found.phase} if found.phase else {})}


def unreachable(
    memory: Memory, where: Mapping[str, Scalar], now_ms: int, free: int | None = None
) -> tuple[Hint, ...]:
    """Return what is known about a node that does not answer; see `death.hints`."""
    again = looping(memory, now_ms)
    return (
        *death.hints(memory.story.death, where, free),
        *((Hint(str(Reason.CRASH_LOOP), again),) if again else ()),
        *source.not_understood(memory.story),
    )


def gone(memory: Memory, met: Reason, now_ms: int) -> Reason:
    """Return why a node does not answer, where more is known of it than what was met."""
    told = death.reason(memory.story.death, met)
    unexplained = told in (met, Reason.NODE_PANICKED)
    return Reason.CRASH_LOOP if met in GONE and unexplained and looping(memory, now_ms) else told
