"""A recorded real sync, played fast over real gRPC, and a daemon that is killed meanwhile."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load
from tests.fakes.held_clock import HeldClock
from tests.fakes.taskd_process import Gone, Line, Taskd, until

pytestmark = pytest.mark.system

STEP = 2.0
"""Recorded seconds between two looks."""
AWAY = 14.0
"""Recorded seconds for which a killed daemon is away."""
DEFINITION = """\
type = "node-sync"
service = "node"
interval = "1h"
timeout = "2min"
[checker]
url = "{url}"
log = "{log}"
"""
KILLS = (60.0, 110.0, 280.0)
"""Recorded seconds: amid the proof, the headers and the blocks, whose rate is known by then."""
CAUGHT_UP = 306.0
"""The recorded second from which on the node was near the tip; 100 % of a pass it had twice before
(at 275 and 304), calling itself synced from 301 on."""


class Reader:
    """Follows all events from the beginning, over every end of the connection."""

    def __init__(self, daemon: Taskd) -> None:
        self.told: list[dict[str, Any]] = []
        self.connections = 0
        self._daemon = daemon

    async def run(self) -> None:
        after = 0
        while True:
            line = await self._daemon.line()
            with suppress(Gone):
                await line.call("subscribe", after=after)
                self.connections += 1
            while (event := await line.events.get()) is not None:
                self.told.append(event)
                after = max(after, event["seq"])


class Play:
    """The recording, in a time that stands still unless a look is about to be taken."""

    def __init__(self, place: Path, log: Path) -> None:
        log.touch()
        self.clock = HeldClock.make(place / "clock", time.time())
        self.node = PlayingNode(
            load(), log=log, monotonic=self.clock.monotonic,
            wall_ms=lambda: self.clock.wall() * 1000,
        )  # fmt: skip

    async def go_on(self, seconds: float) -> None:
        self.clock.pass_time(seconds)
        await self.node.turn()


async def look(line: Line) -> dict[str, Any]:
    """The task after a look that was taken now."""
    await line.call("checkTaskStatus", taskId="node")
    task: dict[str, Any] = await line.call("getTask", taskId="node")
    return task


async def kill_and_look(
    daemon: Taskd, play: Play, before: dict[str, Any]
) -> tuple[Line, dict[str, Any]]:
    """Kill it, start it a while later, return the task as its first new look left it."""
    await daemon.kill()
    await play.go_on(AWAY)
    line = await daemon.start()
    task = await look(line)
    assert task["progress"] >= before["progress"]
    assert task["lastUpdate"] > before["lastUpdate"]
    return line, task


async def test_a_recorded_sync_over_kills(tmp_path: Path) -> None:
    """No fall of progress, no early end, each event once and in order; the time left goes on."""
    log = tmp_path / "kaspad.log"
    play = Play(tmp_path, log)
    tasks: list[dict[str, Any]] = []
    async with play.node as node, Taskd(tmp_path / "d") as daemon:
        daemon.program = ("tests.fakes.held_clock", str(tmp_path / "clock"))
        daemon.define("node", DEFINITION.format(url=node.url, log=log))
        line = await daemon.start()
        reader = Reader(daemon)
        reading = asyncio.create_task(reader.run())
        kills = list(KILLS)
        while not tasks or tasks[-1]["status"] == "in-progress":
            assert node.played < 2 * CAUGHT_UP
            await play.go_on(STEP)
            tasks.append(await look(line))
            if kills and node.played > kills[0] and tasks[-1]["lastUpdate"]:
                kills.pop(0)
                line, after = await kill_and_look(daemon, play, tasks[-1])
                if not kills:
                    assert tasks[-1]["phase"] == after["phase"] == "blocks"
                    assert tasks[-1]["syncRate"] > 100
                    assert after["syncRate"] > 100
                    assert after["estimatedTimeRemaining"] is not None
        ended = node.played

        async def all_of_them() -> list[dict[str, Any]] | None:
            found: list[dict[str, Any]] = (await line.call("getEvents"))["events"]
            return found if found[-1]["event"] == "node:ready" else None

        events = await until(all_of_them)

        async def all_told() -> bool:
            return bool(reader.told and reader.told[-1]["seq"] >= events[-1]["seq"])

        await until(all_told)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    assert not kills
    assert tasks[-1]["status"] == "complete"
    assert CAUGHT_UP <= ended < CAUGHT_UP + 10 * STEP
    check_progress(tasks)
    assert reader.connections == 1 + len(KILLS)
    check_story(events, reader.told)


def check_progress(tasks: list[dict[str, Any]]) -> None:
    progress = [task["progress"] for task in tasks]
    assert progress == sorted(progress)
    assert len(set(progress)) > 20
    phases = [phase for phase, _ in groupby(task["phase"] for task in tasks)]
    known = [phase for phase in phases if phase is not None]
    wanted = ("proof", "headers", "smt", "utxo", "blocks", "confirming")
    assert [phase for phase in known if phase in wanted][-1] == "confirming"
    assert set(known) >= {"proof", "headers", "utxo", "blocks", "confirming"}
    assert all((task["progress"] == 100) == (task["status"] == "complete") for task in tasks)
    assert all(earlier["revision"] <= later["revision"] for earlier, later in pairwise(tasks))


def check_story(events: list[dict[str, Any]], told: list[dict[str, Any]]) -> None:
    """On record without holes, told exactly so; the progress told never falls either."""
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    journal = [event for event in told if event["event"] != "sync:progress"]
    assert journal == events
    assert [event["seq"] for event in told] == sorted(event["seq"] for event in told)
    names = [event["event"] for event in events]
    assert names[:2] == ["task:added", "sync:start"]
    assert names[-2:] == ["sync:complete", "node:ready"]
    assert set(names) <= {"task:added", "sync:start", "sync:health", "sync:complete", "node:ready"}
    shown = [event["data"] for event in told if event["event"] == "sync:progress"]
    assert [each["progress"] for each in shown] == sorted(each["progress"] for each in shown)
    assert shown[-1]["progress"] == 100
    last_progress = max(at for at, event in enumerate(told) if event["event"] == "sync:progress")
    assert told[last_progress + 1]["event"] == "sync:complete"


async def test_who_asks_meanwhile_gets_an_answer_or_an_end(tmp_path: Path) -> None:
    """A question under way when the daemon is killed ends at once; none hangs."""
    async with Taskd(tmp_path) as daemon:
        daemon.define("work", 'type = "report"\nservice = "work"\n')
        line = await daemon.start()
        waiting = asyncio.create_task(line.call("waitTask", taskId="work"))
        await asyncio.sleep(0)
        await line.call("ping")
        await daemon.kill()
        with pytest.raises(Gone):
            await waiting
