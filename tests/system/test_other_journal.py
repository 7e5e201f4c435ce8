"""A state put back, begun anew or rolled back under those who follow: they start over."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from kaspad_taskd.client import Client, Refused, Unreachable
from kaspad_taskd.web.embed.src import bundle
from tests.fakes import npm
from tests.fakes.bridged import bridged, line_of, program
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd_process import Line, Refusal, Taskd, until
from tests.system.test_restore import restore

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

SCRIPT = Path(__file__).parents[1] / "embed" / "follower.mjs"


class Reader:
    """A Python follower in a thread: what it is told, its gaps, and how often it began now."""

    def __init__(self, path: Path) -> None:
        self.told: list[dict[str, Any]] = []
        self.gaps: list[Refused] = []
        self.begun = 0
        self._path = path
        self._over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with Client(str(self._path), PATIENCE) as client:
            try:
                following = client.events(lost=self._lost, gap=self.gaps.append, fresh=self._begins)
                for event in following:
                    if event["event"] != "sync:progress":
                        self.told.append(event)
                    if self._over:
                        return
            except Unreachable:
                assert self._over

    def _lost(self, fault: Unreachable) -> None:
        if self._over:
            raise fault

    def _begins(self, _subscription: object) -> None:
        self.begun += 1

    @property
    def seqs(self) -> list[int]:
        return [event["seq"] for event in self.told]

    async def begins(self, times: int) -> None:
        """Wait until it has begun so often: what happens from then on it is told."""

        async def there() -> bool:
            return self.begun >= times

        await until(there)

    async def has(self, seq: int) -> None:
        async def there() -> bool:
            return seq in self.seqs

        await until(there)

    async def end(self) -> None:
        self._over = True
        await asyncio.to_thread(self._thread.join, PATIENCE)
        assert not self._thread.is_alive()


async def heard(process: asyncio.subprocess.Process, key: str, value: Any = None) -> dict[str, Any]:
    """What the program in Node says next under a key (with this value)."""
    async with asyncio.timeout(PATIENCE):
        while True:
            said: dict[str, Any] = json.loads(await line_of(process))
            if key in said and value in (None, said[key]):
                return said


async def work(line: Line, *services: str) -> int:
    for service in services:
        await line.call("registerTask", type="report", service=service)
    return int((await line.call("ping"))["seq"])


@asynccontextmanager
async def followed(
    place: Path,
) -> AsyncIterator[tuple[Taskd, Line, Reader, asyncio.subprocess.Process]]:
    async with bridged(place) as (taskd, url):
        token = (taskd.state / "bridge.token").read_text().strip()
        script = bundle.SCRIPT.as_uri()
        async with program(npm.node(), str(SCRIPT), script, url, token) as node:
            await heard(node, "state", "live")
            line = await taskd.line()
            reader = Reader(taskd.socket)
            await reader.begins(1)
            await work(line, "first")
            try:
                yield taskd, line, reader, node
            finally:
                await taskd.end()
                await reader.end()


Seen: TypeAlias = Callable[[int], Awaitable[Any]]
"""Waits until both followers were told an event."""


async def put_back(taskd: Taskd, line: Line, _seen: Seen) -> None:
    copy = Path((await line.call("backup"))["path"])
    await work(line, "lost")
    await taskd.end()
    assert (await restore(taskd, copy)).returncode == 0


async def begin_anew(taskd: Taskd, line: Line, _seen: Seen) -> None:
    await work(line, "lost")
    await taskd.end()
    kept = (taskd.state / "bridge.token").read_bytes()
    await asyncio.to_thread(shutil.rmtree, taskd.state)
    await asyncio.to_thread(taskd.state.mkdir)
    (taskd.state / "bridge.token").write_bytes(kept)


async def roll_back(taskd: Taskd, _line: Line, seen: Seen) -> None:
    """As a virtual machine is: all files as they were, the journal's name too."""
    await taskd.kill()
    before = taskd.place / "before"
    await asyncio.to_thread(shutil.copytree, taskd.state, before)
    await seen(await work(await taskd.start(), "lost"))
    await taskd.kill()
    await asyncio.to_thread(shutil.rmtree, taskd.state)
    await asyncio.to_thread(before.rename, taskd.state)


@pytest.mark.parametrize("change", [put_back, begin_anew, roll_back])
async def test_followers_notice_another_journal_and_start_over(
    tmp_path: Path, change: Callable[[Taskd, Line, Seen], Awaitable[None]]
) -> None:
    """A Python one on the socket and the client of pages in Node: a gap, then what happens now."""
    async with followed(tmp_path) as (taskd, line, reader, node):
        before = (await line.call("getInfo"))["journal"]
        last = (await line.call("ping"))["seq"]

        async def seen(seq: int) -> None:
            await reader.has(seq)
            await heard(node, "event", seq)

        await seen(last)
        await change(taskd, line, seen)
        line = await taskd.start()
        journal = (await line.call("getInfo"))["journal"]
        assert (journal == before) == (change is roll_back)
        await reader.begins(2)
        said = await heard(node, "gap")
        assert said["journal"] == journal
        await heard(node, "state", "live")
        seq = await work(line, "new")
        await seen(seq)
        assert len(reader.gaps) == 1
        assert reader.gaps[0].data["journal"] == journal
        for method in ("getEvents", "subscribe"):
            with pytest.raises(Refusal) as no:
                await line.call(method, after=seq, journal="another")
            assert (no.value.reason, no.value.data["journal"]) == ("gap", journal)
        answer = await line.call("subscribe", after=seq, journal=journal)
        assert (answer["seq"], answer["journal"]) == (seq, journal)


async def test_a_restart_is_no_gap(tmp_path: Path) -> None:
    """The journal has the same name, and nothing is missing."""
    async with followed(tmp_path) as (taskd, line, reader, node):
        journal = (await line.call("getInfo"))["journal"]
        await taskd.kill()
        line = await taskd.start()
        assert (await line.call("getInfo"))["journal"] == journal
        seq = await work(line, "new")
        await reader.has(seq)
        await heard(node, "event", seq)
        assert reader.gaps == []
        assert reader.seqs == sorted(set(reader.seqs))
