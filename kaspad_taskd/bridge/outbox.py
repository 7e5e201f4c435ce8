"""What one browser has still to take: counted, bounded, and without a hop where it takes at once.

It stands in for the queue without bound of python-engineio's sockets. A WebSocket client that has
taken everything gets its frame straight from whoever tells; for all others it is the queue it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Final

from kaspad_taskd.bridge.packets import Message

LIMIT: Final = 1 << 20
"""Bytes that a browser may be behind (contract section 4)."""
PATIENCE: Final = 20.0
"""Seconds that a browser may be behind (contract section 4)."""
POLLED: Final = 16
"""Packets of one answer to a poll: python-socketio's client takes no more, and drops the rest."""
QUEUED: Final = 256
"""Packets that wait for one who polls before more state is made for it: sixteen polls."""


class Outbox(asyncio.Queue[Any]):
    """The queue of a python-engineio socket.

    Attributes:
        transport: of the WebSocket, once there is one.
        upgraded: whether the client is on it, no more polling.
        lost: called when the browser is too far behind.
        written: bytes given so far.
        ended: whether nothing is to be told any more.
    """

    def __init__(self) -> None:
        super().__init__()
        self.transport: asyncio.Transport | None = None
        self.upgraded: Callable[[], bool] = lambda: False
        self.lost: Callable[[], None] = lambda: None
        self.written = 0
        self.ended = False
        self._queued = 0
        self._polled = 0
        self._direct: asyncio.Transport | None = None
        self._excused = 0
        self._held: list[Message] | None = None
        self._held_bytes = 0
        self._mark: tuple[float, int] | None = None

    # -- what python-engineio does with it

    async def put(self, item: Any) -> None:
        """Take a packet of python-engineio; None ends the writer."""
        if item is None:
            self.put_nowait(None)
        else:
            self._enqueue(item)

    async def get(self) -> Any:
        """Hand out the next packet, when there is one: the first of an answer."""
        if self.upgraded() and self.empty():
            self._direct = self.transport
        try:
            return await super().get()
        finally:
            self._direct, self._polled = None, 0

    def get_nowait(self) -> Any:
        """Hand out the next packet of the same answer; raises QueueEmpty when that is full too."""
        if self._polled >= POLLED - 1:
            self._polled = 0  # another poll may wait already: its first one comes through here
            raise asyncio.QueueEmpty
        item = super().get_nowait()
        self._polled = 0 if item is None else self._polled + 1
        return item

    def _get(self) -> Any:
        item = super()._get()
        self._queued -= _size(item)
        return item

    def _enqueue(self, item: Any) -> None:
        size = _size(item)
        self.written += size
        self._queued += size
        self._direct = None  # nothing overtakes it
        self.put_nowait(item)

    # -- what we do with it

    def hold(self) -> None:
        """Keep what is told from here on until `let_go`: an answer of this moment comes first."""
        if self._held is None:
            self._held = []

    def let_go(self) -> list[Message]:
        """Keep nothing back any more; returns what was, to be sent once that answer is."""
        held, self._held, self._held_bytes = self._held or [], None, 0
        return held

    def tell(self, message: Message) -> None:
        """Send an event."""
        if self.ended:
            return
        if self._held is not None:
            self._held.append(message)
            self._held_bytes += len(message.frame)
            if self._held_bytes > LIMIT:
                self.lost()
            return
        line = self._direct
        if line is None or line.is_closing():
            self._enqueue(message.carrier)
            behind = self.behind
        else:
            data = message.frame
            self.written += len(data)
            line.write(data)
            behind = line.get_write_buffer_size()
        if behind > LIMIT and self.arrears > LIMIT:
            self.lost()

    def answer_all(self, messages: Sequence[Message]) -> None:
        """Send what was asked for: that is no arrears by itself."""
        if self.ended:  # an event was left out: nothing may say that it was told
            return
        if self._held is not None:
            self._held += messages
            return
        line = self._direct
        if line is None or line.is_closing():
            for each in messages:
                self._enqueue(each.carrier)
        else:
            data = memoryview(b"".join([each.frame for each in messages]))
            self.written += len(data)
            line.write(data)  # of a view what is not taken at once is copied once, not twice
        self._excused = self.written

    @property
    def behind(self) -> int:
        """Bytes given and not taken (by the kernel at least)."""
        if self.transport is None:
            return self._queued
        return self._queued + self.transport.get_write_buffer_size()

    @property
    def laden(self) -> bool:
        """Whether it has enough to take for now: what was asked for is given in portions."""
        return self.behind > LIMIT // 2 or self.qsize() > QUEUED

    @property
    def arrears(self) -> int:
        """The same without what was asked for."""
        return self.written - max(self.written - self.behind, self._excused)

    def overdue(self) -> bool:
        """Whether something given 20 s ago is not taken; asked every second or so."""
        behind, now = self.behind, monotonic()
        if not behind:
            self._mark = None
        elif self._mark is None or self.written - behind >= self._mark[1]:
            self._mark = (now, self.written)
        return self._mark is not None and now - self._mark[0] >= PATIENCE


def _size(item: Any) -> int:
    return 0 if item is None else len(item.encode())
