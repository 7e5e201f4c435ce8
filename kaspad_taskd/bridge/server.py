"""Door 2, for browsers: listens, lets in, serves, stops in under a second."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from aiohttp import web

from kaspad_taskd.base.accepting import Acceptor
from kaspad_taskd.base.places import Places
from kaspad_taskd.bridge.access import Access
from kaspad_taskd.bridge.browsers import Browsers
from kaspad_taskd.bridge.http import FULL, RequestLog, lenient, peer_of, whole_in_time
from kaspad_taskd.bridge.listening import Opened
from kaspad_taskd.bridge.pages import CONNECTIONS, Files, Pages
from kaspad_taskd.bridge.site import Site
from kaspad_taskd.bridge.sockets import Sockets
from kaspad_taskd.config.settings import Bridge

Json: TypeAlias = Any

SWEEP_S: Final = 5.0
"""Seconds between two looks for those who are too far behind."""
FIRST_REQUEST_S: Final = 15.0
"""Seconds that a connection may be open without a whole request: its line and its headers."""
IDLE_S: Final = 20.0
"""Seconds that a connection is kept between two requests; a proxy opens another."""
GOODBYE_S: Final = 0.4
"""Seconds that clients have, at a stop, to take what they are told."""

log = logging.getLogger(__name__)


class BridgeServer:
    """The bridge.

    Args:
        site: what it serves.
        settings: its settings.
        opened: where it listens, and its token.
        files: what pages load, by path.
        limit: connections of one address; of all there are some more.

    Attributes:
        site: as given.
        browsers: who is in.
        pages: answers requests.
        sockets: carries what is told.
    """

    def __init__(
        self,
        site: Site,
        settings: Bridge,
        opened: Opened,
        *,
        files: Files,
        limit: int = CONNECTIONS,
    ) -> None:
        self.site = site
        self._settings = settings
        self._opened = opened
        self._files = files
        self._places = Places(limit)
        self._listeners: list[Acceptor] = []
        self._rooms: list[asyncio.Task[None]] = []
        self._refusing = False
        self._unused: dict[asyncio.BaseProtocol, asyncio.TimerHandle] = {}

    # -- the life of it

    async def start(self) -> None:
        """Serve who connects."""
        access = Access(self._settings, self._opened.keys, time.time)
        self._opened.keys.on_end = [self._lock_out]
        self._build(access, f"kaspad-taskd-{self._opened.address.port}")
        await self._runner.setup()
        server: Any = self._runner.server
        server.request_factory = lenient(server.request_factory)
        loop = asyncio.get_running_loop()
        self._listeners = [
            Acceptor(
                each, self._places, peer_of, self._connection, lambda _: FULL,
                name="the bridge", gone=self._used,
            )
            for each in self._opened.sockets
        ]  # fmt: skip
        self._rooms = [
            loop.create_task(self.site.run(self._cut_all)),
            loop.create_task(self._sweep()),
        ]
        log.info("the bridge is at %s", self._opened.url)

    def _build(self, access: Access, session: str) -> None:
        self.browsers = Browsers(access, self.site.topic, session)
        self.sockets = Sockets(
            self.browsers, access.is_own, lambda each: access.address(each.remote, each.headers)
        )
        self.pages = Pages(
            self.site,
            access,
            self._files,
            session=session,
            browsers=self.browsers,
            sockets=self.sockets,
        )
        app = web.Application(client_max_size=1 << 14, middlewares=[self._guard])
        self.pages.attach(app)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            logger=RequestLog(),
            keepalive_timeout=IDLE_S,
        )

    def _connection(self) -> asyncio.Protocol:
        """Make a connection's protocol; one that asks nothing is closed."""
        server = self._runner.server
        assert server is not None
        made = server()
        loop = asyncio.get_running_loop()
        self._unused[made] = loop.call_later(FIRST_REQUEST_S, self._close_unused, made)
        return made

    def _close_unused(self, protocol: Any) -> None:
        if protocol in self._unused and protocol.transport is not None:
            protocol.transport.abort()
        self._used(protocol)

    def _used(self, protocol: asyncio.BaseProtocol) -> None:
        """Wait no more for its first request: it has come, or it is gone and keeps no memory."""
        timer = self._unused.pop(protocol, None)
        if timer is not None:
            timer.cancel()

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Any]
    ) -> web.StreamResponse:
        self._used(request.protocol)
        if self._refusing and "sid" not in request.query:
            return web.Response(status=503, text="kaspad-taskd is stopping\n")
        with whole_in_time(request):
            return await self.pages.guard(request, handler)

    def _cut_all(self, why: str) -> None:
        for eio_sid in list(self.sockets.eio.sockets):
            self.sockets.cut(eio_sid, why)

    def _lock_out(self) -> None:
        for sid in self.browsers.locked():
            self.sockets.cut_client(sid, "it was locked")

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self.sockets.sweep()
            self.site.forget()
            with contextlib.suppress(OSError):  # it was said when it happened
                await self._opened.keys.save(again=True)

    # -- stop

    def refuse(self) -> None:
        """Let nobody in any more; who is in and polls may still come for what is told."""
        self._refusing = True
        self.sockets.refuse()

    async def stop(self, reason: str) -> None:
        """Say goodbye, let everybody take it for a moment, close."""
        if not self._listeners:
            return
        self.refuse()
        self.site.all("server:stopping", {"reason": reason})
        until = time.monotonic() + GOODBYE_S
        await self.browsers.finish(GOODBYE_S / 2)
        await self.sockets.drained(until - time.monotonic())
        while self._listeners:
            self._listeners.pop().close()
        self.site.close()
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
