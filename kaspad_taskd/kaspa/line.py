"""One connection to a node: questions go out with ids, one reader hands the answers to who waits.

So a slow answer's deadline neither ends the connection nor shifts the answers of others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.client import Answer, DeclinedError, Method, NodeError

log = logging.getLogger(__name__)

UNASKED = 64
"""Answers in a row that nobody asked for, after which it is no kaspad."""

LEARNING = 2.0
"""Seconds that the reader may take to find out why the connection ended."""


class Wire(Protocol):
    """A transport: one connection, used once."""

    async def run(self, opened: Callable[[], None], deliver: Callable[[Answer], None]) -> None:
        """Connect, call `opened`, then `deliver` for each answer until the connection ends.

        Cancelling it lets the connection go. Returning means that the node ended it in good order.

        Raises:
            NodeError: why there is no connection any more.
        """

    async def send(self, number: int, method: Method, argument: str) -> None:
        """Send a question (`argument`: the hash of `getBlock`, else "").

        Raises:
            NodeError: it cannot be sent.
        """


@dataclass(slots=True)
class _Waiter:
    method: Method
    result: asyncio.Future[Answer | NodeError]


class Line:
    """The life of one connection.

    Attributes:
        echoes: whether the node repeats ids; None before its first answer.
        ended: why the connection is no more, or None.
        reader: the task that holds the connection.
    """

    def __init__(self, wire: Wire) -> None:
        self.echoes: bool | None = None
        self.ended: NodeError | None = None
        self._wire = wire
        self._opened = asyncio.Event()
        self._waiting: dict[int, _Waiter] = {}
        self._last = 0
        self._unasked = 0
        self.reader = asyncio.create_task(self._read())

    async def ask(self, method: Method, argument: str) -> Answer:
        """Return the answer; the caller has the deadline.

        Raises:
            NodeError: the connection ended, or an earlier answer to this question is still owed.
        """
        await self._opened.wait()
        if self.ended is not None:
            raise _copy(self.ended)
        if any(w.method is method and w.result.done() for w in self._waiting.values()):
            raise NodeError(Reason.TIMEOUT, {"method": str(method)}, "the last one is still owed")
        self._last += 1
        waiter = _Waiter(method, asyncio.get_running_loop().create_future())
        self._waiting[self._last] = waiter
        try:
            await self._wire.send(self._last, method, argument)
        except NodeError as error:
            await self._ending(error)
        result = await waiter.result
        if isinstance(result, NodeError):
            raise result
        if result.error is not None:
            raise DeclinedError(method, result.error)
        return result

    async def _ending(self, error: NodeError) -> None:
        """After a question that could not be sent: the reader knows why, and may still learn it.

        Raises:
            NodeError: always.
        """
        await asyncio.wait({self.reader}, timeout=LEARNING)
        self._end(error)
        raise _copy(self.ended or error)

    def hang_up(self, reason: NodeError) -> None:
        """End the connection at once."""
        self._end(reason)
        self.reader.cancel()

    async def _read(self) -> None:
        try:
            await self._wire.run(self._opened.set, self._deliver)
            self._end(NodeError(Reason.STREAM_CLOSED))
        except NodeError as error:
            self._end(error)
        except Exception as error:  # a library met what it did not expect
            log.debug("connection lost", exc_info=True)
            self._end(NodeError(Reason.BAD_ANSWER, detail=type(error).__name__))
        finally:
            self._end(NodeError(Reason.STREAM_CLOSED))

    def _deliver(self, answer: Answer) -> None:
        self.echoes = answer.id is not None
        number = self._number_of(answer)
        waiter = None if number is None else self._waiting.get(number)
        if number is None or waiter is None:
            self._unasked += 1
            if self._unasked >= UNASKED:
                raise NodeError(Reason.BAD_ANSWER, detail="answers that nobody asked for")
            return
        self._unasked = 0
        if waiter.method is not answer.method:
            raise NodeError(Reason.BAD_ANSWER, detail=f"{answer.method} for {waiter.method}")
        del self._waiting[number]
        if not waiter.result.done():
            waiter.result.set_result(answer)

    def _number_of(self, answer: Answer) -> int | None:
        if answer.id is not None:
            return answer.id
        return next((n for n, w in self._waiting.items() if w.method is answer.method), None)

    def _end(self, error: NodeError) -> None:
        if self.ended is not None:
            return
        self.ended = error
        self._opened.set()
        for waiter in self._waiting.values():
            if not waiter.result.done():
                waiter.result.set_result(_copy(error))
        self._waiting.clear()


def _copy(error: NodeError) -> NodeError:
    return NodeError(error.reason, error.params, error.detail)
