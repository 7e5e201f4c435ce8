"""What one look at an indexer saw, whichever it is, and the Reading that this makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from math import ceil, floor
from typing import Final

from kaspad_taskd.base.durations import tenths
from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.observation import Condition, Done, Following, Hint, Reading, Scalar
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes.indexers.findings import Finding
from kaspad_taskd.probes.indexers.memory import Memory, Met, crash_loop
from kaspad_taskd.words.spans import up

BPS: Final = 10.0
"""Blocks a second of mainnet and testnet-10; the speed of the target."""
RESET_S: Final = 3600.0
"""Seconds of blocks that a position may fall behind its start and the place that it had saved. A
crash goes back as far as it came in a minute, which is many times as much while it catches up. Far
below that its database was begun anew: at the node's pruning point, more than a day back."""

DOUBT_MS: Final = 120_000
"""So long a lower position has to last where no restart explains it."""

FOREIGN_S: Final = 60.0
"""Seconds of blocks that a position may be ahead of its node: they are asked in turn."""


@frozen
class View:
    """What an indexer and, where one was asked, a node have said.

    Attributes:
        position: DAA score up to which all that is enabled has come, None where that is unknown.
        at: time of the block at `position`, ms, or None.
        target: the node's virtual DAA score when `position` was told, None where no node told.
        bps: blocks a second of the network.
        synced: whether the node says that it is synced, None where no node told.
        busy: it is at something that comes before the blocks (an import of the UTXO set).
        version: the indexer's.
        network: "mainnet", "testnet-10", or None.
        uptime: ms since its process began, or None.
        tells_node: whether it tells that it has lost its node; else its log does.
        tells_gaps: whether its numbers prove that nothing older is missing.
        imported: entries of the UTXO set imported so far while it is `busy`, or None.
        begun: DAA score up to which those components have come that have begun, while another one
            waits for them to reach the tip (a virtual chain for its blocks); else None.
        newest: where the position is unknown, the newest block that shows its work, "" before the
            first one; None where nothing can show it.
        hints: why something is not known.
        metadata: named facts.
        saved: DAA score that it goes on from after its end, None where it does not tell.
        seen: our wall clock when the indexer told `position`, ms; None: at the judging.
    """

    position: float | None = None
    at: int | None = None
    target: float | None = None
    bps: float = BPS
    synced: bool | None = None
    busy: bool = False
    version: str | None = None
    network: str | None = None
    uptime: int | None = None
    tells_node: bool = True
    tells_gaps: bool = True
    imported: int | None = None
    begun: float | None = None
    newest: str | None = None
    hints: tuple[Hint, ...] = ()
    metadata: Mapping[str, Scalar | None] = field(default_factory=dict)
    saved: float | None = None
    seen: int | None = None


def judge(view: View, memory: Memory, max_lag: float, now: int) -> Reading:
    """Return what a view means.

    Complete is only what stands at the tip of a node that says it is synced; that the indexer
    answers tells nothing.

    Args:
        view: what was seen.
        memory: of the last look, the log's newest lines in it.
        max_lag: seconds that the indexer may be behind its node.
        now: our wall clock, ms.
    """
    ahead = view.position is not None and view.target is not None
    # A node far behind its indexer has begun anew: it does not know the tip.
    foreign = ahead and (view.position or 0) - (view.target or 0) > FOREIGN_S * view.bps
    target = None if foreign else view.target
    memory, epoch = _placed(memory, view, now)
    untold = () if view.tells_node else (Finding.NODE_LOST,)
    memory = memory.answered(view.uptime, now, *untold)
    memory = memory.waiting(_at_tip(view, target, max_lag))
    fresh = view.newest not in ("", None, *memory.newest)
    lag = _lag(view, target, now if view.seen is None else view.seen)
    conditions = _conditions(view, memory, target, lag, max_lag)
    unsynced = view.synced is False or foreign
    return Reading(
        complete=all(each.holds for each in conditions),
        conditions=conditions,
        position=view.position,
        start=memory.start,
        target=None if target is None or view.position is None else max(target, view.position),
        drift=view.bps,
        unit="blocks",
        basis="unknown" if view.position is None or target is None else "exact",
        behind=lag,
        done=_done(view, memory, target),
        at_work=None if view.position is not None or view.newest is None else fresh,
        epoch=epoch,
        following=None if view.position is None else Following(f"{view.position:.0f}"),
        reason=Reason.NODE_NOT_SYNCED if unsynced else None,
        hints=_hints(view, memory, unsynced, now),
        metadata=_metadata(view, memory, lag),
        memory=memory.shown(view.newest if fresh else None).to_json(),
    )


