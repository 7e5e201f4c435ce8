"""python-socketio as we use it: its traps closed, its client manager ours.

What each override is for stands at it; facts that hold for python-socketio 5.16 to 5.18 and
python-engineio 4.13 to 4.15. What is below the events is in engine_io.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Final, Protocol, TypeAlias

from aiohttp import web

from kaspad_taskd.api.errors import CODES
from kaspad_taskd.base.sparing import Sparing
from kaspad_taskd.bridge.engine_io import MESSAGE_BYTES, PACKETS, Engine, Line, translate
from kaspad_taskd.bridge.lean import NotLetIn, Payload, driver, socketio
from kaspad_taskd.bridge.outbox import Outbox
from kaspad_taskd.bridge.packets import JsonModule, Malformed, StrictPacket, acknowledgement
from kaspad_taskd.bridge.refused import Refused

Json: TypeAlias = Any
Answer: TypeAlias = Callable[[Json], None]
"""Acknowledges an event."""

COMPLAIN_EVERY: Final = 60.0
"""Seconds between two lines in the log about clients that speak nonsense."""
AT_ONCE_S: Final = 0.25
"""Seconds that a line is held up for the answer to a client that wants in; then it goes on."""

STOPPING: Final = "kaspad-taskd is stopping"
HANDED_S: Final = 0.02
"""Seconds from what a poll took to its place on the line."""

_log = logging.getLogger(__name__)
_quiet = logging.getLogger(f"{__name__}.socketio")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False  # the libraries log a traceback for each malformed packet


class Hooks(Protocol):
    """What happens on the connections."""

    async def entering(
        self, sid: str, headers: Mapping[str, str], address: str, auth: Json
    ) -> None:
        """A client wants in; raises Refused. It may take a minute."""

    def joined(self, sid: str, outbox: Outbox) -> None:
        """It was told that it is in."""

    async def asked(self, sid: str, name: str, args: list[Json], answer: Answer | None) -> None:
        """It sent an event; `answer` acknowledges, where it asked for that."""

    def left(self, sid: str) -> None:
        """It is gone."""


class Clients(socketio.AsyncManager):  # type: ignore[misc]
    """The client manager, python-socketio's point of extension: it says when a client is in."""

    def __init__(self) -> None:
        super().__init__()
        self.joined: Callable[[str], None] = lambda _sid: None

    async def connect(self, sid: str, namespace: str) -> str:
        """Take note of a client that has been told that it is connected."""
        known: str = await super().connect(sid, namespace)
        self.joined(known)
        return known


