"""How a local node stands towards the services that use it, and for how long somebody saw it so.

Only time that somebody saw counts, in ms up to the newest look. What lies between two looks too far
apart (a host that slept, a clock that jumped, a daemon that did not run) is not known: after it the
count begins anew. Pure.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from kaspad_taskd.base.frozen import frozen, replace
from kaspad_taskd.core.model import Health, Moment, Status, Task
from kaspad_taskd.core.reason import Reason


class Standing(StrEnum):
    """How a local node stands towards the services that use it."""

    OK = "ok"  # complete, and seen to be in sync
    BAD = "bad"  # unreachable, stalled or behind
    UNKNOWN = "unknown"  # nobody looks, or the clock is wrong


@frozen
class NodeView:
    """What a node's task tells of it.

    Attributes:
        standing: whether services are well on it.
        health: in which way: `behind` too for one that has to sync again.
        since: since when it is so, as its task has it.
        reason: why, or None.
        behind: seconds that it is behind, or None.
        still: it answers and has peers, so that a standstill may be the network's.
        moved: when it had something new last, or None.
        tip: the score of a reference that answers, or None.
    """

    standing: Standing
    health: Health = Health.UNKNOWN
    since: Moment | None = None
    reason: Reason | None = None
    behind: float | None = None
    still: bool = False
    moved: Moment | None = None
    tip: float | None = None


def view(task: Task) -> NodeView:
    """Return how a node stands by the task that watches it.

    One that is in progress has to sync (again), so it is behind, whatever its health.
    """
    skewed = task.live.clock_off or task.reason is Reason.CLOCK_SKEW
    hinted = any(each.code == Reason.CLOCK_SKEW for each in task.live.hints)
    if not task.watched or task.health is Health.UNKNOWN or skewed or hinted:
        return NodeView(Standing.UNKNOWN)
    syncing = task.status is Status.IN_PROGRESS
    well = task.health is Health.OK
    facts = task.live.metadata
    tip = facts.get("networkTip") if facts.get("referenceAnswers") is True else None
    return NodeView(
        Standing.OK if well and not syncing else Standing.BAD,
        Health.BEHIND if well and syncing else task.health,
        task.started_at if well and syncing else task.health_since,
        task.reason,
        task.live.behind,
        task.health is not Health.UNREACHABLE and task.reason is not Reason.NO_PEERS,
        task.live.last_moved,
        float(tip) if isinstance(tip, int | float) else None,
    )


@frozen
class Count:
    """For how long a node has been seen to stand as it does, without a break.

    Attributes:
        view: how it stands.
        span: ms of it that were seen, up to the newest look.
        look: the moment of the newest look, or None.
        steady: the same by a clock that never jumps, ms; None: it was in another run.
        quiet: ms of `span` since something new came, at the node or at its reference; None:
            nothing was seen to come.
    """

    view: NodeView
    span: int = 0
    look: Moment | None = None
    steady: int | None = None
    quiet: int | None = None

    @property
    def standing(self) -> Standing:
        """How it stands."""
        return self.view.standing

    def since(self) -> Moment | None:
        """The moment from which on it counts, as the newest look's clock has it."""
        return None if self.look is None else self.look - self.span


UNSEEN: Final = Count(NodeView(Standing.UNKNOWN))
"""Before the first look."""


def count(before: Count, seen: NodeView, look: Moment | None, steady: int, apart: int) -> Count:
    """Return the count after the table has told how the node stands now.

    Args:
        before: what was counted.
        seen: how it stands.
        look: the moment of its task's newest look.
        steady: now, ms of a clock that never jumps.
        apart: ms between two looks that leave nothing unseen.
    """
    if look is None or look == before.look:
        if seen.standing is before.standing:
            return replace(before, view=seen)
        return Count(seen, 0, look, steady)
    gap, passed = _between(before, look, steady)
    if seen.standing is not before.standing or not 0 <= gap <= apart:
        return Count(seen, 0, look, steady)
    old = before.view
    rises = seen.tip is not None and old.tip is not None and seen.tip > old.tip
    came = rises or (before.steady is not None and seen.moved != old.moved)
    quiet = 0 if came else None if before.quiet is None else before.quiet + passed
    return Count(seen, before.span + passed, look, steady, quiet)


def taken_up(standing: Standing, since: Moment, look: Moment) -> Count:
    """Return the count that another run has left: from `since` on, up to its newest `look`."""
    return Count(NodeView(standing), max(0, look - since), look)


def fresh(known: Count, steady: int, apart: int) -> Count:
    """Return what a count says now: nothing where its newest look is too long ago."""
    if known.steady is None or steady - known.steady > apart:
        return UNSEEN
    return known


def _between(before: Count, look: Moment, steady: int) -> tuple[int, int]:
    """How far two looks may be apart at the most, and the ms between them that count.

    By stamps alone where the other was in another run; else the steady clock counts, and only the
    stamps know of a host that slept.
    """
    if before.look is None:
        return -1, 0
    by_stamps = look - before.look
    if before.steady is None:
        return by_stamps, by_stamps
    passed = steady - before.steady
    return max(passed, by_stamps), passed
