"""What follows from a fact: who waited starts, commands run, the node is announced."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest

from kaspad_taskd.core.fact import EventName
from kaspad_taskd.core.inputs import Complete
from kaspad_taskd.core.model import OnComplete, Status, Task
from kaspad_taskd.core.observation import Reading
from kaspad_taskd.engine import cursor
from tests.fakes.house import House, definition, house

pytestmark = pytest.mark.looptime


class SlowProgram:
    """A program that takes 50 s."""

    pid = 4_000_000
    runs = 0

    async def wait(self) -> int:
        await asyncio.sleep(50)
        return 0


@pytest.fixture(name="program", autouse=True)
def _program(monkeypatch: pytest.MonkeyPatch) -> SlowProgram:
    program = SlowProgram()

    async def run(*_argv: str, **_how: Any) -> SlowProgram:
        program.runs += 1
        return program

    monkeypatch.setattr(asyncio, "create_subprocess_exec", run)
    return program


async def test_who_waited_starts_at_once_whatever_commands_run(program: SlowProgram) -> None:
    """A slow `on_complete` of one task holds up nobody who waits for another."""
    async with house() as built:
        built.probe("slow").default = Reading(complete=True)
        await built.roster.register(
            definition("slow", on_complete=OnComplete(("/usr/bin/slow", "{id}")))
        )
        await asyncio.sleep(1)
        assert program.runs == 1
        built.probe("first").default = Reading(complete=True)
        await built.roster.register(definition("first"))
        await built.roster.register(definition("second", after=("first",)))
        await asyncio.sleep(1)
        assert built.task("second").status is Status.IN_PROGRESS


async def test_who_could_not_start_for_a_full_disk_starts_when_there_is_room_again() -> None:
    """A start that failed is tried again, without anything else having to happen."""
    async with house() as built:
        await built.roster.register(definition("second", after=("first",)))

        def fill(_old: Task | None, new: Task | None) -> None:
            if new is not None and new.status is Status.COMPLETE:
                built.store.fail_next("the disk is full")

        built.engine.on_swap.append(fill)
        built.probe("first").default = Reading(complete=True)
        await built.roster.register(definition("first"))
        await asyncio.sleep(1)
        assert built.task("first").status is Status.COMPLETE
        assert built.task("second").status is Status.PENDING
        await asyncio.sleep(cursor.PATIENCE + 1)
        assert built.task("second").status is Status.IN_PROGRESS


async def test_a_command_of_somebody_else_that_cannot_be_ended_harms_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What runs as root by sudo is left, and said; the daemon reacts to what comes next."""

    def refuse(_group: int, number: int) -> None:
        assert number == signal.SIGKILL
        raise PermissionError

    monkeypatch.setattr(os, "killpg", refuse)
    async with house() as built:
        built.probe("work").default = Reading(complete=True)
        command = OnComplete(("sudo", "systemctl", "restart", "x"))
        await built.roster.register(definition("work", on_complete=command))
        await asyncio.sleep(60)
        assert "cannot be ended" in caplog.text
        built.probe("next").default = Reading(complete=True)
        await built.roster.register(definition("next", on_complete=command))
        await asyncio.sleep(60)
        assert caplog.text.count("cannot be ended") == 2


async def test_what_ended_just_before_the_first_kill_is_reacted_to() -> None:
    """A node that completed when the daemon had never saved how far it had reacted."""
    first = House()
    first.start()
    url = {"url": "grpc://localhost:16110"}
    await first.roster.register(definition("node", type="node-sync", checker=url))
    await asyncio.sleep(1)
    for running in first._running:
        running.cancel()
    await first.engine.act("node", Complete())
    async with house(first.store):
        await asyncio.sleep(1)
        events = await first.store.events(0, 99)
    names = [event.fact.name for event in events]
    assert names[-2:] == [EventName.COMPLETE, EventName.NODE_READY]