class Sockets(socketio.AsyncServer):  # type: ignore[misc]
    """All Socket.IO connections.

    Args:
        hooks: what happens on them.
        is_own: whether an origin, sent with these headers, may connect. (The library takes an
            empty list for "no check".)
        address: where a request comes from.
    """

    def __init__(
        self,
        hooks: Hooks,
        is_own: Callable[[str, Mapping[str, str]], bool],
        address: Callable[[web.Request], str],
    ) -> None:
        self._hooks = hooks
        self._address = address
        self._knocking: dict[str, asyncio.Task[None]] = {}
        self._complained = float("-inf")
        self._sparing = Sparing()
        clients = Clients()
        clients.joined = self._joined
        Payload.max_decode_packets = PACKETS  # 16: a browser that polls would lose the rest
        super().__init__(
            client_manager=clients,
            serializer=StrictPacket,
            json=JsonModule,
            async_mode="aiohttp",
            async_handlers=False,  # a flood is held back, not made into tasks
            max_http_buffer_size=MESSAGE_BYTES,
            http_compression=False,
            cors_allowed_origins=lambda origin, environ: (
                origin is None or is_own(origin, environ["aiohttp.request"].headers)
            ),
            logger=_quiet,
            engineio_logger=_quiet,
        )
        self.eio._async = {**driver._async, "websocket": Line, "translate_request": translate}
        self.on("connect", self._entering)
        self.on("disconnect", self._left)

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    # -- coming and going

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: Json) -> None:
        """Let a client in beside its line, whose heartbeat goes on while the answer is due."""
        if eio_sid in self._knocking:
            raise Malformed
        entering = super()._handle_connect(eio_sid, namespace, data)
        task = asyncio.get_running_loop().create_task(entering)
        self._knocking[eio_sid] = task
        task.add_done_callback(lambda done: self._entered(eio_sid, done))
        await asyncio.wait([task], timeout=AT_ONCE_S)

    def _entered(self, eio_sid: str, task: asyncio.Task[None]) -> None:
        del self._knocking[eio_sid]
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            self._complain(fault)
            self.cut(eio_sid, "it sent a malformed packet")

    async def _entering(self, sid: str, environ: Mapping[str, Any], auth: Json = None) -> None:
        try:
            await self._hooks.entering(sid, environ["headers"], environ["address"], auth)
        except Refused as refused:
            said = {"reason": "forbidden", "code": CODES["forbidden"]}
            if refused.retry_after is not None:
                said = {"reason": "busy", "code": CODES["busy"], "retryAfter": refused.retry_after}
            raise NotLetIn(refused.sentence, said) from None
        except asyncio.CancelledError:  # the library would take it for a yes
            raise NotLetIn(STOPPING) from None
        end = self._end_of(sid)
        if end is None or end.closed:  # it went while it waited: the library would keep it for ever
            self._hooks.left(sid)
            raise NotLetIn(STOPPING)

    def _left(self, sid: str, _reason: str) -> None:
        self._hooks.left(sid)

    def _joined(self, sid: str) -> None:
        end = self._end_of(sid)
        if end is not None:
            self._hooks.joined(sid, end.queue)

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        end = self.eio.sockets[eio_sid]
        end.queue.upgraded = lambda: end.upgraded
        end.queue.lost = lambda: self.cut(eio_sid, "it is too far behind")
        end.session["since"] = monotonic()
        request: web.Request = environ["aiohttp.request"]
        knock = {"headers": request.headers, "address": self._address(request)}
        await super()._handle_eio_connect(eio_sid, knock)  # the whole request would be kept

    def _end_of(self, sid: str) -> Any:
        return self.eio.sockets.get(self.manager.eio_sid_from_sid(sid, "/"))

    def cut(self, eio_sid: str, why: str) -> None:
        """End a connection now; a client of ours connects anew."""
        end = self.eio.sockets.get(eio_sid)
        if end is None or end.closing or end.session.get("cut"):
            return
        end.session["cut"] = end.queue.ended = True
        if self._sparing.may(why) is not None:
            _log.info("a browser is cut: %s", why)
        if end.queue.transport is not None:
            end.queue.transport.abort()
        self.start_background_task(self._close, end)

    def cut_client(self, sid: str, why: str) -> None:
        """End the connection of a client that is in."""
        self.cut(self.manager.eio_sid_from_sid(sid, "/"), why)

    async def _close(self, end: Any) -> None:
        await end.close(wait=False, abort=True)
        end.queue.put_nowait(None)  # a poll that waits ends with it
        self.eio.sockets.pop(end.sid, None)

    def sweep(self) -> None:
        """Cut whoever is 20 s behind, or has not said for 20 s what it wants."""
        now = monotonic()
        for eio_sid, end in list(self.eio.sockets.items()):
            if end.queue.overdue():
                self.cut(eio_sid, "it has taken nothing for 20 s")
            elif now - end.session.get("since", now) > 20 and not self._is_in(eio_sid):
                self.cut(eio_sid, "it never connected")

    def _is_in(self, eio_sid: str) -> bool:
        return self.manager.sid_from_eio_sid(eio_sid, "/") is not None

    # -- what they say

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """Serve a request to Socket.IO; one that brings no packets ends its connection.

        Raises:
            web.HTTPException: too long, or no packets.
        """
        try:
            response: object = await super().handle_request(request)
            if not isinstance(response, web.StreamResponse):  # of half an upgrade: its packets
                raise web.HTTPBadRequest(text="neither a poll nor a WebSocket")
        except web.HTTPException:
            self.cut(request.query.get("sid", ""), "it sent a malformed request")
            raise
        except KeyError:  # the library's way to say that this session has just ended
            if request.query.get("sid") in self.eio.sockets:
                raise
            raise web.HTTPBadRequest(text="that session has ended") from None
        return response

    async def _handle_eio_message(self, eio_sid: str, data: Json) -> None:
        """Take a packet; the first one that is malformed ends its connection."""
        try:
            await super()._handle_eio_message(eio_sid, data)
        except Exception as fault:  # from the libraries' reading: ours answers by itself
            self._complain(fault)
            self.cut(eio_sid, "it sent a malformed packet")

    def _complain(self, fault: BaseException) -> None:
        now = monotonic()
        if now - self._complained >= COMPLAIN_EVERY:
            self._complained = now
            kind = type(fault).__name__
            _log.warning("a client sends what is no Socket.IO (%s); it is cut", kind)

    async def _handle_event(
        self, eio_sid: str, namespace: str | None, number: int | None, data: list[Json]
    ) -> None:
        sid = self.manager.sid_from_eio_sid(eio_sid, namespace or "/")
        if sid is None or not self.manager.is_connected(sid, namespace or "/"):
            raise Malformed
        outbox: Outbox = self.eio.sockets[eio_sid].queue

        def answer(value: Json) -> None:
            assert number is not None
            outbox.answer_all([acknowledgement(number, value)])

        await self._hooks.asked(sid, data[0], data[1:], None if number is None else answer)

    # -- the end

    def refuse(self) -> None:
        """Let nobody in who still waits for it."""
        for task in list(self._knocking.values()):
            task.cancel()

    @property
    def connections(self) -> int:
        """Connections now, joined or not."""
        return len(self.eio.sockets)

    async def drained(self, deadline: float) -> None:
        """Wait until everybody has taken everything, for `deadline` seconds at most."""
        until = monotonic() + deadline
        while monotonic() < until:
            await asyncio.sleep(HANDED_S)
            if not any(end.queue.behind for end in self.eio.sockets.values()):
                break
        await asyncio.sleep(HANDED_S)
