"""Door 2, for browsers: listens, lets in, serves, stops in under a second."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from aiohttp import web

from kaspad_taskd.api.context import Api
from kaspad_taskd.api.method import Method
from kaspad_taskd.bridge import metrics
from kaspad_taskd.bridge.access import Access, read_token
from kaspad_taskd.bridge.browsers import Browsers
from kaspad_taskd.bridge.calls import Calls
from kaspad_taskd.bridge.counts import Counts
from kaspad_taskd.bridge.fanout import Fanout
from kaspad_taskd.bridge.opening import CannotOpenError
from kaspad_taskd.bridge.pages import Files, Page, Pages
from kaspad_taskd.bridge.sockets import Sockets
from kaspad_taskd.clock import iso
from kaspad_taskd.config.settings import Address, Bridge
from kaspad_taskd.version import __version__

Json: TypeAlias = Any

BACKLOG: Final = 1024
SEND_BUFFER: Final = 1 << 18
"""Bytes that the kernel keeps for a client: what lies there is not counted as its arrears."""
SWEEP_S: Final = 5.0
"""Seconds between two looks for those who are too far behind."""
FIRST_REQUEST_S: Final = 20.0
"""Seconds that a connection may be open without a request."""
GOODBYE_S: Final = 0.4
"""Seconds that clients have, at a stop, to take what they are told."""

log = logging.getLogger(__name__)


def listen(address: Address) -> list[socket.socket]:
    """Return sockets that listen on all addresses of a host.

    Raises:
        CannotOpenError: the name is unknown, the port taken or not ours.
    """
    made: list[socket.socket] = []
    try:
        port = address.port or 0
        for place in _resolved(address.host, port):
            family, where = place
            made.append(_listening(family, (where[0], port, *where[2:])))
            port = port or made[0].getsockname()[1]
    except OSError as fault:
        for each in made:
            each.close()
        raise CannotOpenError(_sentence(address, fault)) from fault
    return made


def _resolved(host: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, where) for family, _, _, _, where in found))


def _listening(family: int, where: tuple[Any, ...]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(where)
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def _sentence(address: Address, fault: OSError) -> str:
    text = f"the bridge cannot listen on {address}: {fault.strerror or fault}"
    if fault.errno == errno.EADDRINUSE:
        how = f"see who has it (ss -ltnp 'sport = :{address.port}')"
        return f"{text}: {how}, or choose another: listen in [bridge], or --bridge HOST:PORT"
    return f"{text}: choose another: listen in [bridge], or --bridge HOST:PORT"


class BridgeServer:
    """The bridge.

    Args:
        api: what it shows.
        methods: the API's methods by name.
        settings: its settings; `listen` is where.
        state: the directory of the state, where a token is made.
        page: renders the pages.
        files: what pages load, by path.
        counts: for the metrics.
    """

    def __init__(
        self,
        api: Api,
        methods: Mapping[str, Method],
        settings: Bridge,
        *,
        state: Path,
        page: Page,
        files: Files,
        counts: Counts,
    ) -> None:
        assert settings.listen is not None
        self._api = api
        self._methods = methods
        self._settings = settings
        self._address = settings.listen
        self._state = state
        self._page = page
        self._files = files
        self._counts = counts
        self._host = socket.gethostname()
        self._listeners: list[asyncio.Server] = []
        self._rooms: list[asyncio.Task[None]] = []
        self._refusing = False
        self._unused: set[asyncio.BaseProtocol] = set()

    # -- what others may know

    @property
    def url(self) -> str:
        """Where the page is."""
        host = self._address.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self._address.port}/"

    def info(self) -> dict[str, Json]:
        """What `getInfo` answers of the bridge."""
        return {
            "address": str(self._address),
            "url": self.url,
            "clients": len(self.browsers),
            "tokenFile": str(self.token_file),
            "origins": list(self._settings.origins),
            "hosts": list(self._settings.hosts),
        }

    # -- the life of it

    async def start(self) -> None:
        """Listen.

        Raises:
            CannotOpenError: with what to do about it.
        """
        token, self.token_file = await asyncio.to_thread(
            read_token, self._settings.token_file, self._state
        )
        sockets = await asyncio.to_thread(listen, self._address)
        self._address = Address(self._address.host, sockets[0].getsockname()[1])
        access = Access(self._settings, token, time.time, time.monotonic)
        self._build(access, f"kaspad-taskd-{self._address.port}")
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        for each in sockets:
            server = await loop.create_server(self._connection, sock=each, backlog=BACKLOG)
            self._listeners.append(server)
        self._rooms = [loop.create_task(self.fanout.run()), loop.create_task(self._sweep())]
        log.info("the bridge is at %s", self.url)

    def _build(self, access: Access, session: str) -> None:
        self.fanout = Fanout(self._api, self._cut_all)
        calls = Calls(self._methods)
        self.browsers = Browsers(access, calls, self.fanout, self._hello, session)
        self.sockets = Sockets(self.browsers, access.is_own)
        self.pages = Pages(
            self._api,
            access,
            self._page,
            self._files,
            session=session,
            snapshot=self._snapshot,
            openrpc=self._methods["rpc.discover"],
            families=lambda: metrics.families(
                self._api, self._counts, self.fanout, len(self.browsers)
            ),
            sockets=self.sockets,
        )
        app = web.Application(client_max_size=1 << 14, middlewares=[self._guard])
        self.pages.attach(app)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)

    def _connection(self) -> asyncio.Protocol:
        """Make a connection's protocol; one that asks nothing is closed."""
        server = self._runner.server
        assert server is not None
        made = server()
        self._unused.add(made)
        asyncio.get_running_loop().call_later(FIRST_REQUEST_S, self._close_unused, made)
        return made

    def _close_unused(self, protocol: Any) -> None:
        if protocol in self._unused and protocol.transport is not None:
            protocol.transport.abort()
        self._unused.discard(protocol)

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Any]
    ) -> web.StreamResponse:
        self._unused.discard(request.protocol)
        if self._refusing and "sid" not in request.query:
            return web.Response(status=503, text="kaspad-taskd is stopping\n")
        return await self.pages.guard(request, handler)

    def _hello(self) -> dict[str, Json]:
        return {
            "serverTime": iso(self._api.engine.now()),
            "host": self._host,
            "version": __version__,
        }

    def _snapshot(self) -> dict[str, Json]:
        return {**self._hello(), "tokenFile": str(self.token_file)}

    def _cut_all(self, why: str) -> None:
        for eio_sid in list(self.sockets.eio.sockets):
            self.sockets.cut(eio_sid, why)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self.sockets.sweep()
            self.fanout.forget()

    # -- stop

    def refuse(self) -> None:
        """Let nobody in any more; who is in and polls may still come for what is told."""
        self._refusing = True

    async def stop(self, reason: str) -> None:
        """Say goodbye, let everybody take it for a moment, close."""
        if not self._listeners:
            return
        self.refuse()
        self.fanout.all("server:stopping", {"reason": reason})
        until = time.monotonic() + GOODBYE_S
        await self.browsers.finish(GOODBYE_S / 2)
        await self.sockets.drained(until - time.monotonic())
        while self._listeners:
            self._listeners.pop().close()
        for room in self._rooms:
            room.cancel()
        await asyncio.gather(*self._rooms, return_exceptions=True)
        await self.sockets.shutdown()
        server = self._runner.server
        for protocol in list(server.connections) if server is not None else ():
            if protocol.transport is not None:  # cleanup alone waits for minutes
                protocol.transport.abort()
        await asyncio.sleep(0)
        with contextlib.suppress(asyncio.TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await self._runner.cleanup()
