"""What may be wrong with a node that answers, and what helps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kaspad_taskd.core.observation import Hint, Scalar
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.sync import death, source
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
LOW_DISK = 2_000_000_000
SKEW_S = 60

P2P_PORTS: Mapping[str, int] = {
    "mainnet": 16111,
    "testnet": 16211,
    "simnet": 16511,
    "devnet": 16611,
}


@dataclass(frozen=True, slots=True)
class Aside:
    """What is known beside the node's own answers.

    Attributes:
        max_lag: seconds that the newest block of a node in sync may be old.
        reference: virtual DAA score of a reference node at the same time, where one answered.
        has_log: the node's log is followed.
        unit: its systemd unit, where known, for the commands of the cures.
        free: free bytes on the disk of its data, where known.
    """

    max_lag: float = 60.0
    reference: int | None = None
    has_log: bool = False
    unit: str | None = None
    free: int | None = None


def reason(memory: Memory, look: NodeReading, where: Position, aside: Aside) -> Reason | None:
    """Return what to say over any phase of a node that is not done, or None."""
    if look.peers == 0:
        return Reason.NO_PEERS
    if look.ibd_peers and memory.still >= SILENT_S:
        return Reason.PEER_SILENT
    if memory.idle >= IDLE_S and _at_its_tip(where, aside):
        return Reason.NETWORK_STANDS_STILL
    return None


def _at_its_tip(where: Position, aside: Aside) -> bool:
    """Whether an old sink is the newest there is, as far as anybody knows."""
    if where.pos is None or where.headers is None or where.genesis or where.transitional:
        return False
    slack = aside.max_lag * where.bps
    ahead = where.exact and where.tip is not None and where.tip - where.pos >= slack
    old = aside.max_lag <= where.lag < STANDSTILL_MAX_S
    return old and not ahead and where.headers - where.pos < slack


def hints(memory: Memory, look: NodeReading, said: Reason | None, aside: Aside) -> tuple[Hint, ...]:
    """Return the likely causes with a cure; `said` is the reason shown."""
    found = [] if said is None else [Hint(str(said), _params(said, look))]
    errors = memory.story.errors_since(look.at_ms)
    if errors >= ERRORS:
        unit: dict[str, Scalar] = {"unit": aside.unit} if aside.unit else {}
        found.append(Hint(str(Reason.IBD_ERRORS), {"count": errors, **unit}))
    if aside.free is not None and aside.free < LOW_DISK:
        found.append(Hint(str(Reason.DISK_FULL), {"free": aside.free}))
    skew = skew_s(look)
    if skew > SKEW_S:
        found.append(Hint(str(Reason.CLOCK_SKEW), {"skew": round(skew)}))
    return (*found, *source.source_hints(memory.story, look.at_ms))


def skew_s(look: NodeReading) -> float:
    """Return by how many seconds our clock and the node's differ; 0 where it tells none."""
    if not look.server_time_ms:
        return 0.0
    return abs(look.server_time_ms - look.at_ms) / 1000


def unreachable(
    memory: Memory, where: Mapping[str, Scalar], free: int | None = None
) -> tuple[Hint, ...]:
    """Return what a log told about a node that does not answer; see `death.hints`."""
    return (*death.hints(memory.story.death, where, free), *source.not_understood(memory.story))


def _params(said: Reason, look: NodeReading) -> Mapping[str, Scalar]:
    if said is not Reason.NO_PEERS:
        return {}
    return {"port": P2P_PORTS.get(look.network.partition("-")[0], 16111)}
