"""A bridge on the real API with a store in memory, and clients that speak its protocol by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from kaspad_taskd.bridge.access import Access
from kaspad_taskd.bridge.counts import Counts
from kaspad_taskd.bridge.fanout import Fanout
from kaspad_taskd.bridge.listening import open_door
from kaspad_taskd.bridge.own_site import OwnSite
from kaspad_taskd.bridge.server import BridgeServer
from kaspad_taskd.config.settings import Address, Bridge
from kaspad_taskd.store.memory import MemoryStore
from tests.api.house import ApiHouse
from tests.fakes.house import definition
from tests.fakes.patience import PATIENCE


class FakePage:
    """A page that shows what it was given."""

    def index(self, snapshot: Mapping[str, Any], query: Mapping[str, str]) -> str:
        return "<!doctype html>" + json.dumps({"snapshot": snapshot, "query": query})

    def task(
        self, snapshot: Mapping[str, Any], task_id: str, query: Mapping[str, str]
    ) -> str | None:
        if snapshot["needsToken"]:
            return "<!doctype html>the way to unlock"
        known = [task for task in snapshot["tasks"] if task["id"] == task_id]
        if not known:
            return None
        return "<!doctype html>" + json.dumps({**known[0], "history": snapshot["history"][task_id]})

    def missing(self, snapshot: Mapping[str, Any], query: Mapping[str, str]) -> str:
        return "<!doctype html>there is no such task"


def files() -> dict[str, tuple[bytes, str]]:
    return {"static/app.js": (b"// app\n" * 400, "text/javascript"), "embed/x.d.ts": (b"x", "a/b")}


class Visitor:
    """A Socket.IO client over a WebSocket (or what claims to be one)."""

    def __init__(self, line: aiohttp.ClientWebSocketResponse) -> None:
        self.line = line
        self.number = 0
        self.told: list[tuple[str, Any]] = []

    async def read(self) -> str:
        """The next Socket.IO packet; answers the heartbeat."""
        async with asyncio.timeout(PATIENCE):
            while True:
                said = await self.line.receive()
                if said.type is not aiohttp.WSMsgType.TEXT:
                    raise ConnectionError(f"ended: {said.type.name} {said.data}")
                if said.data == "2":
                    await self.line.send_str("3")
                elif said.data.startswith("4"):
                    return str(said.data[1:])

    async def event(self, name: str | None = None) -> Any:
        """The data of the next event (of this name)."""
        while True:
            packet = await self.read()
            assert packet[0] == "2", packet
            found, data = json.loads(packet[1:])
            self.told.append((found, data))
            if name is None or found == name:
                return data

    async def emit(self, name: str, *args: Any) -> None:
        await self.line.send_str("42" + json.dumps([name, *args]))

    async def ask(self, name: str, *args: Any) -> Any:
        """Emit with an acknowledgement; returns it. Events meanwhile are kept in `told`."""
        self.number += 1
        await self.line.send_str(f"42{self.number}" + json.dumps([name, *args]))
        while True:
            packet = await self.read()
            if packet.startswith(f"3{self.number}["):
                return json.loads(packet[len(str(self.number)) + 1 :])[0]
            if packet[0] == "2":
                found, data = json.loads(packet[1:])
                self.told.append((found, data))

    async def rpc(self, method: str, **params: Any) -> Any:
        return await self.ask("rpc", {"method": method, "params": params})

    def names(self) -> list[str]:
        return [name for name, _ in self.told]

    async def ended(self) -> None:
        """Wait until the bridge has ended the connection."""
        try:
            while True:
                await self.read()
        except ConnectionError:
            pass


class Bridged:
    """A house with a bridge, and its clients."""

    def __init__(self, place: Path, house: ApiHouse, settings: Bridge) -> None:
        self.house = house
        self.counts = Counts()
        self.opened = open_door(settings, place)
        self.site = OwnSite(
            house.api,
            house.methods,
            self.opened.token_file,
            page=FakePage(),
            counts=self.counts,
        )
        self.server = BridgeServer(self.site, settings, self.opened, files=files)
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self._lines: list[aiohttp.ClientWebSocketResponse] = []

    @property
    def fanout(self) -> Fanout:
        return self.site.fanout

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.opened.address.port}"

    @property
    def token(self) -> str:
        return self.opened.token_file.read_text().strip()

    @property
    def access(self) -> Access:
        return self.server.pages._access

    async def visit(
        self, auth: Any = None, *, trusted: bool = True, headers: Mapping[str, str] | None = None
    ) -> Visitor:
        """Connect a client; with the token unless not `trusted`."""
        line = await self.line(headers)
        given = {"token": self.token, **(auth or {})} if trusted else auth
        await line.send_str("40" + ("" if given is None else json.dumps(given)))
        visitor = Visitor(line)
        answer = await visitor.read()
        if not answer.startswith("0"):
            raise PermissionError(answer)
        return visitor

    async def line(self, headers: Mapping[str, str] | None = None) -> Any:
        url = f"{self.base}/socket.io/?EIO=4&transport=websocket"
        line = await self.connect(url, headers=headers, max_msg_size=0)
        opening = await line.receive()
        assert opening.data[0] == "0", opening
        return line

    async def connect(self, url: str, **how: Any) -> aiohttp.ClientWebSocketResponse:
        """Open a WebSocket that `leave` ends."""
        line: aiohttp.ClientWebSocketResponse = await self.http.ws_connect(url, **how)
        self._lines.append(line)
        return line

    async def leave(self) -> None:
        """Hang up for all, without a goodbye.

        The session's end alone leaves that to the garbage collector; where it comes upon a
        connection before the line that has it, aiohttp warns, in whichever test that is.
        """
        for line in self._lines:
            line._response.close()
        await self.http.close()

    async def add(self, task_id: str, **given: Any) -> None:
        """Register a task that reports."""
        await self.house.roster.register(definition(task_id, **{"type": "report", **given}))

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.http.get(self.base + path, headers=headers) as answer:
            return answer.status, await answer.text()


@asynccontextmanager
async def bridged(
    place: Path, settings: Bridge | None = None, store: MemoryStore | None = None
) -> AsyncIterator[Bridged]:
    """A bridge that runs, and is stopped in the end."""
    from kaspad_taskd.config.settings import DEFAULTS

    house = ApiHouse(place, DEFAULTS, store)
    house.start()
    built = Bridged(place, house, settings or Bridge(Address("127.0.0.1", 0)))
    try:
        await built.server.start()
        yield built
    finally:
        await built.leave()
        await built.server.stop("test")
        built.opened.close()
        await house.stop()


async def until(holds: Callable[[], Any], patience: float = PATIENCE) -> None:
    """Wait for what another turn of the loop will make true."""
    async with asyncio.timeout(patience):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.002)
