"""The hosts of a fleet that is shown, and the server that carries it; what is done to them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from kaspad_taskd.demo.daemon import Fast
from kaspad_taskd.demo.line import Line
from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import Recording, load
from kaspad_taskd.demo.running import Process, send, start, stop, until_there
from kaspad_taskd.demo.show import DEFINITION, TASK
from kaspad_taskd.fleet import keys
from kaspad_taskd.fleet.carrier import Carrier
from kaspad_taskd.fleet.faults import Trouble
from kaspad_taskd.fleet.settings import Engine, Login, Server

SITES: Final = ("Vienna", "Graz", "Linz")
DIES, CUT, BACK = 15.0, 25.0, 50.0
"""Seconds after all are seen: when one host dies, another is cut off, and when that comes back."""
ALL_PATIENCE: Final = 120.0
LOOK: Final = 0.5
"""Seconds between two looks whether all are seen."""


@dataclass
class Host:
    """One host: its name, its directory, what runs of it, and what ends its node."""

    name: str
    place: Path
    node: AsyncExitStack
    running: list[Process]

    async def die(self) -> None:
        """End at once, as a machine does whose plug is pulled."""
        for process in self.running:
            send(process, signal.SIGKILL)
        await self.node.aclose()


class Fleet:
    """The hosts and their server. Use it as a context: in its end everything is ended.

    Args:
        place: an empty directory.
        program: the server's.
        speed: recorded seconds in a real one.
        size: how many hosts.

    Attributes:
        page: where a browser sees them.
        names: of the hosts, in order.
        dying: the place in it of the host that dies.
        cut: of the one that is cut off.
    """

    def __init__(self, place: Path, program: str, speed: float, size: int) -> None:
        self._place = place
        self._program = program
        self._speed = speed
        self._began = time.time() * 1000
        self._fast = Fast(speed, self._began)
        self._hosts: list[Host] = []
        self._others: list[Process] = []
        self._server = place / "redis.sock"
        self._line = Line(place / "line.sock", self._server)
        self._stories: asyncio.Task[None] | None = None
        self._ending = False
        self._port = _free_port()
        self.page = f"http://127.0.0.1:{self._port}/"
        self.names = [f"node-{number:02}" for number in range(1, size + 1)]
        self.dying = size // 3
        self.cut = 2 * size // 3

    async def __aenter__(self) -> Fleet:
        try:
            await self._begin()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def watched(self) -> int:
        """Show it, in a browser too, until somebody ends that; returns the exit code."""
        hub = f'[hub]\nexpected = {json.dumps(self.names)}\nlisten = "127.0.0.1:{self._port}"'
        settings = self._settings("demo", self._server, hub)
        with self._log("hub") as log:
            door = ("--config", str(settings), "--state-dir", str(self._place / "hub"))
            self._others.append(await start("kaspad_taskd.fleet.hub.main", *door, log=log))
        words = ("fleet", "--watch", "--config", str(settings))
        watch = await start("kaspad_taskd.cli", *words)
        self._others.append(watch)
        return await watch.wait()

    async def _begin(self) -> None:
        with self._log("redis") as log:
            server = await asyncio.create_subprocess_exec(
                self._program,
                *("--port", "0", "--unixsocket", str(self._server), "--dir", str(self._place)),
                *("--appendonly", "yes", "--save", "", "--daemonize", "no"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._others.append(server)
        await until_there(self._server, server)
        await self._line.mend()
        recording = load()
        for number, name in enumerate(self.names):
            beginning = number * recording.duration / len(self.names)
            await self._add(name, recording, beginning, SITES[number % len(SITES)])
        self._stories = asyncio.create_task(self._harm())

    async def _add(self, name: str, recording: Recording, beginning: float, site: str) -> None:
        place = self._place / name
        (place / "tasks.d").mkdir(parents=True)
        host = Host(name, place, AsyncExitStack(), [])
        self._hosts.append(host)
        is_cut = self.names[self.cut] == name
        log = place / "rusty-kaspa.log"
        log.touch()
        node = PlayingNode(
            recording, self._speed, log=log, beginning=beginning,
            wall_ms=lambda: self._fast.wall() * 1000,
        )  # fmt: skip
        await host.node.enter_async_context(node)
        interval = max(1000, round(2000 / self._speed))
        definition = DEFINITION.format(interval=interval, url=node.url, log=log)
        (place / "tasks.d" / f"{TASK}.toml").write_text(definition)
        await self._run(host, self._line.path if is_cut else self._server, site)

    async def _run(self, host: Host, server: Path, site: str) -> None:
        """Start its daemon and its relay."""
        place, watch = host.place, host.place / "run" / "watch.sock"
        settings = self._settings(host.name, server, f'[labels]\nsite = "{site}"')
        with self._log(host.name) as log:
            daemon = await start(
                "kaspad_taskd.demo.daemon",
                *(str(self._speed), str(self._began)),
                *("--tasks", str(place / "tasks.d"), "--state-dir", str(place / "state")),
                *("--runtime-dir", str(watch.parent), "--bridge", "off"),
                log=log,
            )
            host.running.append(daemon)
            relay = await start(
                "kaspad_taskd.fleet.relay.main",
                *("--config", str(settings), "--state-dir", str(place / "relay")),
                *("--socket", str(watch), "--log-level", "warning"),
                log=log,
            )
            host.running.append(relay)

    def _settings(self, name: str, server: Path, more: str) -> Path:
        """Write a fleet.toml."""
        file = self._place / f"{name}.toml"
        file.write_text(f'host = "{name}"\n[redis]\nservers = ["unix:{server}"]\n{more}\n')
        return file

    @contextlib.contextmanager
    def _log(self, name: str) -> Iterator[IO[bytes]]:
        with (self._place / f"{name}.log").open("ab") as log:
            yield log

    async def _harm(self) -> None:
        """What happens to them, as soon as each has told something."""
        await asyncio.to_thread(self._all_are_seen)
        await asyncio.sleep(DIES)
        await self._hosts[self.dying].die()
        await asyncio.sleep(CUT - DIES)
        await self._line.cut()
        await asyncio.sleep(BACK - CUT)
        await self._line.mend()

    def _all_are_seen(self) -> None:
        """Wait until something of each host is in Redis, or for ALL_PATIENCE. Blocks."""
        until = time.monotonic() + ALL_PATIENCE
        while not self._ending and not self._have_told() and time.monotonic() < until:
            time.sleep(LOOK)

    def _have_told(self) -> bool:
        carrier = Carrier(Engine((Server(path=str(self._server)),)), Login())
        try:
            return all(carrier.table(keys.key(name, keys.META)) for name in self.names)
        except Trouble:
            return False
        finally:
            carrier.close()

    async def _end(self) -> None:
        self._ending = True
        if self._stories is not None:
            self._stories.cancel()
            await asyncio.gather(self._stories, return_exceptions=True)
        running = [process for host in self._hosts for process in host.running]
        await asyncio.gather(*map(stop, (*running, *self._others[1:])))
        await self._line.cut()
        await asyncio.gather(*map(stop, self._others[:1]))  # the server, last
        for host in self._hosts:
            await host.node.aclose()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
