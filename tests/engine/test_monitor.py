"""The looks: one at a time, in time, never anybody's end."""

from __future__ import annotations

import asyncio
import logging

import pytest

from kaspad_taskd.core.inputs import Pause, Start
from kaspad_taskd.core.model import Health, Status
from kaspad_taskd.core.observation import Reading, Unreachable
from kaspad_taskd.core.reason import Reason
from tests.fakes.house import definition, house

pytestmark = pytest.mark.looptime


async def test_looks_never_overlap_and_the_interval_counts_from_the_end() -> None:
    """A slow look delays the next one instead of meeting it."""
    async with house() as built:
        built.probe("work").takes = 4.0
        await built.roster.register(definition(interval=1.0))
        await asyncio.sleep(20.5)
        assert built.probe("work").looks == 5
        assert built.probe("work").most_at_once == 1


async def test_a_look_that_hangs_is_a_timeout_never_an_error() -> None:
    """Past its deadline a look is cut and counts as unreachable."""
    async with house() as built:
        built.probe("work").takes = 1000.0
        await built.roster.register(definition())
        await asyncio.sleep(5.5)
        task = built.task("work")
        assert (task.status, task.health, task.reason) == (
            Status.IN_PROGRESS, Health.UNREACHABLE, Reason.TIMEOUT,
        )  # fmt: skip


