"""Who writes in `bench fleet`: hosts as relays do it, and senders of others that say the same.

`python -m benchmarks.fleet_sides write|emit PLACE HOSTS CHANGES BOARD`, in a process of its own: it
says in a line that it is ready, then for each line that it reads how many changes it has written.
"""

from __future__ import annotations

import asyncio
import json
import mmap
import random
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from struct import Struct
from typing import Any

from kaspad_taskd.fleet.relay.batch import Batch, Command, Sender, beginning, commands
from tests.fakes.fleet_writer import TIME, a_progress, a_task

TASKS = 5
EVENTS = 400
PAST = 6000
"""Bytes of a task's past."""
WINDOW_S = 0.4
"""Seconds for which a relay gathers from the first change on, as its session.py has it."""
SLOTS = ((0, 1), (2,), (3,), (4,))
"""Which tasks of a host changed in the same window: five at random rarely share more than one."""
MOST = 400
"""Entries of `now` that are kept: more than a relay's where few hosts say much."""
SHARES = 98
"""A task's progress goes from 1 to 98 %, and again: by it a change is known again on a page."""
PAUSE_S = 0.02
"""Seconds between two goes of a sender."""
_STAMP = Struct("d")


class Board:
    """When each change was made: one file for all processes, by host, task and progress.

    Args:
        path: of the file.
        hosts: how many; None: it is there.
    """

    def __init__(self, path: Path, hosts: int | None = None) -> None:
        if hosts is not None:
            path.write_bytes(bytes(hosts * TASKS * (SHARES + 1) * _STAMP.size))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)

    def note(self, host: int, task: int, share: int, stamp: float) -> None:
        """Say when it came to that progress, by monotonic time (s)."""
        _STAMP.pack_into(self._map, _place(host, task, share), stamp)

    def at(self, host: int, task: int, share: int) -> float:
        """When it came to that progress."""
        stamp: float = _STAMP.unpack_from(self._map, _place(host, task, share))[0]
        return stamp


def _place(host: int, task: int, share: int) -> int:
    return ((host * TASKS + task) * (SHARES + 1) + share) * _STAMP.size


class Changes:
    """What changes on a host, one task after the other."""

    def __init__(self, host: int, board: Board) -> None:
        self._host, self._board = host, board
        self._shares = [random.randrange(SHARES) for _ in range(TASKS)]

    def make(self, task: int, ago: float = 0.0) -> dict[str, Any]:
        """Return the data of a change that was made `ago` seconds ago."""
        self._shares[task] = share = self._shares[task] % SHARES + 1
        stamp = time.monotonic() - ago
        self._board.note(self._host, task, share, stamp)
        return a_progress(f"task-{task}", service=f"node-{task}", progress=share, stamp=stamp)


def name_of(host: int) -> str:
    """What a host is called."""
    return f"host-{host:05}"


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

    def __init__(self, number: int, pause: float, few: bool, board: Board) -> None:
        self.sender = Sender(name_of(number), "run", "ev:0123456789abcdef", EVENTS, make=True)
        self.changes = Changes(number, board)
        self.written = 0
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
            if seq % 10 == 0:  # as they came; of `now` what is there by now is small, and the last
                meta = {"host": self.sender.host, "run": "run", "stream": self.sender.stream}
                first = beginning(self.sender, None, meta) if seq == 10 else ()
                lines = self.made(batch, first)
                made += lines if seq == EVENTS else lines[:-1]
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
        """What changed in the last window, which the first change opened."""
        batch, ago = Batch(EVENTS), 0.0 if self.few else WINDOW_S
        self.turn += 1
        for number in SLOTS[self.turn % len(SLOTS)]:
            data = self.changes.make(number, ago)
            batch.hear({"seq": 0, "event": "sync:progress", "data": data})
            ago = random.uniform(0, ago)
        self.written += batch.words
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


async def write(path: str, hosts: int, changes: float, board: Board) -> None:
    """Let hosts be there and change, until the input ends."""
    pause = hosts * TASKS / len(SLOTS) / changes
    relays = [Relay(number, pause, pause < WINDOW_S / 2, board) for number in range(hosts)]
    reader, writer = await asyncio.open_unix_connection(path)
    for relay in relays:
        lines = relay.first()
        writer.write(packed(lines))
        for _ in lines:
            line = await reader.readline()
            if line.startswith(b"$"):
                await reader.readline()
    await telling([relay.run(path) for relay in relays], lambda: sum(r.written for r in relays))


async def telling(work: Iterable[Awaitable[None]], written: Callable[[], int]) -> None:
    """Work until the input ends; for each line of it say how many changes are written."""
    running = [asyncio.ensure_future(each) for each in work]
    print("{}", flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps({"changes": written()}), flush=True)
    while not all(task.done() for task in running):  # a library may swallow it, once or twice
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=0.1)
    failed = [task.exception() for task in running if not task.cancelled()]
    if any(failed):
        print(failed, file=sys.stderr)


async def paced(changes: float, emit: Callable[[int, dict[str, Any]], Awaitable[None]],
                hosts: Sequence[Changes], count: list[int]) -> None:  # fmt: skip
    """Emit so many changes a second, or as many as can be; `count` has how many."""
    began, skipped = time.monotonic(), 0
    while True:
        due = int((time.monotonic() - began) * changes) - count[0] - skipped
        skipped += max(0, due - int(changes))  # it cannot keep up: what is a second late is let go
        for _ in range(min(due, int(changes * PAUSE_S) or 1)):
            host, task = count[0] % len(hosts), count[0] // len(hosts) % TASKS
            await emit(host, hosts[host].make(task))
            count[0] += 1
        await asyncio.sleep(PAUSE_S if due <= changes * PAUSE_S else 0)


async def emit(path: str, hosts: int, changes: float, board: Board) -> None:
    """Say the same changes through python-socketio's own manager, one emit each."""
    from socketio import AsyncRedisManager

    manager: Any = AsyncRedisManager(f"unix://{path}", write_only=True)
    count = [0]

    async def one(host: int, data: dict[str, Any]) -> None:
        await manager.emit(
            "sync:progress", {"host": name_of(host), **data}, room=["all", name_of(host)]
        )

    made = [Changes(number, board) for number in range(hosts)]
    await telling([paced(changes, one, made, count)], lambda: count[0])


if __name__ == "__main__":
    what, where, count, rate, file = sys.argv[1:]
    side = {"write": write, "emit": emit}[what]
    path = where.removeprefix("unix:")
    asyncio.run(side(path, int(count), float(rate), Board(Path(file))))
