"""A door with methods of every pace, and a client that speaks to it line by line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.method import Caller, Json, Method, Param
from kaspad_taskd.rpc.peer import Send
from kaspad_taskd.rpc.server import RpcServer
from tests.fakes.patience import PATIENCE

ANY = Param("value", {}, lambda value: value, required=False)


class Feed:
    """A follower's source: events put into it reach every open subscription."""

    def __init__(self) -> None:
        self.events: list[Mapping[str, Json]] = []
        self.news = asyncio.Event()
        self.running = 0
        self.sent = 0
        self.fault: Exception | None = None

    def open(self, after: int | None, tasks: Sequence[str] | None) -> tuple[Json, Cursor]:
        if after is not None and after > len(self.events):
            raise ApiError.of("gap", "beyond the last", oldest=1)
        at = len(self.events) if after is None else after
        return {"seq": at, "tasks": tasks or []}, Cursor(self, at)

    def tell(self, count: int, data: Json = None) -> None:
        for _ in range(count):
            seq = len(self.events) + 1
            self.events.append({"seq": seq, "event": "sync:health", "data": data})
        self.wake()

    def wake(self) -> None:
        self.news.set()
        self.news = asyncio.Event()


class Cursor:
    """One subscription of a Feed."""

    def __init__(self, feed: Feed, at: int) -> None:
        self.feed = feed
        self.at = at

    async def run(self, send: Send) -> None:
        self.feed.running += 1
        try:
            while True:
                if self.feed.fault is not None:
                    raise self.feed.fault
                news, batch = self.feed.news, self.feed.events[self.at : self.at + 100]
                if not batch:
                    await news.wait()
                    continue
                await send(batch)
                self.at += len(batch)
                self.feed.sent = max(self.feed.sent, self.at)
        finally:
            self.feed.running -= 1


class House:
    """A server with its feed, what its methods saw, and the clients who came."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.path = path
        self.feed = Feed()
        self.gate = asyncio.Event()
        self.running = self.most = self.ended = self.inline = 0
        self.callers: list[Caller] = []
        self.clients: list[Client] = []
        self.methods = {
            method.name: method
            for method in (
                Method("echo", "", self._echo, (ANY,)),
                Method("big", "", lambda _, bound: "x" * bound["value"], (ANY,)),
                Method("hold", "", self._hold),
                Method("changeHeld", "", self._hold, changes=True),
                Method("subscribe", "", self._subscribe, (ANY,)),
                Method("unsubscribe", "", self._unsubscribe),
            )
        }
        self.server = RpcServer(self.methods, self.feed, path=path, **options)

    def _echo(self, caller: Caller, bound: dict[str, Any]) -> Json:
        self.inline += 1
        self.callers.append(caller)
        return bound["value"]

    async def _hold(self, *_: Any) -> str:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.gate.wait()
            self.ended += 1
        finally:
            self.running -= 1
        return "held"

    def _subscribe(self, caller: Caller, bound: dict[str, Any]) -> Any:
        assert caller.subscriber is not None
        return caller.subscriber.subscribe(bound["value"], None)

    def _unsubscribe(self, caller: Caller, _: object) -> bool:
        assert caller.subscriber is not None
        return caller.subscriber.unsubscribe()

    async def __aenter__(self) -> House:
        await self.server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.stop()
        for client in self.clients:
            client.writer.transport.abort()
        await asyncio.sleep(0)

    async def client(self) -> Client:
        reader, writer = await asyncio.open_unix_connection(self.path, limit=1 << 22)
        client = Client(reader, writer)
        self.clients.append(client)
        return client


class Client:
    """One connection; closed with the house at the latest."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def ask(self, method: str, *params: Any, **more: Any) -> None:
        request = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1, **more}
        self.write(json.dumps(request).encode() + b"\n")

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    async def read(self) -> Any:
        line = await asyncio.wait_for(self.reader.readline(), PATIENCE)
        return json.loads(line) if line else None

    async def call(self, method: str, *params: Any) -> Any:
        self.ask(method, *params)
        return (await self.read())["result"]

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except OSError:
            pass


async def until(condition: Any) -> None:
    """Wait for what another turn of the loop, or another process, will make true."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
