"""Who looks in `bench fleet`: Socket.IO clients on all hosts, and one on the first of them.

`python -m benchmarks.fleet_browsers PORT HOSTS CLIENTS BOARD`: a process that connects as soon as
somebody listens. It says in a line when it knew all tasks (without a board, where the server tells
changes alone, it does not), then for each line that it reads what it was told since: of how many
changes, and how late. Of several clients on all hosts one reads; of the others bytes are counted.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from aiohttp import ClientError, ClientSession, WSMsgType

from benchmarks.fleet_sides import SHARES, TASKS, Board, name_of
from benchmarks.monitor_parts import ENTER, PING, PONG, UPGRADE
from benchmarks.process import quantile
from kaspad_taskd.base.jsontext import loads

STAMP = re.compile(r'"stamp":([0-9.]+)')
SHOWN = re.compile(r"node-(\d) (\d+) %")
"""A task in a host's line."""
ROWS = '42["host:news",'


class Heard:
    """What a client was told: how late each change was (ms)."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self.bytes = 0

    def said(self) -> dict[str, float]:
        """It, since the last time."""
        late, self.late = self.late, []
        size, self.bytes = self.bytes, 0
        some = late or [0.0]
        return {
            "changes": len(late), "bytes": size, "p50": quantile(some, 0.5),
            "p99": quantile(some, 0.99),
        }  # fmt: skip


class Stamped(Heard):
    """One that is told changes with the moment at which each was made."""

    def __init__(self) -> None:
        super().__init__()
        self.began = time.monotonic()

    def take(self, text: str) -> None:
        """Take a packet."""
        now = time.monotonic()
        self.bytes += len(text)
        for found in STAMP.findall(text):
            stamp = float(found)
            if stamp > self.began:
                self.late.append((now - stamp) * 1000)


class Rows(Heard):
    """One that is told the lines of all hosts: a change is seen when its number is.

    Attributes:
        tasks: how many each host has.
    """

    def __init__(self, board: Board) -> None:
        super().__init__()
        self._board = board
        self._known: dict[tuple[int, int], int] = {}
        self.tasks: dict[str, int] = {}

    def take(self, text: str) -> None:
        """Take a packet."""
        now = time.monotonic()
        self.bytes += len(text)
        if not text.startswith(ROWS):
            return
        news: Mapping[str, Any] = loads(text[2:])[1]
        for row in news["hosts"]:
            self.tasks[row["host"]] = row["tasks"]
            self._see(row["host"], row["said"], now)
        for host, said in news.get("moved", {}).items():
            self._see(host, said, now)

    def _see(self, host: str, said: str, now: float) -> None:
        number = int(host.removeprefix("host-"))
        for one, percent in SHOWN.findall(said):
            task, share = int(one), int(percent)
            before = self._known.get((number, task), share)
            self._known[number, task] = share
            for step in range((share - before) % SHARES):  # those that were overtaken, too
                stamp = self._board.at(number, task, (before + step) % SHARES + 1)
                if stamp:  # else it is how the task was before it ever changed
                    self.late.append((now - stamp) * 1000)


async def look(port: int, auth: Mapping[str, Any], take: Callable[[str], None]) -> None:
    """Connect as soon as somebody listens and lets us in; take what is told until cancelled."""
    url = f"http://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
    async with ClientSession() as http:
        while True:
            with suppress(ClientError):
                async with http.ws_connect(url, max_msg_size=0) as line:
                    await line.send_str("40" + json.dumps(auth))
                    async for message in line:
                        if message.type is not WSMsgType.TEXT:
                            return
                        if message.data.startswith("44"):  # it does not know that host yet
                            break
                        if message.data == "2":
                            await line.send_str("3")
                        else:
                            take(message.data)
            await asyncio.sleep(0.01)


class Crowd(asyncio.Protocol):
    """One more on all hosts, whose bytes are counted."""

    total: ClassVar[int] = 0

    def connection_made(self, transport: Any) -> None:
        self._line = transport
        transport.write(UPGRADE)

    def data_received(self, data: bytes) -> None:
        if b'"sid"' in data and b"pingTimeout" in data:
            self._line.write(ENTER)
        elif data == PING:
            self._line.write(PONG)
        Crowd.total += len(data)

    @classmethod
    def told(cls) -> int:
        """Bytes since the last time."""
        cls.total, found = 0, cls.total
        return found


async def gather(port: int, many: int) -> None:
    """Let so many more come."""
    loop = asyncio.get_running_loop()
    for _ in range(many):
        await loop.create_connection(Crowd, "127.0.0.1", port)


async def main(port: int, hosts: int, clients: int, board: str) -> None:
    """Look until the input ends."""
    all_hosts = Rows(Board(Path(board))) if board else Stamped()
    one = Stamped()
    looking = [
        asyncio.create_task(look(port, {}, all_hosts.take)),
        asyncio.create_task(look(port, {"host": name_of(0), "gather": True}, one.take)),
    ]
    print("{}", flush=True)
    if isinstance(all_hosts, Rows):
        while sum(all_hosts.tasks.values()) < hosts * TASKS:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        print(json.dumps({"at": time.monotonic()}), flush=True)
    else:
        await asyncio.sleep(0.5)
    await gather(port, clients - 1)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        more = Crowd.told()
        every = all_hosts.said()
        told = {"all": every, "one": one.said(), "clients": 1 + more / max(1, every["bytes"])}
        print(json.dumps(told), flush=True)
    for task in looking:
        task.cancel()
    await asyncio.gather(*looking, return_exceptions=True)


if __name__ == "__main__":
    where, hosts, clients = map(int, sys.argv[1:4])
    asyncio.run(main(where, hosts, clients, sys.argv[4]))