async def test_a_probe_that_crashes_is_health_with_an_incident(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The traceback is in the log under the incident that the task names."""
    async with house() as built:
        built.probe("work").default = KeyError("secret")
        with caplog.at_level(logging.ERROR):
            await built.roster.register(definition())
            await asyncio.sleep(1)
        task = built.task("work")
        assert task.reason is Reason.CHECKER_FAULT
        known = [(vars(each)["task"], vars(each)["incident"]) for each in caplog.records]
        assert known == [(task.id, task.live.params["incident"])]
        assert "secret" not in str(task.live.params)


async def test_a_probe_that_crashes_at_each_look_is_logged_once_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The number that the task names is the one in the log; what was held back is counted."""
    async with house() as built:
        built.probe("work").default = KeyError("secret")
        with caplog.at_level(logging.ERROR):
            await built.roster.register(definition(interval=1.0))
            await asyncio.sleep(600)
        assert built.probe("work").looks >= 10
        assert len(caplog.records) <= 11
        assert built.task("work").live.params["incident"] == vars(caplog.records[-1])["incident"]
        built.probe("work").default = ValueError("another")
        with caplog.at_level(logging.ERROR):
            await asyncio.sleep(70)
        assert any("ValueError" in each for each in caplog.text.splitlines())


async def test_unreachable_services_are_asked_less_often_up_to_a_minute() -> None:
    """The interval doubles while there is no answer, and is back with the first one."""
    async with house() as built:
        built.probe("work").default = Unreachable(Reason.REFUSED)
        await built.roster.register(definition(interval=1.0))
        await asyncio.sleep(600)
        looks = built.probe("work").looks
        assert 14 <= looks <= 17
        built.probe("work").default = Reading(position=1.0)
        await asyncio.sleep(61)
        before = built.probe("work").looks
        await asyncio.sleep(10.5)
        assert built.probe("work").looks - before >= 10


async def test_a_pause_ends_the_look_in_flight_and_start_takes_one_at_once() -> None:
    """Nobody is asked while paused; the late answer is dropped."""
    async with house() as built:
        built.probe("work").takes = 3.0
        await built.roster.register(definition())
        await asyncio.sleep(1)
        await built.engine.act("work", Pause())
        await asyncio.sleep(30)
        assert built.probe("work").looks == 1
        assert built.task("work").live.last_checked is None
        built.probe("work").takes = 0.0
        await built.engine.act("work", Start())
        await asyncio.sleep(1)
        assert built.probe("work").looks == 2


async def test_stop_and_start_in_one_breath_still_looks() -> None:
    """A look that is ending does not swallow the one planned meanwhile."""
    async with house() as built:
        built.probe("work").takes = 3.0
        await built.roster.register(definition())
        await asyncio.sleep(1)
        await asyncio.gather(built.engine.act("work", Pause()), built.engine.act("work", Start()))
        await asyncio.sleep(4)
        assert built.task("work").live.last_checked is not None


async def test_at_most_64_looks_at_once() -> None:
    """A hundred slow services are asked in turn, all of them."""
    async with house() as built:
        for number in range(100):
            built.probe(f"t{number}").takes = 2.0
            await built.roster.register(definition(f"t{number}"))
        await asyncio.sleep(1)
        assert sum(probe.at_once for probe in built.probes.values()) == 64
        await asyncio.sleep(4)
        assert all(probe.looks for probe in built.probes.values())


async def test_check_now_waits_for_the_look_in_flight_or_takes_one() -> None:
    """An asked look is answered with its result."""
    async with house() as built:
        await built.roster.register(definition())
        await asyncio.sleep(1)
        built.probe("work").default = Reading(position=7.0, target=10.0)
        await built.monitors.check("work")
        assert built.task("work").percent == 70.0
        built.probe("work").takes = 1.0
        before = built.probe("work").looks
        await asyncio.gather(built.monitors.check("work"), built.monitors.check("work"))
        assert built.probe("work").looks == before + 1


async def test_a_report_that_falls_silent_stalls() -> None:
    """Without a probe time alone decides."""
    async with house() as built:
        await built.roster.register(definition(type="report", stall_after=60.0))
        await asyncio.sleep(55)
        assert built.task("work").health is Health.UNKNOWN
        await asyncio.sleep(20)
        assert built.task("work").health is Health.STALLED


async def test_an_asked_look_waits_for_a_place() -> None:
    """Asking for looks does not get more than 64 of them at once; a pause answers who waits."""
    async with house() as built:
        for number in range(70):
            built.probe(f"t{number}").takes = 4.0
            await built.roster.register(definition(f"t{number}", start=number < 64))
        await asyncio.sleep(1)
        for number in range(64, 70):
            await built.engine.act(f"t{number}", Start())
        asked = [asyncio.create_task(built.monitors.check(f"t{n}")) for n in range(64, 70)]
        await asyncio.sleep(0.5)
        assert sum(probe.at_once for probe in built.probes.values()) == 64
        await built.engine.act("t69", Pause())
        await asyncio.sleep(0.5)
        assert [each.done() for each in asked] == [False] * 5 + [True]
        await asyncio.sleep(8)
        assert all(each.done() for each in asked)


@pytest.mark.parametrize("turns", range(8))
async def test_a_pause_in_the_moment_a_look_begins_leaves_nothing_behind(turns: int) -> None:
    """Whichever comes first, looks go on after the next start."""
    async with house() as built:
        await built.roster.register(definition())
        await asyncio.sleep(9.5)
        due = built.monitors.due_in("work")
        assert due is not None
        await asyncio.sleep(due)
        for _ in range(turns):
            await asyncio.sleep(0)
        await built.engine.act("work", Pause())
        await asyncio.sleep(1)
        assert built.monitors.due_in("work") is None
        before = built.probe("work").looks
        await built.engine.act("work", Start())
        await asyncio.sleep(11)
        assert built.probe("work").looks == before + 2


async def test_a_late_look_that_is_paused_is_no_timeout() -> None:
    """A pause at the deadline ends the look; the deadline does not judge the next one."""
    async with house() as built:
        built.probe("work").takes = 1000.0
        await built.roster.register(definition())
        await asyncio.sleep(5)
        await built.engine.act("work", Pause())
        built.probe("work").takes = 0.0
        await built.engine.act("work", Start())
        await asyncio.sleep(1)
        assert built.task("work").health is Health.OK


async def test_looks_that_are_asked_for_leave_nothing_behind() -> None:
    """However often a task is checked between two looks of its own, one plan is kept."""
    async with house() as built:
        await built.roster.register(definition(type="report", interval=86_400.0))
        for _ in range(1000):
            await built.monitors.check("work")
        assert len(built.monitors._heap) <= 70
        assert built.monitors.due_in("work") == pytest.approx(86_400, abs=1)


async def test_whether_files_are_scarce_is_asked_once_for_the_looks_that_begin_together() -> None:
    """Where they are, each of those looks lets its connection go; else none does."""
    async with house() as built:
        asked: list[int] = []
        scarce = False

        def crowded(more: int) -> bool:
            asked.append(more)
            return scarce

        built.crowded = crowded
        probes = [built.probe(f"work-{number}") for number in range(20)]
        for number in range(20):
            await built.roster.register(definition(f"work-{number}"))
        await asyncio.sleep(1)
        first = len(asked)
        await asyncio.sleep(20)
        assert [each.looks for each in probes] == [3] * 20
        assert len(asked) - first < 20
        assert set(asked) == {64}
        assert [each.closed for each in probes] == [0] * 20
        scarce = True
        await asyncio.sleep(10)
        assert [each.closed for each in probes] == [1] * 20