def _at_tip(view: View, target: float | None, max_lag: float) -> bool | None:
    """Whether the components that others wait for stand at the tip; None where nobody waits."""
    if view.begun is None:
        return None
    return target is not None and target - view.begun < max_lag * view.bps


def _done(view: View, memory: Memory, target: float | None) -> Done | None:
    """What movement is told from, where it is not the position: that of what is under way.

    The position is the least of all components, so who works beside one that stands moves nothing.
    Only while that one has not begun, and waits for the others to reach the tip, it is theirs.
    """
    if view.busy and view.imported is not None:
        return Done("imported", float(view.imported))
    if view.begun is not None and target is not None and not memory.gathered:
        return Done("begun", view.begun)
    return None


def _conditions(
    view: View, memory: Memory, target: float | None, lag: float | None, max_lag: float
) -> tuple[Condition, ...]:
    """What has to hold for this look to say that the indexer has come as far as its node."""
    gaps = not view.tells_gaps and memory.has_gaps
    behind = None if lag is None else tenths(lag)
    return (
        Condition("place-known", view.position is not None),
        Condition("tip-known", target is not None),
        Condition("node-synced", view.synced is True),
        Condition("blocks-begun", not view.busy),
        Condition("no-gaps", not gaps, memory.gaps),
        Condition("near-node", lag is not None and lag < max_lag, behind, max_lag),
    )


def _placed(memory: Memory, view: View, now: int) -> tuple[Memory, str | None]:
    """The memory with the place where this began, and why it was begun anew, if it was.

    An indexer far behind the last one that answered may be another behind the same name.
    """
    if view.position is None:
        return memory, None
    if memory.start is None:
        return replace(memory, start=view.position, saved=view.saved), None
    start = memory.start
    least = start if memory.saved is None else min(start, memory.saved)
    if view.position >= least - RESET_S * view.bps:
        return replace(memory, lower_since=None, saved=view.saved), None
    since = now if memory.lower_since is None else memory.lower_since
    known = view.uptime is not None and memory.met(view.uptime, now) in (Met.SAME, Met.RESTARTED)
    if now - since < DOUBT_MS and (memory.lower_since is not None or not known):
        return replace(memory, lower_since=since), None
    memory = replace(memory, start=view.position, saved=view.saved, lower_since=None)
    return memory, "index-reset"


def _lag(view: View, target: float | None, seen: int) -> float | None:
    """Seconds behind its node; where no node told, behind `seen`, by its block's time."""
    if view.position is not None and target is not None:
        return max(0.0, (target - view.position) / view.bps)
    return None if view.at is None else max(0.0, (seen - view.at) / 1000)


def _hints(view: View, memory: Memory, unsynced: bool, now: int) -> tuple[Hint, ...]:
    found = [Hint("node-not-synced")] if unsynced else []
    found += view.hints
    silent = any(each.code == "node-silent" for each in view.hints)  # the same, seen by ourselves
    if memory.finding is Finding.NODE_LOST and not silent:
        found.append(Hint(Finding.NODE_LOST))
    if not view.tells_gaps and memory.gaps is None:
        found.append(Hint("history-unknown"))
    elif not view.tells_gaps and memory.has_gaps:
        found.append(Hint("gaps-open", {"count": memory.gaps or 0}))
    return (*found, *crash_loop(memory, now))


def _metadata(view: View, memory: Memory, lag: float | None) -> Mapping[str, Scalar]:
    history = "unknown" if memory.gaps is None else "gaps" if memory.has_gaps else "whole"
    facts: dict[str, Scalar | None] = {
        "version": view.version,
        "network": view.network,
        "position": None if view.position is None else floor(view.position),
        "target": None if view.target is None else ceil(view.target),
        "lagSeconds": None if lag is None else up(lag),
        "nodeSynced": view.synced,
        "history": None if view.tells_gaps else history,
        **view.metadata,
    }
    return {key: value for key, value in facts.items() if value is not None}
