"""The two sides of `bench fleet`, each a process: hosts as relays write them, and a reader."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Sequence

from benchmarks.process import quantile
from kaspad_taskd.base.jsontext import dumps
from kaspad_taskd.fleet.following import Following
from kaspad_taskd.fleet.host import Change
from kaspad_taskd.fleet.mirror import Mirror
from kaspad_taskd.fleet.relay.batch import Batch, Command, Sender, beginning, commands
from kaspad_taskd.fleet.settings import Engine, Login, server_of
from tests.fakes.fleet_writer import TIME, a_progress, a_task

TASKS = 5
EVENTS = 400
PAST = 6000
"""Bytes of a task's past."""
WINDOW_S = 0.5
"""Seconds for which a relay gathers, about."""
SLOTS = ((0, 1), (2,), (3,), (4,))
"""Which tasks of a host changed in the same window: five at random rarely share more than one."""
MOST = 400
"""Entries of `now` that are kept: more than a relay's where few hosts say much."""


def packed(lines: Sequence[Command]) -> bytes:
    """Return commands as they go over the line."""
    made = []
    for command in lines:
        made.append(b"*%d\r\n" % len(command))
        for each in command:
            text = each if isinstance(each, bytes) else str(each).encode()
            made.append(b"$%d\r\n%s\r\n" % (len(text), text))
    return b"".join(made)


class Relay:
    """A host that writes, over a connection of its own."""

    def __init__(self, number: int, pause: float, few: bool) -> None:
        name = f"host-{number:05}"
        self.sender = Sender(name, "run", "ev:0123456789abcdef", EVENTS, make=True)
        self.pause = pause
        self.few = few
        self.count = 0
        self.turn = number

    def first(self) -> list[Command]:
        """What it writes as it begins: its tasks, their past, the events that are kept."""
        batch, made = Batch(0, anew=True), []
        for number in range(TASKS):
            batch.know(f"task-{number}", a_task(number))
            batch.remember(f"task-{number}", b'"' + b"x" * PAST + b'"')
        batch.serve([], {"warnings": []})
        for seq in range(1, EVENTS + 1):
            data = {"seq": seq, "timestamp": TIME, "taskId": "task-1", "service": "kaspa-node",
                    "type": "node-sync", "health": "unreachable", "since": TIME,
                    "reason": "connection-refused",
                    "note": "127.0.0.1:16110 refuses connections; is kaspad running?"}  # fmt: skip
            batch.hear({"seq": seq, "event": "sync:health", "data": data})
            if seq % 10 == 0:  # as they come: `now` has been filled before
                meta = {"host": self.sender.host, "run": "run", "stream": self.sender.stream}
                made += self.made(batch, beginning(self.sender, None, meta) if seq == 10 else ())
                batch = Batch(seq)
        return made

    def made(self, batch: Batch, first: Sequence[Command] = ()) -> list[Command]:
        """The commands of a batch."""
        self.count += 1
        daemon = {"answers": True, "since": 1}
        now = time.time_ns() // 1_000_000
        made = commands(batch, self.sender, self.count, now, daemon, first, make=True)
        if self.few:  # else a reader would find holes, for no host says so much in truth
            made[-1] = tuple(MOST if each == 32 else each for each in made[-1])
        return made

    def next(self) -> list[Command]:
        """What changed in the last window."""
        batch = Batch(EVENTS)
        self.turn += 1
        for number in SLOTS[self.turn % len(SLOTS)]:
            share = round(random.uniform(0, 99), 1)
            stamp = time.monotonic()
            data = a_progress(f"task-{number}", progress=share, stamp=stamp)
            batch.hear({"seq": 0, "event": "sync:progress", "data": data})
        return self.made(batch)

    async def run(self, path: str) -> None:
        """Write until cancelled, one transaction a round trip."""
        reader, writer = await asyncio.open_unix_connection(path)
        await asyncio.sleep(random.uniform(0, self.pause))
        due = time.monotonic()
        while True:
            lines = self.next()
            writer.write(packed([("MULTI",), *lines, ("EXEC",)]))
            answers = 0
            while answers < len(lines) * 2 + 2:  # OK, QUEUED each, one array with the answers
                line = await reader.readline()
                if line.startswith(b"$"):
                    await reader.readline()
                elif line.startswith(b"-") or not line:
                    raise SystemExit(f"refused: {line!r}")
                answers += 1
            due = max(due + self.pause, time.monotonic() - self.pause)
            await asyncio.sleep(due - time.monotonic())


async def write(path: str, hosts: int, changes: float) -> None:
    """Let hosts be there and change, until the input ends."""
    pause = hosts * TASKS / len(SLOTS) / changes
    relays = [Relay(number, pause, pause < WINDOW_S / 2) for number in range(hosts)]
    reader, writer = await asyncio.open_unix_connection(path)
    for relay in relays:
        lines = relay.first()
        writer.write(packed(lines))
        for _ in lines:
            line = await reader.readline()
            if line.startswith(b"$"):
                await reader.readline()
    print("{}", flush=True)
    running = [asyncio.create_task(relay.run(path)) for relay in relays]
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for task in running:
        task.cancel()
    failed = [
        each for each in await asyncio.gather(*running, return_exceptions=True)
        if not isinstance(each, asyncio.CancelledError)
    ]  # fmt: skip
    if failed:
        print(failed[0], file=sys.stderr)


class Counting(Mirror):
    """A mirror that counts the batches that it takes."""

    batches = 0

    def take(self, name: str, count: int, raw: bytes, heard: float) -> None:
        """Take one."""
        self.batches += 1
        super().take(name, count, raw, heard)


class Listener:
    """Who hears of the changes: how late each is."""

    def __init__(self) -> None:
        self.late: list[float] = []

    def hear(self, changes: Sequence[Change]) -> None:
        """Take a tick's pieces."""
        now = time.monotonic()
        for change in changes:
            for progress in change.progress.values():
                self.late.append((now - progress["stamp"]) * 1000)

    def said(self, batches: int) -> str:
        """What was heard since the last time, as JSON."""
        late, self.late = self.late or [0.0], []
        return dumps(
            {
                "changes": batches * TASKS / len(SLOTS),
                "p50": quantile(late, 0.5),
                "p99": quantile(late, 0.99),
            }
        ).decode()


async def read(place: str, hosts: int) -> None:
    """Follow; say how long it took to know all, then what is heard whenever a line comes."""
    began, used = time.monotonic(), time.process_time()
    listener, mirror = Listener(), Counting()
    server = server_of(place)
    assert server is not None
    following = Following(Engine((server,)), Login(), mirror, listener.hear)
    task = asyncio.create_task(following.run())
    while sum(len(host.tasks) for host in mirror) < hosts * TASKS:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    cpu = time.process_time() - used
    print(json.dumps({"took": time.monotonic() - began, "cpu": cpu}), flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(listener.said(mirror.batches), flush=True)
        mirror.batches = 0
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


if __name__ == "__main__":
    what, where, count, *more = sys.argv[1:]
    if what == "write":
        asyncio.run(write(where.removeprefix("unix:"), int(count), float(more[0])))
    else:
        asyncio.run(read(where, int(count)))
