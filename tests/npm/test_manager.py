"""BackgroundTaskManager in the place of a wizard's own, on the real daemon."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.taskd_process import Taskd
from tests.npm.here import node_program, node_tests

pytestmark = [pytest.mark.system, pytest.mark.timeout(200)]


async def test_it_does_what_the_one_of_old_did(tmp_path: Path) -> None:
    """Each line of manager.test.cjs says what holds."""
    async with Taskd(tmp_path) as taskd:
        await taskd.start()
        await node_tests("manager.test.cjs", KASPAD_TASKD_SOCKET=str(taskd.socket))
        await taskd.end()


async def test_what_nobody_can_read_costs_nothing(tmp_path: Path) -> None:
    """Each line of garbage.test.cjs says what holds."""
    async with Taskd(tmp_path) as taskd:
        await taskd.start()
        await node_tests("garbage.test.cjs", KASPAD_TASKD_SOCKET=str(taskd.socket))
        await taskd.end()


async def test_for_which_attempts_a_completion_is_told() -> None:
    """Each line of completions.test.cjs says what holds."""
    await node_tests("completions.test.cjs")


async def test_what_changes_a_task_reaches_the_mirror() -> None:
    """Each line of mirror.test.cjs says what holds."""
    await node_tests("mirror.test.cjs")


async def test_what_is_older_undoes_nothing_that_is_newer() -> None:
    """Each line of order.test.cjs says what holds."""
    await node_tests("order.test.cjs")


async def test_programs_that_test_the_one_of_old_pass(tmp_path: Path) -> None:
    """Both, on one daemon, each a process of its own: each check sees at once what its call did."""
    async with Taskd(tmp_path) as taskd:
        await taskd.start()
        for script, checks in (("old_first.cjs", 14), ("old_second.cjs", 7)):
            said = await node_program(script, KASPAD_TASKD_SOCKET=str(taskd.socket))
            assert len(said.splitlines()) == checks, said
        await taskd.end()
