"""A wizard's process that mirrors 1,000 tasks, beside one that looks at them itself, as of old.

Run it by `./dev bench node-client`. Each is a process of its own, measured over a bare Node with
`events` and `net` loaded, in turns. Ours is told one change a second of each task, in packets as
the daemon sends them. Of old each task has a timer and an object: once with nothing to ask, once
with a look over HTTP that is answered at once. Memory is the average of what is resident: at one
moment it is what the collector of garbage has left. Only the ratios within one run count.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kaspad_taskd.base.clock import iso
from tests.fakes.golden import golden_task

HERE = Path(__file__).parent
ROLES = ("bare", "ours", "timers", "looks")
PACKETS = 20
"""In which a second's events come."""
Json = dict[str, Any]


class Feeder:
    """Says that it is a daemon with so many nodes in sync, each of which moves once a second."""

    def __init__(self, tasks: int) -> None:
        task = {**golden_task("kaspa-node"), "attempt": 1, "origin": "api"}
        names = [f"node-{n}" for n in range(tasks)]
        self.tasks = [{**task, "id": f"node-sync-{each}", "service": each} for each in names]
        self._turn = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with suppress(OSError, asyncio.CancelledError):
            await self._answer(reader, writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            request: Json = json.loads(line)
            if request["method"] != "subscribe":
                writer.write(_line({"id": request["id"], "result": {"seq": 1}}))
                continue
            told = {"seq": 1, "journal": "a", "tasks": self.tasks}
            writer.write(_line({"id": request["id"], "result": told}))
            await self._tell(writer)

    async def _tell(self, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        size = len(self.tasks) // PACKETS
        while not writer.is_closing():
            part = self._turn % PACKETS
            chosen = self.tasks[part * size : (part + 1) * size]
            writer.write(b"".join(_line(self._moved(task)) for task in chosen))
            self._turn += 1
            await asyncio.sleep(max(0.0, began + self._turn / PACKETS - loop.time()))

    def _moved(self, task: Mapping[str, Any]) -> Json:
        now = asyncio.get_running_loop().time()
        data = {
            **task["metadata"],
            "seq": 1,
            "timestamp": iso(int(now * 1000)),
            "taskId": task["id"],
            "service": task["service"],
            "type": "node-sync",
            "status": "in-progress",
            "health": "ok",
            "phase": "blocks",
            "progress": self._turn % 100,
            "percentage": self._turn % 100,
            "estimatedTimeRemaining": 3600,
            "connected": True,
            "formattedTimeRemaining": "1 hour",
            "syncRate": 412.5,
            "synced": False,
            "currentBlock": 400_000_000,
            "targetBlock": 401_000_000,
            "blocksRemaining": 10**6,
        }
        return {"method": "event", "params": {"seq": 1, "event": "sync:progress", "data": data}}


def _line(message: Json) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":")).encode() + b"\n"


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A node of old's: HTTP, an object of numbers, one answer a connection."""
    with suppress(asyncio.IncompleteReadError, OSError):  # the measured one has ended meanwhile
        await reader.readuntil(b"\r\n\r\n")
    body = b'{"connected":true,"synced":false,"currentBlock":400000000,"targetBlock":401000000}'
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    writer.write(head + body)
    writer.close()


async def _measured(role: str, tasks: int, seconds: int, place: Path) -> Json:
    path = place / "rpc.sock"
    feeder = await asyncio.start_unix_server(Feeder(tasks).serve, path)
    http = await asyncio.start_server(_answer, "127.0.0.1", 0, backlog=2048)
    where = str(http.sockets[0].getsockname()[1]) if role == "looks" else str(path)
    async with feeder, http:
        process = await asyncio.create_subprocess_exec(
            "node", str(HERE / "node_client.cjs"), role, str(tasks), str(seconds), where,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said = (await process.communicate())[0]
    found: Json = json.loads(said)
    return found


def main(argv: list[str]) -> int:
    """Measure each in turn; 1 where ours costs more than half of what looking itself does."""
    options = argparse.ArgumentParser(prog="./dev bench node-client")
    options.add_argument("--tasks", type=int, default=1000)
    options.add_argument("--seconds", type=int, default=20)
    options.add_argument("--rounds", type=int, default=2)
    given = options.parse_args(argv)
    if shutil.which("node") is None:
        print("node is not installed: apt install nodejs")
        return 1
    found: dict[str, list[Json]] = {role: [] for role in ROLES}
    with tempfile.TemporaryDirectory() as place:
        for _ in range(given.rounds):
            for role in ROLES:
                one = asyncio.run(_measured(role, given.tasks, given.seconds, Path(place)))
                found[role].append(one)
    return _shown(found)


def _shown(found: Mapping[str, list[Json]]) -> int:
    def middle(role: str, key: str) -> float:
        return float(statistics.median(each[key] for each in found[role]))

    idle, empty = middle("bare", "cpu"), middle("bare", "mib")
    print(f"{'':8} {'changes':>8} {'CPU s for 1,000':>16} {'MiB over bare':>14}")
    over = {}
    for role in ROLES[1:]:
        changes = middle(role, "told")
        cpu = (middle(role, "cpu") - idle) / max(changes, 1) * 1000
        over[role] = cpu, middle(role, "mib") - empty
        print(f"{role:8} {changes:8.0f} {cpu:16.4f} {over[role][1]:14.1f}")
    print(f"bare Node with events and net: {empty:.1f} MiB, {idle:.3f} CPU s")
    return int(any(2 * ours > old for ours, old in zip(over["ours"], over["looks"], strict=True)))
