"""One connection: requests in, answers and events out, with the manners of both sides bounded.

At most 64 requests wait for their answer at once and at most 64 lines are begun in one turn of the
loop; what lies beyond stays in the kernel's buffers. Nothing is begun while the client takes no
answers, and one that takes nothing for 20 s is cut.
"""

from __future__ import annotations

import asyncio
import logging
import select
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias, cast

from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.incident import incident
from kaspad_taskd.api.method import Caller, Json
from kaspad_taskd.base import jsontext
from kaspad_taskd.rpc.answers import refusal, too_long
from kaspad_taskd.rpc.calls import IN_FLIGHT as IN_FLIGHT
from kaspad_taskd.rpc.calls import Pending
from kaspad_taskd.rpc.dispatch import Dispatcher
from kaspad_taskd.rpc.framing import Framer

PATIENCE: Final = 20.0
"""Seconds after which a client that takes nothing is cut (contract section 3)."""
FIRST_REQUEST: Final = 30.0
"""Seconds that a connection is kept on which nothing was asked yet."""
TURN: Final = 64
"""Lines begun, and events written, before others have their turn."""
TURN_BYTES: Final = 1 << 18
"""Bytes of answers written at once: beyond, the client has to take some first."""

Send: TypeAlias = Callable[[Sequence[Mapping[str, Json]]], Awaitable[None]]
"""Takes ready events `{seq, event, data}`, returns when the connection has room for more."""

log = logging.getLogger(__name__)

_request: ContextVar[asyncio.Task[None] | None] = ContextVar("request", default=None)


class Follower(Protocol):
    """Reads events for one subscription."""

    async def run(self, send: Send) -> None:
        """Send until cancelled; raises ApiError (gap) where it cannot go on."""


class Events(Protocol):
    """Opens subscriptions (the engine's side of `subscribe`)."""

    def open(self, after: int | None, tasks: Sequence[str] | None) -> tuple[Json, Follower]:
        """Return the answer `{seq, tasks}` and who sends what follows; raises ApiError (gap)."""


@dataclass(slots=True)
class Door:
    """What all connections share.

    Attributes:
        dispatcher: answers their lines.
        events: opens their subscriptions.
        peers: those that are open.
        requests: those being answered, some for clients who have gone.
    """

    dispatcher: Dispatcher
    events: Events
    peers: set[Peer] = field(default_factory=set)
    requests: set[asyncio.Task[None]] = field(default_factory=set)


def credentials(connection: socket.socket) -> tuple[int, int, int]:
    """Return pid, uid and gid of the process that connected (pid 0: one of another namespace)."""
    size = struct.calcsize("3I")
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    pid, uid, gid = struct.unpack("3I", raw)
    return pid, uid, gid


def _gone(connection: socket.socket) -> bool:
    """Whether the other side is closed altogether, not only done with asking."""
    poll = select.poll()
    poll.register(connection.fileno(), 0)
    return bool(poll.poll(0))


def _event_line(event: Mapping[str, Json]) -> bytes:
    return jsontext.dumps({"jsonrpc": "2.0", "method": "event", "params": event}) + b"\n"


