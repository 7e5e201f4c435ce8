"""TaskdSocket: on a scripted socket in Node, then on the real daemon."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.taskd_process import Taskd
from tests.npm.here import Wizard, node_tests, wizard

pytestmark = [pytest.mark.system, pytest.mark.timeout(200)]


async def test_whatever_the_other_side_does() -> None:
    """Each line of socket.test.cjs and pieces.test.cjs says what holds."""
    await node_tests("socket.test.cjs")
    await node_tests("pieces.test.cjs")


async def test_it_misses_nothing_over_a_kill(tmp_path: Path) -> None:
    """Killed, changed while nobody heard, started: each event once, in the order of the record."""
    async with Taskd(tmp_path) as taskd:
        await taskd.start()
        async with wizard("follower.cjs", str(taskd.socket)) as process:
            follower = Wizard(process)
            assert (await follower.says())["seq"] == 0
            await follower.do(call="registerTask", type="report", service="one")
            await taskd.kill()
            line = await taskd.start()
            await line.call("registerTask", type="report", service="two")
            await line.call("completeTask", taskId="report-two")
            told = (await line.call("getEvents"))["events"]
            heard = await follower.do(heard=told[-1]["seq"])
            assert heard["events"] == [[one["seq"], one["event"]] for one in told]
            assert heard["gaps"] == 0
            await taskd.end()


@pytest.mark.long
async def test_another_journal_is_begun_anew(tmp_path: Path) -> None:
    """A daemon with another state under the same path: what was known counts no more."""
    other = tmp_path / "other"
    other.mkdir()
    async with Taskd(tmp_path) as taskd:
        await taskd.start()
        async with wizard("follower.cjs", str(taskd.socket)) as process:
            follower = Wizard(process)
            await follower.says()
            await follower.do(call="registerTask", type="report", service="one")
            await taskd.kill()
            taskd.state = other
            line = await taskd.start()
            await line.call("registerTask", type="report", service="two")
            heard = await follower.do(anew=True)
            assert (heard["gaps"], heard["tasks"]) == (1, ["report-two"])
            await taskd.end()
