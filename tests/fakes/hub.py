"""A hub, hosts that live before it, and programs that look at it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import pytest
import socketio
from redis import Redis
from socketio.exceptions import ConnectionError as NotLetInError

from kaspad_taskd.fleet import keys
from kaspad_taskd.fleet.hub.house import House
from kaspad_taskd.fleet.settings import Part, Settings, load
from kaspad_taskd.systemd.notify import Notifier
from tests.fakes.bridged import free_port
from tests.fakes.fleet_reader import write
from tests.fakes.fleet_writer import FleetHost, a_task
from tests.fakes.patience import PATIENCE, awaited

AT_ONCE = 50
"""Hosts that give a sign of life before others have their turn."""


class Hub:
    """A hub in this process, with a directory of its own, over real sockets.

    Attributes:
        url: of its page.
        patience: seconds that are waited for it.
    """

    def __init__(
        self, place: Path, server: str | Sequence[str], hub: str = "", port: int = 0
    ) -> None:
        self.patience = PATIENCE
        place.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.state = place / "state"
        self.state.mkdir(exist_ok=True)
        self.settings = place / "fleet.toml"
        servers = [server] if isinstance(server, str) else list(server)
        self.settings.write_text(
            f'host = "x"\n[redis]\nservers = {json.dumps(servers)}\n'
            f'[hub]\nlisten = "127.0.0.1:{self.port}"\n{hub}\n'
        )
        self._house: House | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        settings = load(self.settings, Part.HUB)
        assert isinstance(settings, Settings), settings
        self._house = House(settings, self.state, Notifier(), None)
        self._task = asyncio.create_task(self._house.run())

    async def stop(self) -> None:
        """End it, as SIGTERM does."""
        assert self._house is not None
        assert self._task is not None
        self._house.stop()
        async with awaited("the hub ends", self.patience):
            await self._task

    async def get(self, path: str = "/", **headers: str) -> tuple[int, str]:
        """What is there."""
        async with (
            aiohttp.ClientSession() as http,
            http.get(self.url + path, headers=headers) as answer,
        ):
            return answer.status, await answer.text()

    async def until(self, path: str, holds: Callable[[str], bool]) -> str:
        """A page, as soon as this holds of it."""
        async with awaited(f"{path} is as it has to be", self.patience):
            while True:
                _, text = await self.get(path)
                if holds(text):
                    return text
                await asyncio.sleep(0.1)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()


class HubProcess(Hub):
    """The same as a process of its own.

    Attributes:
        log: what it says.
        process: itself.
    """

    def __init__(
        self,
        place: Path,
        server: str | Sequence[str],
        hub: str = "",
        port: int = 0,
        notify: str = "",
    ) -> None:
        super().__init__(place, server, hub, port)
        self._env = {**os.environ, "NOTIFY_SOCKET": notify}

    async def start(self) -> None:
        self.log = self.settings.with_name("hub.log")
        command = [sys.executable, "-m", "kaspad_taskd.fleet.hub.main"]
        more = ["--config", str(self.settings), "--state-dir", str(self.state)]
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *command, *more, stdout=log, stderr=log, env=self._env
            )
        try:
            async with awaited(f"the hub at {self.url} answers", self.patience):
                await self._answers()
        except BaseException:
            await self.stop(signal.SIGKILL)
            raise

    async def _answers(self) -> None:
        while True:
            assert self.process.returncode is None, self.log.read_text()
            with contextlib.suppress(aiohttp.ClientError):
                await self.get("/healthz")
                return
            await asyncio.sleep(0.05)

    async def stop(self, number: int = signal.SIGTERM) -> None:
        """End it by a signal."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with awaited(f"the hub at {self.url} ends", self.patience):
            await self.process.wait()


class Watcher:
    """A Socket.IO client of a hub; what it was told, in order."""

    def __init__(self, hub: Hub, **auth: Any) -> None:
        self._hub = hub
        self._auth = auth
        self.told: list[tuple[str, Any]] = []
        self._more = asyncio.Event()
        self.client = socketio.AsyncClient(reconnection=False)
        self.client.on("*", self._hear)

    async def _hear(self, name: str, data: Any) -> None:
        self.told.append((name, data))
        self._more.set()

    async def __aenter__(self) -> Watcher:
        await self._connect()
        return self

    async def _connect(self) -> None:
        await self.client.connect(
            self._hub.url, auth=self._auth, transports=["websocket"], wait_timeout=PATIENCE
        )

    async def refused(self) -> Any:
        """How it is not let in."""
        said: list[Any] = []
        self.client.on("connect_error", said.append)
        with pytest.raises(NotLetInError):
            await self._connect()
        return said[0]

    async def __aexit__(self, *_: object) -> None:
        await self.client.disconnect()

    async def until(self, name: str, holds: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first event of this name of which that holds."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self._more.clear()
                for called, data in list(self.told):
                    if called == name and holds(data):
                        return data
                await self._more.wait()

    async def host(self, name: str, **such: Any) -> Any:
        """The row of a host, as soon as it is such."""

        def holds(news: Any) -> bool:
            return any(one["host"] == name and such.items() <= one.items() for one in news["hosts"])

        news = await self.until("host:news", holds)
        return next(one for one in news["hosts"] if one["host"] == name)

    async def rpc(self, method: str, **params: Any) -> Any:
        return await self.client.call("rpc", {"method": method, "params": params}, timeout=PATIENCE)


class Fleet:
    """Hosts in a real server, which give signs of life until they are taken from `living`."""

    def __init__(self, client: Redis, hosts: Sequence[FleetHost]) -> None:
        self._client = client
        self.hosts = {host.name: host for host in hosts}
        self.living = dict(self.hosts)
        for host in hosts:
            write(client, host.begin())

    def write(self, name: str, **more: Any) -> None:
        """Let something be so on a host."""
        host = self.hosts[name]
        events = more.get("events", ())
        write(self._client, host.commands(host.batch(**more), events))

    async def live(self) -> None:
        """A sign of life each, every second, until cancelled."""
        while True:
            living = list(self.living.values())
            for at in range(0, len(living), AT_ONCE):
                self._beat(living[at : at + AT_ONCE])
                await asyncio.sleep(0)
            await asyncio.sleep(1)

    def _beat(self, hosts: Sequence[FleetHost]) -> None:
        signs = self._client.pipeline(transaction=False)
        for host in hosts:
            entry = host.batch()
            signs.xadd(host.key(keys.NOW), {"w": entry}, keys.entry_id(host.count), maxlen=32)
        signs.execute()


@asynccontextmanager
async def fleet(client: Redis, *hosts: str | FleetHost) -> AsyncIterator[Fleet]:
    """Hosts, or such of these names, with a task each, that live."""
    made = Fleet(client, [FleetHost(one) if isinstance(one, str) else one for one in hosts])
    for name in made.hosts:
        made.write(name, tasks=[a_task()])
    living = asyncio.create_task(made.live())
    try:
        yield made
    finally:
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
