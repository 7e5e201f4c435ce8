"""`./dev soak garbage [COUNT]`: so many lines, packets and requests of structured garbage.

Nine of ten are lines for the socket or packets for the bridge, half each, and one in a thousand
is a whole HTTP request. The daemon has to live, log no traceback, and keep its memory.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import aiohttp

from tests.fakes.bridged import free_port
from tests.fakes.taskd_process import Taskd
from tests.soak.eyes import Process
from tests.soak.garbage import Garbage
from tests.soak.promises import Promises

GROUP = 1000
"""Lines, or packets, that one connection says."""
WARM = 10
"""Of how many parts the first one is: what is kept within bounds is full then, and memory flat."""
REQUESTS = 20
"""Over HTTP beside a group: each is a connection of its own."""
PATIENCE = 60.0
QUIET_S = 60.0
"""Seconds after which nothing of a connection is remembered, and what it was made of collected."""


class Fuzz:
    """Says it at both doors."""

    def __init__(self, taskd: Taskd, port: int, garbage: Garbage) -> None:
        self._path = taskd.socket
        self._port = port
        self._garbage = garbage
        self.lines = self.packets = self.requests = 0

    async def group(self) -> None:
        """Say a group at each door at once."""
        async with asyncio.timeout(PATIENCE):
            requests = (self._request() for _ in range(REQUESTS))
            await asyncio.gather(self._lines(), self._packets(), *requests)

    async def _lines(self) -> None:
        """Say lines and take the answers; the connection must outlive them all."""
        reader, writer = await asyncio.open_unix_connection(str(self._path), limit=1 << 24)
        taking = asyncio.create_task(_take_until(reader, b'"the-end"'))
        for _ in range(GROUP):
            writer.write(self._garbage.line())
        writer.write(b'{"jsonrpc":"2.0","id":"the-end","method":"ping"}\n')
        await writer.drain()
        await taking
        writer.close()
        self.lines += GROUP

    async def _packets(self) -> None:
        """Say packets; a bad one may end the connection, then another is opened."""
        url = f"http://127.0.0.1:{self._port}/socket.io/?EIO=4&transport=websocket"
        left = GROUP
        async with aiohttp.ClientSession() as http:
            while left > 0:
                with suppress(aiohttp.ClientError, OSError):
                    async with http.ws_connect(url) as line:
                        await line.send_str("40")
                        while left > 0 and not line.closed:
                            left -= 1
                            self.packets += 1
                            await line.send_str(self._garbage.packet())
                            if left % 8 == 0:  # take what is answered, and hear of its end
                                with suppress(TimeoutError):
                                    async with asyncio.timeout(0.0005):
                                        await line.receive()
                left -= 1

    async def _request(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(self._garbage.http())
            writer.write_eof()
            with suppress(TimeoutError, OSError):
                async with asyncio.timeout(1.0):
                    await reader.read(1 << 16)
            self.requests += 1
        except OSError:
            pass
        finally:
            writer.close()


async def _take_until(reader: asyncio.StreamReader, end: bytes) -> None:
    while end not in (line := await reader.readline()):
        assert line, "the connection was ended amid garbage"


async def fuzz(place: Path, count: int, seed: int, settle: float = 0.0) -> list[str]:
    """Say `count` of them; returns what was broken.

    `settle`: seconds of quiet before memory is looked at: what connections leave for a while is the
    more the faster they come, and a machine is not equally fast at all times.
    """
    promises, port = Promises(), free_port()
    async with Taskd(place, "--bridge", f"127.0.0.1:{port}") as taskd:
        line = await taskd.start()
        assert taskd.process is not None
        process = Process(taskd.process.pid)
        methods = [each["name"] for each in (await line.call("rpc.discover"))["methods"]]
        saying = Fuzz(taskd, port, Garbage(random.Random(seed), methods))
        began, groups, warm = time.monotonic(), 0, max(20, count // WARM // (2 * GROUP))
        while saying.lines + saying.packets + saying.requests < count:
            await saying.group()
            groups += 1
            if groups == warm:
                await asyncio.sleep(settle)
                process.begin()
            if groups % 100 == 0:
                print(f"{_far(saying, began)}, {process.memory:.0f} MiB", flush=True)
        if groups > warm:
            await asyncio.sleep(settle)
            process.check(promises, time.monotonic() - began)
        await line.call("ping")
        code, _ = await taskd.end(signal.SIGTERM)
        promises.starts.held(code == 0, f"ended with {code}")
        said = taskd.said()
    promises.log.held("Traceback" not in said, said[said.find("Traceback") :][:2000])
    promises.log.measured["bytes"] = len(said)
    print(_far(saying, began))
    print(promises.table())
    return [account for one in promises.all() for account in one.accounts]


def _far(saying: Fuzz, began: float) -> str:
    return (
        f"{saying.lines:,} lines, {saying.packets:,} packets, {saying.requests:,} requests in"
        f" {time.monotonic() - began:.0f} s"
    )


def main(argv: list[str]) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="./dev soak garbage", description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=100_000, help="how many (100,000)")
    parser.add_argument("--seed", type=int, default=None, help="of the dice")
    options = parser.parse_args(argv)
    seed = random.randrange(10**6) if options.seed is None else options.seed
    with tempfile.TemporaryDirectory(prefix="kaspad-taskd-garbage-") as place:
        print(f"--seed {seed}", flush=True)
        return 1 if asyncio.run(fuzz(Path(place), options.count, seed, QUIET_S)) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