@dataclass(slots=True, eq=False)
class _Held:
    """A long answer, for which all that comes after its moment is held.

    Attributes:
        after: another one, which goes out before it.
        over: whether it is out, or will never be.
    """

    after: _Held | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Peer(asyncio.Protocol):
    """One client; also the `Subscriber` that its requests name."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._loop = asyncio.get_running_loop()
        self._framer = Framer()
        self._lines: deque[bytes | None] = deque()
        self._out: list[bytes] = []
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._requests: dict[asyncio.Task[None], Pending] = {}
        self._in_flight = 0
        self._room = asyncio.Event()
        self._room.set()
        self._written = 0
        self._patience: asyncio.TimerHandle | None = None
        self._turn: asyncio.Handle | None = None
        self._flushing = False
        self._held: list[_Held] = []
        self._reading = True
        self._ended = False
        self._follower: asyncio.Task[None] | None = None

    # The connection, as asyncio tells it.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Learn who it is; one that asks nothing is not kept."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=0)
        self._socket: socket.socket = transport.get_extra_info("socket")
        pid, uid, gid = credentials(self._socket)
        self._caller = Caller("rpc", pid, uid, gid, self)
        self._door.peers.add(self)
        self._silent: asyncio.TimerHandle | None = self._loop.call_later(
            FIRST_REQUEST, self._transport.close
        )

    def data_received(self, data: bytes) -> None:
        """Begin what was asked, as far as there is room."""
        if self._silent is not None:
            self._silent.cancel()
            self._silent = None
        if not self._ended:
            self._lines.extend(self._framer.feed(data))
            self._pump()

    def eof_received(self) -> bool:
        """Answer what was asked by one who only asks no more; forget one who has gone."""
        self._lines.extend(self._framer.end())
        self._ended = True
        self._stop_following()
        if _gone(self._socket):
            self._forget()
        self._pump()
        return True

    def connection_lost(self, _cause: Exception | None) -> None:
        """Let go of all but the changes under way: they are made, only their answers are lost."""
        self._door.peers.discard(self)
        if self._silent is not None:
            self._silent.cancel()
        self._ended = True
        self._lines.clear()
        self._stop_following()
        self._forget()
        self._room.set()
        if self._patience is not None:
            self._patience.cancel()

    def _forget(self) -> None:
        for task, pending in self._requests.items():
            if not pending.changes:
                task.cancel()

    # Requests.

    def _pump(self) -> None:
        """Begin waiting lines until there is no room, or others must have their turn."""
        lines, out, caller = self._lines, self._out, self._caller
        answer, turn, size, room = self._door.dispatcher.answer, TURN, 0, self._may_begin()
        while lines and room and turn and size < TURN_BYTES:
            line = lines.popleft()
            turn -= 1
            reply = too_long() if line is None else answer(line, caller)
            if isinstance(reply, bytes):
                size += len(reply)
                out.append(reply)
            else:
                self._wait_for(reply)
                room = self._may_begin()
        if out:
            self._flush()
        if lines or self._ended or not self._reading:
            self._after_pump()

    def _may_begin(self) -> bool:
        return self._in_flight < IN_FLIGHT and self._patience is None and not self._held

    def _after_pump(self) -> None:
        """Read on when nothing waits; take another turn, or leave that to what makes room."""
        if self._ended:
            if not (self._lines or self._in_flight or self._follower):
                self._transport.close()
        elif bool(self._lines) is self._reading:
            self._reading = not self._reading
            (self._transport.resume_reading if self._reading else self._transport.pause_reading)()
        if self._lines and self._may_begin() and self._turn is None:
            self._turn = self._loop.call_soon(self._next_turn)

    def _next_turn(self) -> None:
        self._turn = None
        self._pump()

    def _wait_for(self, pending: Pending) -> None:
        self._in_flight += pending.weight
        task = self._loop.create_task(self._serve(pending))
        self._requests[task] = pending
        self._door.requests.add(task)
        task.add_done_callback(self._served)

    async def _serve(self, pending: Pending) -> None:
        token = _request.set(asyncio.current_task())
        held = _Held()  # nothing is, unless the answer is long
        try:
            pieces = await pending.pieces(self._slots, lambda: self._hold(held))
            if held in self._held:
                await self._write_long(held, pieces)
            else:
                self._put(b"".join(pieces))
        finally:
            self._let_go(held)
            _request.reset(token)  # else the task, which has its context, would keep itself

    def _served(self, task: asyncio.Task[None]) -> None:
        pending = self._requests.pop(task)
        pending.close()
        self._door.requests.discard(task)
        self._in_flight -= pending.weight
        if self._lines or self._ended:
            self._pump()

    # What goes out.

    def _hold(self, held: _Held) -> None:
        """Keep the place of an answer that is of this moment and still to be written.

        Nothing goes out until it has: what is told from here on follows it.
        """
        if held not in self._held:
            self._flush()
            held.after = self._held[-1] if self._held else None
            self._held.append(held)

    async def _write_long(self, held: _Held, pieces: Sequence[bytes]) -> None:
        """Write an answer that others are held for, as fast as it is taken."""
        if held.after is not None:
            await held.after.over.wait()
        for piece in pieces:
            await self._room.wait()
            if self._transport.is_closing():
                return
            self._written += len(piece)
            self._transport.write(piece)

    def _let_go(self, held: _Held) -> None:
        """Let go out what was held for an answer, as far as it is for no other one."""
        if held in self._held:
            self._held.remove(held)
            held.over.set()
            if not self._held:
                self._flush()

    def _put(self, line: bytes) -> None:
        """Write a line together with all others of this turn of the loop."""
        self._out.append(line)
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self._held:
            return
        data = b"".join(self._out)
        self._out.clear()
        if data and not self._transport.is_closing():
            self._written += len(data)
            self._transport.write(data)

    def pause_writing(self) -> None:
        """Begin nothing more until the client has taken what there is; wait 20 s for a sign."""
        self._room.clear()
        self._wait_for_taking()

    def resume_writing(self) -> None:
        """Go on."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        self._room.set()
        self._pump()

    def _taken(self) -> int:
        return self._written - self._transport.get_write_buffer_size()

    def _wait_for_taking(self) -> None:
        self._patience = self._loop.call_later(PATIENCE, self._taking, self._taken())

    def _taking(self, before: int) -> None:
        if self._taken() > before:
            self._wait_for_taking()
        else:
            log.warning("%s cut: it took nothing for %d s", self._caller, PATIENCE)
            self._transport.abort()

    # Events.

    async def subscribe(self, after: int | None, tasks: Sequence[str] | None) -> Json:
        """Send events once this has been answered; raises ApiError (gap, conflict)."""
        if self._follower is not None:
            message = "this connection has a subscription: unsubscribe first, or open another"
            raise ApiError.of("conflict", message)
        result, follower = self._door.events.open(after, tasks)
        self._follower = self._loop.create_task(self._follow(follower, _request.get()))
        return result

    def unsubscribe(self) -> bool:
        """Send events no more; returns whether any were sent before."""
        return self._stop_following()

    def _stop_following(self) -> bool:
        follower, self._follower = self._follower, None
        return follower is not None and follower.cancel()

    async def _follow(self, follower: Follower, request: asyncio.Task[None] | None) -> None:
        """Send events after the answer to `request`; one who cannot be told all is told to go."""
        if request is not None:
            await asyncio.wait([request])
        try:
            await follower.run(self._send)
        except ApiError as error:
            self._put(refusal(error))
        except Exception:
            self._put(refusal(incident("the events", self._caller)))
        self.finish()
        self.close()

    async def _send(self, events: Sequence[Mapping[str, Json]]) -> None:
        for start in range(0, len(events), TURN):
            while self._held:
                await self._held[-1].over.wait()
            await self._room.wait()
            self._out += [_event_line(event) for event in events[start : start + TURN]]
            self._flush()
            if len(events) >= TURN:
                await asyncio.sleep(0)  # where there is room, nothing else here lets others in
        await self._room.wait()

    # The end, as the server asks for it.

    @property
    def quiet(self) -> bool:
        """Whether nothing is being answered or written."""
        return not (self._in_flight or self._out or self._transport.get_write_buffer_size())

    @property
    def written(self) -> int:
        """Bytes of answers and events so far."""
        return self._written

    def finish(self) -> None:
        """Begin nothing more: what is not begun, half a request too, is dropped."""
        self._lines.clear()
        if not self._ended:
            self._ended = True
            self._transport.pause_reading()

    def close(self) -> None:
        """Close when what is written has been taken."""
        self._flush()
        self._stop_following()
        self._transport.close()

    def abort(self) -> None:
        """Close now."""
        self._transport.abort()
