"""A listening socket whose connections are counted from accept on, as asyncio's own are not.

asyncio accepts as many as wait before anybody can count them, and logs a traceback for each that
it has no file for. Here a turn of the loop takes a few, each takes a place or is refused with a
word, and a lack of files is a pause and one line a minute.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Hashable
from typing import Final, TypeAlias

from kaspad_taskd.base.descriptors import NO_MORE, Spare, is_own_limit
from kaspad_taskd.base.places import Places
from kaspad_taskd.base.sparing import Sparing

TURN: Final = 32
"""Connections that are taken before others have their turn."""
PAUSE: Final = 0.2
"""Seconds without accepting after there was no file for a connection."""
LINGER: Final = 1.0
"""Seconds that who is refused has to take the word."""
READ: Final = 1 << 14
"""Bytes that are read from a connection at once. asyncio asks for 256 KiB each time; Python takes
room for all of it and gives back what did not come, and whatever outlives that stays in its midst:
400,000 requests grew the process by 35 MB of holes that were too small for the next 256 KiB."""
LINGERING: Final = 8
"""Refused ones that are waited for at once; more of them are closed as they are."""

Peer: TypeAlias = Hashable

log = logging.getLogger(__name__)


class _Counted(socket.socket):
    """A connection that gives its place back when its file is closed, whoever closes it.

    It gives no more than READ bytes at once.
    """

    def __init__(self, taken: socket.socket, closed: Callable[[], None]) -> None:
        super().__init__(taken.family, taken.type, taken.proto, fileno=taken.detach())
        self._closed_once: Callable[[], None] | None = closed

    def recv(self, size: int, flags: int = 0) -> bytes:
        return super().recv(min(size, READ), flags)

    def close(self) -> None:
        super().close()
        self._done()

    def detach(self) -> int:
        self._done()
        return super().detach()

    def _done(self) -> None:
        closed, self._closed_once = self._closed_once, None
        if closed is not None:
            closed()


class Acceptor:
    """Accepts on one listening socket, which it closes at its end.

    Args:
        listening: the socket.
        places: what its connections take; doors may share them.
        peer_of: who a connection comes from.
        factory: makes a protocol.
        refusal: what is said to a peer who gets no place.
        name: of the door, in the log.
        spare: files for the moment when there are no others; None: it waits for some.
        gone: told of each protocol whose connection is closed.
    """

    def __init__(
        self,
        listening: socket.socket,
        places: Places,
        peer_of: Callable[[socket.socket], Peer],
        factory: Callable[[], asyncio.Protocol],
        refusal: Callable[[Peer], bytes],
        *,
        name: str,
        spare: Spare | None = None,
        gone: Callable[[asyncio.Protocol], object] = lambda _: None,
    ) -> None:
        self._listening = listening
        self._places = places
        self._peer_of = peer_of
        self._factory = factory
        self._refusal = refusal
        self._name = name
        self._spare = spare
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._sparing = Sparing(self._loop.time)
        self._joining: set[asyncio.Task[object]] = set()
        self._lingering: dict[socket.socket, asyncio.TimerHandle] = {}
        self._paused: asyncio.TimerHandle | None = None
        self._open = True
        listening.setblocking(False)
        self._go_on()

    def close(self) -> None:
        """Accept no more. Connections stay."""
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._listening)
        if self._paused is not None:
            self._paused.cancel()
        for each in list(self._lingering):
            self._let_go(each)
        self._listening.close()

    def _go_on(self) -> None:
        self._paused = None
        if self._open:
            self._loop.add_reader(self._listening, self._turn)

    def _turn(self) -> None:
        for _ in range(TURN):
            try:
                taken = self._accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                self._run_out(error)
                return
            self._admit(taken)

    def _accept(self) -> socket.socket:
        """Accept one, with a file that was held back where there is no other."""
        while True:
            try:
                return self._listening.accept()[0]
            except OSError as error:
                if not is_own_limit(error) or self._spare is None or not self._spare.let_go():
                    raise

    def _run_out(self, error: OSError) -> None:
        if self._sparing.may(error.errno) is not None:
            why = error.strerror or str(error)
            if is_own_limit(error):
                why = NO_MORE
            log.error("%s: connections wait: %s", self._name, why)
        self._loop.remove_reader(self._listening)
        self._paused = self._loop.call_later(PAUSE, self._go_on)

    def _admit(self, taken: socket.socket) -> None:
        taken.setblocking(False)
        try:
            peer = self._peer_of(taken)
        except OSError:  # it has gone already
            taken.close()
            self._refill()
            return
        if not self._places.take(peer):
            self._refuse(taken, peer)
            return
        protocol = self._factory()
        counted = _Counted(taken, lambda: self._left(peer, protocol))
        joining = self._loop.create_task(self._join(counted, protocol))
        self._joining.add(joining)
        joining.add_done_callback(self._joining.discard)

    async def _join(self, counted: socket.socket, protocol: asyncio.Protocol) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: protocol, counted)
        except OSError as error:
            log.debug("%s: a connection went as it came: %s", self._name, error)
            counted.close()
        except BaseException:
            counted.close()
            raise

    def _left(self, peer: Peer, protocol: asyncio.Protocol) -> None:
        self._places.leave(peer)
        self._gone(protocol)
        self._refill()

    def _refill(self) -> None:
        if self._spare is not None and self._open:
            self._spare.fill()

    # -- those who get no place

    def _refuse(self, taken: socket.socket, peer: Peer) -> None:
        kept = self._sparing.may("places")
        if kept is not None:
            more = f", {kept} more in the last minute" if kept else ""
            log.warning(
                "%s: %s turned away, %d connections are open%s",
                self._name, peer, self._places.used, more,
            )  # fmt: skip
        try:
            taken.send(self._refusal(peer))
            taken.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(taken)
            return
        if len(self._lingering) >= LINGERING:
            self._drain(taken)
            self._close(taken)
            return
        # closed with something unread, the kernel would take the word back
        self._lingering[taken] = self._loop.call_later(LINGER, self._let_go, taken)
        self._loop.add_reader(taken, self._drained, taken)

    def _drained(self, taken: socket.socket) -> None:
        if self._drain(taken):
            self._let_go(taken)

    def _drain(self, taken: socket.socket) -> bool:
        """Read what a refused one says; whether it has closed, too."""
        try:
            return not taken.recv(1 << 16)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            return True

    def _let_go(self, taken: socket.socket) -> None:
        self._lingering.pop(taken).cancel()
        self._loop.remove_reader(taken)
        self._close(taken)

    def _close(self, taken: socket.socket) -> None:
        taken.close()
        self._refill()
