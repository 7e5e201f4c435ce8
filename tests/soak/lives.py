"""One life of the daemon after another: load, harm, an end; then what is left is looked at."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from tests.fakes.bridged import free_port
from tests.fakes.taskd_process import Gone, Line, Refusal, Taskd, until
from tests.fakes.writers import Writer, check_tasks
from tests.soak.clock import Offset
from tests.soak.disk import Disk
from tests.soak.eyes import Doors, Follower, Process
from tests.soak.garbage import Garbage
from tests.soak.hostile import Hostile
from tests.soak.promises import Promises
from tests.soak.reactions import Reacting

WRITERS = 3
PAUSE = 4.0
"""Seconds between two changes of a writer, at most."""
SHORT, LONG = (1.0, 8.0), (60.0, 120.0)
"""Seconds of a life: most are short, so that there are many ends; in a long one memory is seen."""
WARM = 20.0
"""Seconds of a long life after which memory has to be flat."""
PATIENCE = 120.0
"""Seconds in which those who were with the daemon have to have gone."""
CALM = 40.0
"""Seconds after the last of a crowd has gone: its connections are forgotten, and collected."""
DAY = 86_400.0
FEW_FILES = 256
RATE = 1_000_000 / 3600.0
"""Bytes of log a second."""


class Lives:
    """A house that is lived in and harmed.

    Args:
        place: where everything lies.
        disk: where the state lies.
        promises: counts.
        dice: decides.
        patience: seconds within which a door has to answer.
    """

    def __init__(
        self,
        place: Path,
        disk: Disk,
        promises: Promises,
        dice: random.Random,
        patience: float,
    ) -> None:
        self._patience = patience
        self._disk = disk
        self._promises = promises
        self._dice = dice
        clock = place / "clock"
        self._clock = Offset.make(clock)
        self._port = free_port()
        self._taskd = Taskd(place, "--bridge", f"127.0.0.1:{self._port}")
        self._taskd.state = disk.path / "state"
        self._taskd.program = ("tests.soak.clock", str(clock))
        self._writers = [Writer(number, dice, PAUSE) for number in range(WRITERS)]
        self._reacting = Reacting(place, promises, dice)
        self._reacting.define(self._taskd)
        self._follower = Follower(promises)
        self._logged = 0
        self._damaged = False
        self.lives = 0
        self.harms: dict[str, int] = {}

    async def go(self, seconds: float) -> None:
        """Live for so long."""
        end = time.monotonic() + seconds
        async with self._taskd:
            while time.monotonic() < end:
                span = LONG if self._dice.random() < 0.1 else SHORT
                await self._live(min(self._dice.uniform(*span), max(1.0, end - time.monotonic())))
            await self._begin()  # what the last end has left
            await self._taskd.end(signal.SIGTERM)
        self._reacting.check()

    async def _begin(self) -> Line:
        began = time.monotonic()
        few = self._dice.random() < 0.2
        line = await self._start(FEW_FILES if few else None)
        self._promises.starts.held(True)
        self._promises.starts.most("longest, s", round(time.monotonic() - began, 2))
        tasks = {task["id"]: task for task in await line.call("getAllTasks")}
        for writer in self._writers:
            try:
                check_tasks(writer, tasks, statuses_alone=self._damaged)
                self._promises.changes.tried += 1
            except AssertionError as error:
                self._promises.changes.held(False, f"{'damaged: ' * self._damaged}{error}")
                writer.begin_anew(tasks)
        self._damaged = False
        self._promises.changes.measured["acknowledged"] = sum(w.changes for w in self._writers)
        return line

    async def _start(self, files: int | None) -> Line:
        command = self._taskd.command
        if files is None:
            return await self._taskd.start()
        self._count("few files")
        self._taskd.command = lambda *more: [  # type: ignore[method-assign]
            "prlimit", f"--nofile={files}:{files}", *command(*more),
        ]  # fmt: skip
        try:
            return await self._taskd.start()
        finally:
            self._taskd.command = command  # type: ignore[method-assign]

    def _count(self, harm: str) -> None:
        self.harms[harm] = self.harms.get(harm, 0) + 1

    async def _live(self, seconds: float) -> None:
        self.lives += 1
        line = await self._begin()
        assert self._taskd.process is not None
        process = Process(self._taskd.process.pid)
        methods = [each["name"] for each in (await line.call("rpc.discover"))["methods"]]
        garbage = Garbage(self._dice, methods)
        hostile = Hostile(self._taskd.socket, self._port, garbage, self._dice)
        lines = [await self._taskd.line() for _ in range(WRITERS + 2)]
        friends = [w.run(own) for w, own in zip(self._writers, lines, strict=False)]
        friends += [self._follower.run(lines[-1]), self._reacting.run(lines[-2])]
        working = [asyncio.create_task(self._friend(each)) for each in friends]
        eyes = asyncio.create_task(
            Doors(self._taskd.socket, self._port, self._promises, self._patience).run()
        )
        harming = [asyncio.create_task(hostile.run()), asyncio.create_task(self._harm())]
        began = time.monotonic()
        await asyncio.sleep(min(seconds, WARM))
        process.begin()
        await asyncio.sleep(max(0.0, seconds - WARM))
        await _stop(eyes, *harming)
        if seconds > WARM:
            await asyncio.sleep(CALM)
            process.check(self._promises, seconds - WARM)
        await self._end()
        await asyncio.gather(*working)
        self._read_log(time.monotonic() - began)
        self._spoil()

    async def _friend(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Refusal as refusal:  # of what it was told that it has
            self._promises.changes.held(False, str(refusal))

    async def _end(self) -> None:
        await self._remade()
        kill = self._dice.random() < 0.8
        self._count("kill -9" if kill else "stop")
        self._reacting.killed()
        await self._taskd.end(signal.SIGKILL if kill else signal.SIGTERM)
        self._reacting.killed()

    async def _harm(self) -> None:
        ways: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("clock jumps", self._wrong_clock), ("state removed", self._remove_state),
        ]  # fmt: skip
        if self._disk.own:
            ways.append(("full disk", self._full_disk))
        while True:
            await asyncio.sleep(self._dice.uniform(0.5, 6.0))
            name, way = self._dice.choice(ways)
            self._count(name)
            await way()

    async def _full_disk(self) -> None:
        try:
            self._disk.fill()
            await asyncio.sleep(self._dice.uniform(0.2, 2.0))
        finally:
            self._disk.free()

    async def _wrong_clock(self) -> None:
        try:
            self._clock.set(self._dice.choice((40.0, -40.0, 400.0, 1.0, -0.5)) * DAY)
            await asyncio.sleep(self._dice.uniform(0.5, 6.0))
        finally:
            self._clock.set(0.0)

    async def _remove_state(self) -> None:
        for path in self._taskd.state.glob("state.db*"):
            path.unlink(missing_ok=True)
        await self._remade()
        await asyncio.sleep(1.0)

    async def _remade(self) -> None:
        """Wait until the state is in its place: a kill before that is one harm too many at once.

        What is acknowledged now is in files that are there: their names alone say nothing of a log
        that was removed a moment ago.
        """
        state = self._taskd.state / "state.db"

        async def there() -> bool:
            try:  # among strangers: a door may be full, a line that says nothing let go
                witness = await self._taskd.line()
                await witness.call("recordDecision", decision="witness", context=self.lives)
                await witness.close()
            except (Refusal, Gone, OSError):
                return False
            return state.exists() and state.with_name("state.db.statuses").exists()

        await until(there)

    def _spoil(self) -> None:
        """Damage the state that a life has left, now and then."""
        state = self._taskd.state / "state.db"
        if self._dice.random() > 0.15 or not state.exists():
            return
        self._count("damaged page")
        self._damaged = True
        data = bytearray(state.read_bytes())
        for path in self._taskd.state.glob("state.db-*"):
            path.unlink()
        pages = len(data) // 4096
        at = self._dice.randrange(1, pages) * 4096 if pages > 1 else 0
        data[at : at + 4096] = self._dice.randbytes(4096)
        state.write_bytes(data)

    def _read_log(self, seconds: float) -> None:
        log = self._taskd.log.read_bytes()
        fresh, self._logged = log[self._logged :], len(log)
        self._promises.log.held(b"Traceback" not in fresh, _first_trace(fresh))
        total = self._promises.log.measured
        total["bytes"] = total.get("bytes", 0) + len(fresh)
        total["seconds"] = round(total.get("seconds", 0) + seconds)

    def judge_log(self) -> None:
        """Judge the log's rate over all lives."""
        total = self._promises.log.measured
        rate = total["bytes"] / max(1.0, total["seconds"])
        total["MB an hour"] = round(rate * 3600 / 1e6, 2)
        self._promises.log.held(rate <= RATE, f"{rate:.0f} bytes a second")


async def _stop(*tasks: asyncio.Task[None]) -> None:
    """Cancel them until they have ended.

    Once is not enough: Python 3.11's wait_for loses what comes as its own work ends.
    """
    async with asyncio.timeout(PATIENCE):
        while waiting := [task for task in tasks if not task.done()]:
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting, timeout=1.0)
    await asyncio.gather(*tasks, return_exceptions=True)


def _first_trace(log: bytes) -> str:
    at = log.find(b"Traceback")
    return log[max(0, at - 300) : at + 2000].decode("utf-8", "replace") if at >= 0 else ""
