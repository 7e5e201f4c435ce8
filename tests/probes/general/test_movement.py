"""What of an http-json answer is movement, with the daemon's engine in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from kaspad_taskd.core.model import Health, Status
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes.general.http_json import understand
from kaspad_taskd.probes.said import judge
from tests.fakes.house import definition, house

pytestmark = pytest.mark.looptime

PLACES = {"done": "height", "total": "target_height"}


@pytest.mark.parametrize("told", ["height", "target_height"])
async def test_a_done_that_is_told_now_and_then_is_no_movement(told: str) -> None:
    """A look without it shows no work, for it has been told before."""
    async with house() as built:
        answers = [{"height": 1000, "target_height": 5000} for _ in range(60)]
        for n in range(1, 60, 2):
            answers[n] = {told: answers[n][told]}
        seen = [judge(understand(PLACES, answer), True, None) for answer in answers]
        built.probe("work").answers = [*seen]
        await built.roster.register(definition(interval=0.5, stall_after=4.0))
        await asyncio.sleep(3.9)
        assert built.task("work").health is Health.OK
        await asyncio.sleep(3.0)
        assert built.task("work").health is Health.STALLED


async def test_a_target_that_grows_is_no_movement() -> None:
    """Stalled, given up, and moved last at the first answer, as with one that stays."""
    async with house() as built:
        answers = ({"height": 1000, "target_height": 5001 + n} for n in range(60))
        seen = [judge(understand(PLACES, answer), True, None) for answer in answers]
        built.probe("work").answers = [*seen]
        await built.roster.register(definition(interval=0.5, stall_after=4.0, give_up_after=6.0))
        await asyncio.sleep(3.9)
        assert built.task("work").health is Health.OK
        first = built.task("work").live.last_moved
        await asyncio.sleep(1.1)
        assert built.task("work").health is Health.STALLED
        await asyncio.sleep(1.6)
        task = built.task("work")
        assert (task.status, task.failure and task.failure.reason) == (
            Status.ERROR, Reason.GAVE_UP,
        )  # fmt: skip
        assert task.live.last_moved == first
