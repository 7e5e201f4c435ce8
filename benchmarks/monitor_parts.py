"""The processes of `benchmarks/monitor.py`: `python benchmarks/monitor_parts.py NAME ...`.

Times are of the monotonic clock, which all processes of a host share.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import signal
import socket
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Observation, Reading


def command(part: str) -> tuple[str, str, str]:
    """A part of PARTS or DAEMONS, which imports the daemon from whichever build it is given."""
    return sys.executable, __file__, part


WATCH = command("watch")
"""The command of a daemon whose looks cost nothing."""
STEPS = 1000
"""Looks from 0 to 100 %: each look moves the progress by what is shown, so each is written."""
UPGRADE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket"
    b"\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
    b"dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
ENTER, PING, PONG = b"\x81\x82\0\0\0\x0040", b"\x81\x012", b"\x81\x81\0\0\0\x003"
"""Frames: into the root namespace, the bridge's heartbeat, its answer."""
LAG_EVERY = 0.002
"""Seconds between two looks at whether the loop is there."""
STAMP = re.compile(rb'"stamp":([0-9.]+)')


def wanted(number: int, interval: float) -> dict[str, Any]:
    """A request that registers a task."""
    params = {
        "id": f"task-{number}",
        "type": "node-sync",
        "service": f"node-{number}",
        "checkInterval": round(interval * 1000),
        "config": {"url": "grpc://localhost:16110"},
    }
    return {"jsonrpc": "2.0", "method": "registerTask", "params": params, "id": number}


class Late:
    """How late each look was: what lies between two beyond the interval, with when it began."""

    def __init__(self) -> None:
        self.began = array("d")
        self.late = array("d")

    def note(self, last: float | None, interval: float) -> float:
        now = time.monotonic()
        if last is not None:
            self.began.append(now)
            self.late.append(now - last - interval)
        return now

    def tell(self) -> None:
        json.dump([list(self.began), list(self.late)], sys.stdout)


class Moving:
    """A probe that answers at once, a step further each time, with the time of its answer."""

    def __init__(self, definition: Definition, late: Late) -> None:
        self._interval = definition.interval
        self._late = late
        self._last: float | None = None

    async def observe(self, memory: Mapping[str, Any]) -> Observation:
        self._last = self._late.note(self._last, self._interval)
        step = memory.get("step", 0) + 1
        return Reading(
            phase="blocks",
            position=float(step),
            start=0.0,
            target=float(STEPS),
            unit="blocks",
            basis="exact",
            metadata={"stamp": self._last},
            memory={"step": step},
        )

    async def close(self) -> None:
        pass


def watch(options: Sequence[str]) -> None:
    """The real daemon, but for its probes."""
    from kaspad_taskd.__main__ import main

    try:
        hallway = importlib.import_module("kaspad_taskd.daemon.house")
    except ModuleNotFoundError:  # of an earlier build
        hallway = importlib.import_module("kaspad_taskd.daemon")

    late = Late()

    def open_probe(definition: Definition, *_means: object) -> Moving:
        return Moving(definition, late)

    if "open_probe" not in vars(hallway):
        raise SystemExit("the daemon opens its probes elsewhere now: nothing would be measured")
    vars(hallway)["open_probe"] = open_probe
    code = main(options)
    late.tell()
    raise SystemExit(code)


def lag(options: Sequence[str]) -> None:
    """The same; it tells what CPU its loop used without a pause, instead of its looks.

    That is what lies between two of its turns that are due every 2 ms: what other programs on the
    host take away is not in it.
    """
    at, late = array("d"), array("d")

    def begin(loop: asyncio.AbstractEventLoop, before: float) -> None:
        at.append(loop.time())
        late.append(time.thread_time() - before)
        loop.call_later(LAG_EVERY, begin, loop, time.thread_time())

    def run_forever(loop: Any) -> None:
        loop.call_soon(begin, loop, time.thread_time())
        run(loop)

    def tell(_late: Late) -> None:
        json.dump([list(at), list(late)], sys.stdout)

    loops: Any = asyncio.base_events.BaseEventLoop
    run, loops.run_forever = loops.run_forever, run_forever
    vars(sys.modules[__name__])["Late"] = type("Lags", (Late,), {"tell": tell})
    watch(options)


