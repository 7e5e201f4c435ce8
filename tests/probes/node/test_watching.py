"""A node that is kept watch on, over the wire, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from kaspad_taskd.core.model import Health, Status
from kaspad_taskd.core.reason import Reason
from tests.fakes.house import EPOCH
from tests.fakes.told_node import BPS, TIP, Says, Tells, Watched, watching

pytestmark = pytest.mark.looptime
KEPT: dict[str, Any] = {"keep_watching": True, "interval": 5.0}


def now_ms() -> int:
    return EPOCH + int(asyncio.get_running_loop().time() * 1000)


def at_tip(second: float, **other: Any) -> Says:
    """A node that follows the network."""
    moved = round(second * BPS)
    values = {"score": TIP + moved, "counts": 5_000 + moved, "rx": 1_000_000 + moved * 2_000}
    return Says(now_ms=now_ms(), **{**values, **other})


def then(second: float, other: Tells) -> Tells:
    """A node at the tip, and from that second on as told."""
    return lambda now: at_tip(now) if now < second else other(now)


def healths(node: Watched) -> list[Health]:
    """Each health after the completion, once."""
    found: list[Health] = []
    for task in node.seen:
        if task.status is Status.COMPLETE and found[-1:] != [task.health]:
            found.append(task.health)
    return found


async def test_who_gets_no_more_blocks_is_behind_and_then_stalled() -> None:
    """Its peers are there, and send nothing: it, or the network, makes no blocks."""

    def frozen(second: float) -> Says:
        if second >= 1200:
            return at_tip(second)
        pings = 2_000_000 + round(second * 10)
        return at_tip(120, age=second - 120 + 0.3, synced=second < 780, rx=pings)

    async with watching(then(120.0, frozen), **KEPT) as node:
        await node.until(1100.0)
        assert (node.task.health, node.task.reason) == (
            Health.STALLED, Reason.NETWORK_STANDS_STILL,
        )  # fmt: skip
        assert node.task.status is Status.COMPLETE
        await node.until(1300.0)
    assert healths(node) == [Health.OK, Health.BEHIND, Health.STALLED, Health.OK]


async def test_a_database_that_was_deleted_is_a_relapse() -> None:
    """The same node at a score of nothing, which it begins to fill."""

    def anew(second: float) -> Says | None:
        if second < 140:
            return None
        done = round((second - 140) * 100)
        return at_tip(second, score=1_000 + done, age=3_600_000.0, synced=False, ibd=0,
                      blocks=1_000 + done, ahead=50_000, p2p_id="b" * 36)  # fmt: skip

    async with watching(then(120.0, anew), **KEPT) as node:
        await node.until(260.0)
        task = node.task
    assert (task.status, task.attempt, task.because) == (Status.IN_PROGRESS, 2, "db-reset")
    assert task.percent < 50


@pytest.mark.parametrize(
    ("hours", "status", "because"),
    [(0.5, Status.COMPLETE, None), (2.0, Status.IN_PROGRESS, "far-behind")],
)
async def test_a_node_that_was_away_relapses_if_it_lacks_more_than_an_hour(
    hours: float, status: Status, because: str | None
) -> None:
    """Headers first: what it lacks is counted in scores; less is behind, and no new attempt."""
    lacks = round(hours * 3600)

    def back(second: float) -> Says:
        return at_tip(second, score=TIP + round(120 * BPS), age=lacks + second - 120.0,
                      synced=False, ibd=0, ahead=lacks * BPS)  # fmt: skip

    async with watching(then(120.0, back), **KEPT) as node:
        await node.until(420.0)
        task = node.task
    assert (task.status, task.because) == (status, because)
    if because is None:
        assert task.health is Health.BEHIND


async def test_an_age_of_two_hours_alone_is_no_relapse() -> None:
    """Without a download it is behind, however old its newest block."""

    def old(second: float) -> Says:
        return at_tip(second, age=7_200.0, synced=False)

    async with watching(then(120.0, old), **KEPT) as node:
        await node.until(420.0)
        assert (node.task.status, node.task.attempt) == (Status.COMPLETE, 1)
        assert node.task.health is Health.BEHIND


def skewed(off: float) -> Callable[[float], Says]:
    """On a host whose clock has gone wrong by so many seconds, as peers that came since say."""
    return lambda second: at_tip(second, age=off + 0.3, offsets=round(off * 1000))


@pytest.mark.parametrize("off", [300.0, 7_200.0, -300.0])
async def test_a_clock_that_goes_wrong_makes_no_node_behind(off: float) -> None:
    """It follows as fast as the network: well, with the hint; and so on when the clock is right."""

    def tells(second: float) -> Says:
        return skewed(off)(second) if second < 900 else at_tip(second)

    async with watching(then(120.0, tells), **KEPT) as node:
        await node.until(890.0)
        task = node.task
        assert (task.health, task.reason) == (Health.OK, Reason.CLOCK_SKEW)
        assert "clock-skew" in {each.code for each in task.live.hints}
        assert task.live.behind is None
        await node.until(1100.0)
        assert (node.task.health, node.task.reason) == (Health.OK, None)
    assert healths(node) == [Health.OK]


async def test_with_a_wrong_clock_who_stops_is_not_known() -> None:
    """No lag made up by that clock: nobody knows until it is right, or the node follows again."""

    def tells(second: float) -> Says:
        if second < 600:
            return skewed(300.0)(second)
        age = 300.3 + min(second, 1500.0) - 600
        return at_tip(600, age=age, offsets=300_000) if second < 1500 else at_tip(second)

    async with watching(then(120.0, tells), **KEPT) as node:
        await node.until(1490.0)
        assert (node.task.status, node.task.attempt) == (Status.COMPLETE, 1)
        assert (node.task.health, node.task.reason) == (Health.UNKNOWN, Reason.CLOCK_SKEW)
        await node.until(1600.0)
    assert healths(node) == [Health.OK, Health.UNKNOWN, Health.OK]
