"""An HTTP server that answers as a test wants, badly too, over real sockets."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from tests.fakes.bridged import free_port


@dataclass
class Reply:
    """An answer: a body (JSON unless bytes), and how it comes.

    `way`: "" whole, "drip" a byte now and then, "hang" nothing, "cut" half of it, "close" nothing
    and the end, "raw" the body instead of a whole answer.
    """

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    way: str = ""

    def encoded(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Request:
    """What came in."""

    path: str
    headers: dict[str, str]
    method: str = "GET"
    body: bytes = b""


Script = Reply | Callable[[Request], Reply]


class Website:
    """`async with Website({"/path": Reply(...)}) as site`: site.url, site.replies.

    `asked` and `connections` record what came in. Unknown paths are 404.
    """

    def __init__(
        self,
        replies: dict[str, Script] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.replies: dict[str, Script] = replies or {}
        self.asked: list[Request] = []
        self.connections = 0
        self.host, self.port, self.tls = host, port, tls
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    async def start(self) -> None:
        self.port = self.port or free_port(self.host)
        self._gone = False
        self._server = await asyncio.start_server(self._serve, self.host, self.port, ssl=self.tls)

    async def stop(self) -> None:
        """Go as a killed program does; the port stays known, so that it can start again."""
        self._gone = True
        self._server.close()
        self.drop()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def drop(self) -> None:
        """End every connection."""
        for writer in self._open:
            writer.transport.abort()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._gone:  # it was just being let in
            writer.transport.abort()
            return
        self.connections += 1
        self._open.add(writer)
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while await self._answer(await _request(reader), writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            self._serving.discard(task)
            writer.transport.abort()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        self.asked.append(request)
        script = self.replies.get(request.path, Reply({"error": "none"}, 404))
        reply = script(request) if callable(script) else script
        if reply.way == "hang":
            await asyncio.Event().wait()
        if reply.way == "close":
            return False
        body = reply.encoded()
        if reply.way == "raw":
            writer.write(body)
            await writer.drain()
            writer.write_eof()
            return False
        headers = {
            "Content-Type": "application/json", "Content-Length": str(len(body)), **reply.headers
        }  # fmt: skip
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {reply.status} X\r\n{head}\r\n".encode())
        if reply.way == "drip":
            for byte in body:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.2)
        writer.write(body[: len(body) // 2] if reply.way == "cut" else body)
        await writer.drain()
        return reply.way != "cut"


async def _request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, path, *_ = head[0].split()
    return Request(path, headers, method, body)