def ping(path: str) -> None:
    """Somebody else's client: prints how long each of its questions waited for its answer."""
    at, spent = array("d"), array("d")
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        while not stopping:
            began = time.monotonic()
            connection.sendall(b'{"jsonrpc":"2.0","method":"ping","id":0}\n')
            connection.recv(65_536)
            at.append(time.monotonic())
            spent.append(at[-1] - began)
            time.sleep(LAG_EVERY)
    json.dump([list(at), list(spent)], sys.stdout)


def sleep(count: str, interval: str) -> None:
    """The floor: a loop per task that sleeps and does nothing else."""
    late, every = Late(), float(interval)

    async def one(number: int) -> None:
        await asyncio.sleep(every * number / int(count))
        last = None
        while True:
            last = late.note(last, every)
            await asyncio.sleep(every)

    async def all_of_them() -> None:
        tasks = [asyncio.create_task(one(number)) for number in range(int(count))]
        stopping = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
        await stopping.wait()
        for task in tasks:
            task.cancel()

    asyncio.run(all_of_them())
    late.tell()


def lines(connection: socket.socket) -> Iterator[tuple[float, bytes]]:
    """Yield each line with the time at which it came, until the other side closes."""
    rest = b""
    while data := connection.recv(262_144):
        now = time.monotonic()
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield now, line


def follow(path: str) -> None:
    """A subscriber: prints when each value came and how old it was, when the daemon closes."""
    came, age = array("d"), array("d")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(b'{"jsonrpc":"2.0","method":"subscribe","id":0}\n')
        for now, line in lines(connection):
            params = json.loads(line).get("params", {})
            stamp = params.get("data", {}).get("stamp")
            if stamp is not None:
                came.append(now)
                age.append(now - stamp)
    json.dump([list(came), list(age)], sys.stdout)


def enter(connection: socket.socket) -> None:
    """Become a browser of the bridge that is at the other end."""
    connection.sendall(UPGRADE)
    said = b""
    while b'"sid"' not in said:
        more = connection.recv(65_536)
        if not more:
            raise SystemExit(f"the bridge let nobody in: {said[:300]!r}")
        said += more
    connection.sendall(ENTER)


def browse(port: str) -> None:
    """A browser in the same place: a WebSocket at the bridge that takes every event."""
    came, age = array("d"), array("d")
    with socket.create_connection(("127.0.0.1", int(port))) as connection:
        enter(connection)
        while data := connection.recv(1 << 20):
            now = time.monotonic()
            if PING in data:
                connection.sendall(PONG)
            for stamp in STAMP.findall(data):
                came.append(now)
                age.append(now - float(stamp))
    json.dump([list(came), list(age)], sys.stdout)


def register(path: Path, count: int, interval: float) -> float:
    """Register tasks, all requests at once on one connection; return the seconds it took."""
    asked = b"".join(json.dumps(wanted(n, interval)).encode() + b"\n" for n in range(count))
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        began = time.monotonic()
        asking = threading.Thread(target=connection.sendall, args=(asked,))
        asking.start()
        answered = 0
        while answered < count:
            answered += _good(connection.recv(262_144))
        spent = time.monotonic() - began
        asking.join()
    return spent


def _good(data: bytes) -> int:
    if b'"error":{' in data or not data:
        raise SystemExit(f"a registration failed: {data[:300]!r}")
    return data.count(b"\n")


PARTS: dict[str, Callable[..., None]] = {
    "sleep": sleep, "follow": follow, "browse": browse, "ping": ping,
}  # fmt: skip
DAEMONS: dict[str, Callable[[Sequence[str]], None]] = {"watch": watch, "lag": lag}

if __name__ == "__main__":
    if sys.argv[1] in DAEMONS:
        DAEMONS[sys.argv[1]](sys.argv[2:])
    else:
        PARTS[sys.argv[1]](*sys.argv[2:])
