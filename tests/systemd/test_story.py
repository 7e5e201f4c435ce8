"""The log tells what happened to tasks."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from kaspad_taskd.core.attention import AttentionCode, ServiceState, Sight
from kaspad_taskd.core.fact import EventName
from kaspad_taskd.core.inputs import Cancel, Fail, Pause, Retry
from kaspad_taskd.core.observation import Reading, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.systemd.story import Story, level
from tests.fakes.hands import service
from tests.fakes.house import definition, house

pytestmark = pytest.mark.looptime


def told(record: logging.LogRecord) -> tuple[str, str, str | None, str]:
    fields = vars(record)
    return record.levelname, fields["task"] or "", fields["reason"], record.getMessage()


async def test_ends_failures_and_health_are_lines(caplog: pytest.LogCaptureFixture) -> None:
    """With task and reason for grep, and the sentence for people; a failure is a warning."""
    caplog.set_level(logging.INFO, "kaspad_taskd.systemd")
    async with house() as built:
        await built.roster.register(definition("before", start=False))
        Story(built.engine)
        probe = built.probe("work")
        probe.answers = [Unreachable(Reason.REFUSED), Reading(position=1.0, target=2.0)]
        probe.default = Reading(complete=True)
        await built.roster.register(definition("work", interval=1.0))
        await built.roster.register(definition("other"))
        await asyncio.sleep(5)
        await built.engine.act("other", Pause())
        await built.engine.act("other", Fail("the disk\nbroke 100 %s"))
    assert [told(each) for each in caplog.records] == [
        ("INFO", "work", "refused", "not reachable: connection refused"),
        ("INFO", "work", None, "answers again"),
        ("INFO", "work", None, "done after 2 seconds"),
        ("WARNING", "other", "by-request", "failed: the disk broke 100 %s"),
    ]


async def test_the_same_again_and_again_is_a_line_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A program that cancels and retries each second; what comes in between is told at once."""
    caplog.set_level(logging.INFO, "kaspad_taskd.systemd")
    async with house() as built:
        Story(built.engine)
        await built.roster.register(definition("work"))
        for _ in range(61):
            await built.engine.act("work", Cancel())
            await asyncio.sleep(1)
            await built.engine.act("work", Retry())
        await built.engine.act("work", Cancel())
        await built.engine.act("work", Retry())
        await built.engine.act("work", Fail("broken"))
        await built.engine.act("work", Retry())
        await built.engine.act("work", Cancel())
    stopped = "watching was stopped"
    assert [each.getMessage() for each in caplog.records] == [
        stopped, f"{stopped}, and 59 more", "failed: broken, and 1 more", stopped,
    ]  # fmt: skip


async def test_a_service_that_is_down_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """`err` in the journal, with the code; that its node is lost is a warning; recovery is said."""
    caplog.set_level(logging.INFO, "kaspad_taskd.systemd")
    async with house() as built:
        built.services["kasia"] = service()
        facts = {"service": "kasia", "unit": "k.service", "address": "127.0.0.1:16110"}
        up = Sight(built.now(), ServiceState.RUNNING, facts=facts)
        built.hands.sights["kasia"] = up
        await built.switcher.watching.now()
        Story(built.engine)
        for state in (ServiceState.FAILED, ServiceState.RUNNING):
            built.hands.sights["kasia"] = replace(up, state=state, at=built.now())
            await built.switcher.watching.now()
            await asyncio.sleep(1)
    assert [told(each) for each in caplog.records] == [
        ("ERROR", "", "down", "kasia: k.service does not run."),
        ("INFO", "", None, "kasia: nothing is wrong with it any more"),
    ]


@pytest.mark.parametrize("code", AttentionCode)
def test_each_code_has_its_level(code: AttentionCode) -> None:
    """What serves nobody is an error; what is served from elsewhere than it should, a warning."""
    served = code is AttentionCode.NOT_USED or code.value.startswith("node-")
    wanted = logging.WARNING if served else logging.ERROR
    assert level(EventName.ATTENTION, {"code": code.value}) == wanted


def test_a_switch_whose_undo_failed_is_an_error() -> None:
    """One that was undone left everything as it was."""
    failed, undone = ({"switch": {"state": state}} for state in ("failed", "undone"))
    assert level(EventName.SWITCH_ERROR, failed) == logging.ERROR
    assert level(EventName.SWITCH_ERROR, undone) == logging.WARNING
