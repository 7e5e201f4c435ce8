"""Those who look whether the promises hold: at the doors, at the events, at the process."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from tests.fakes.taskd_process import Gone, Line, Refusal
from tests.soak.promises import Promises

SHUT = 1.0
"""Seconds after which a door that does not answer counts as shut."""
EVERY = 0.1
FRIEND = "127.0.0.2"


class Doors:
    """A newcomer at each door, ten times a second."""

    def __init__(self, path: Path, port: int, promises: Promises, patience: float) -> None:
        self._path = path
        self._port = port
        self._promises = promises
        self._patience = patience

    async def run(self) -> None:
        """Knock until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._knock("socket", self._socket))
            both.create_task(self._knock("bridge", self._bridge))

    async def _knock(self, name: str, way: Any) -> None:
        while True:
            began, lag = time.monotonic(), _Lag()
            account = ""
            with lag:
                try:
                    async with asyncio.timeout(self._patience + 20.0):
                        await way()
                except (OSError, TimeoutError, aiohttp.ClientError, ValueError, EOFError) as error:
                    account = f"{type(error).__name__}: {error}"
            took = time.monotonic() - began - lag.longest
            held = took <= self._patience and not account
            self._promises.doors.held(held, f"{name}: {took:.2f} s {account}")
            self._promises.doors.most(f"longest at the {name}, s", round(took, 2))
            await asyncio.sleep(EVERY)

    async def _socket(self) -> None:
        reader, writer = await asyncio.open_unix_connection(str(self._path))
        try:
            writer.write(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
            answer = json.loads(await reader.readline())
            if "result" not in answer:
                raise ValueError(answer)
        finally:
            writer.close()

    async def _bridge(self) -> None:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self._port, local_addr=(FRIEND, 0)
        )
        try:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            status = await reader.readline()
            if not status.startswith((b"HTTP/1.1 200", b"HTTP/1.1 503")) or (
                b"503" in status and (b"store" not in await reader.read(4096))
            ):
                raise ValueError(status)
        finally:
            writer.close()


class _Lag:
    """How long this loop itself stood still: no fault of the daemon's."""

    def __enter__(self) -> _Lag:
        self.longest = 0.0
        self._task = asyncio.create_task(self._watch())
        return self

    def __exit__(self, *_: object) -> None:
        self._task.cancel()

    async def _watch(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            self.longest = max(self.longest, time.monotonic() - before - 0.01)


class Follower:
    """Follows the socket over restarts; each event once, in order, or a gap is told."""

    def __init__(self, promises: Promises) -> None:
        self._promise = promises.events
        self._seq: int | None = None
        self._journal: str | None = None

    async def run(self, line: Line) -> None:
        """Follow until the daemon is gone."""
        with suppress(Gone):
            await self._follow(line)

    async def _follow(self, line: Line) -> None:
        journal = (await line.call("getInfo")).get("journal")
        after = {} if self._seq is None else {"after": self._seq}
        try:
            begun = await line.call("subscribe", **after)
        except Refusal as refusal:
            another = journal is None or journal != self._journal
            account = f"{refusal.message} (after {self._seq})"
            self._promise.held(refusal.reason == "gap" and another, account)
            begun = await line.call("subscribe")
            self._seq = None
        self._journal = journal
        last = begun["seq"] if self._seq is None else self._seq
        while (event := await line.events.get()) is not None:
            if event["event"] == "sync:progress":
                self._promise.held(event["seq"] <= last, f"progress at {event['seq']}, told {last}")
                continue
            self._promise.held(event["seq"] == last + 1, f"{event['seq']} after {last}")
            last = self._seq = event["seq"]
        self._seq = last


class Process:
    """Memory and descriptors of one life."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._first = self._now()

    def _now(self) -> tuple[float, int]:
        status = Path(f"/proc/{self._pid}/status").read_text()
        memory = next(row for row in status.splitlines() if row.startswith("VmRSS"))
        return int(memory.split()[1]) / 1024, len(list(Path(f"/proc/{self._pid}/fd").iterdir()))

    @property
    def memory(self) -> float:
        """What it has now, MiB."""
        return self._now()[0]

    def begin(self) -> None:
        """What is there now is what it needs."""
        self._first = self._now()

    def check(self, promises: Promises, seconds: float) -> None:
        """Judge what has been added since `begin`."""
        (before, opened), (memory, now) = self._first, self._now()
        grown = memory - before
        account = f"{before:.0f} to {memory:.0f} MiB in {seconds:.0f} s"
        promises.memory.held(grown <= 8 or grown <= before / 10, account)
        promises.memory.most("most MiB", round(memory, 1))
        promises.memory.most("most grown in a life, MiB", round(grown, 1))
        promises.files.held(now <= opened + 64, f"{opened} to {now} in {seconds:.0f} s")
        promises.files.most("most", now)
