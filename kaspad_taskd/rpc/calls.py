"""A method as a request calls it: bound, called, audited; and answers that have to wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kaspad_taskd.api.changed import Changes
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.incident import incident
from kaspad_taskd.api.listed import Later, is_long, written
from kaspad_taskd.api.method import Caller, Json, Method
from kaspad_taskd.rpc.answers import join, long_success, refusal, success

IN_FLIGHT: Final = 64
"""Requests of one connection that are being answered at once (contract section 3)."""


@dataclass(slots=True)
class Waiting:
    """A call whose handler has to wait; `id` is the request's, known once it was dispatched."""

    method: Method
    caller: Caller
    bound: dict[str, Any]
    value: Awaitable[Json]
    changes: Changes
    id: Any = None

    @property
    def weight(self) -> int:
        """How many of a connection's places it takes: all of them where its answer may be long."""
        return IN_FLIGHT if isinstance(self.value, Later) else 1

    async def answer(self, slots: asyncio.Semaphore, hold: Callable[[], None]) -> list[bytes]:
        """Return the answer's line in pieces; it holds one of the `slots` meanwhile."""
        async with slots:
            try:
                result = await self.value
                if is_long(result):
                    hold()
                    return long_success(await written(result), self.id)
            except ApiError as error:
                return [refusal(error, self.id, self.caller)]
            except asyncio.CancelledError:
                _audit(self.changes, self.method, self.bound, None, self.caller)
                raise
            except Exception:
                crash = incident(self.method.name, self.caller)
                return [refusal(crash, self.id, self.caller)]
        _audit(self.changes, self.method, self.bound, result, self.caller)
        return [success(result, self.id, self.caller)]

    def close(self) -> None:
        """Let go of a coroutine that was never begun."""
        close = getattr(self.value, "close", None)
        if close is not None:
            close()


class Pending:
    """An answer, of one request or of a batch, that has to be waited for.

    Attributes:
        weight: how many of a connection's places it takes.
        changes: whether one of them changes something: it goes on when the caller has gone.
    """

    __slots__ = ("_batch", "_parts", "changes", "weight")

    def __init__(self, parts: Sequence[bytes | Waiting], *, batch: bool) -> None:
        self._parts = parts
        self._batch = batch
        waiting = self._waiting()
        self.weight = sum(part.weight for part in waiting)
        self.changes = any(part.method.changes for part in waiting)

    def _waiting(self) -> list[Waiting]:
        return [part for part in self._parts if isinstance(part, Waiting)]

    async def answer(self, slots: asyncio.Semaphore) -> bytes:
        """Return the answer's bytes; each waiting request takes one of the `slots` meanwhile."""
        return b"".join(await self.pieces(slots, lambda: None))

    async def pieces(self, slots: asyncio.Semaphore, hold: Callable[[], None]) -> list[bytes]:
        """The same in pieces.

        `hold` is called at the moment of which a long list in it is: what the client is told from
        then on has to follow the answer.
        """
        waiting = self._waiting()
        if not self._batch:
            return await waiting[0].answer(slots, hold)
        answers = iter(await asyncio.gather(*(part.answer(slots, hold) for part in waiting)))
        parts = [b"".join(next(answers)) if isinstance(p, Waiting) else p for p in self._parts]
        return [join(parts)]

    def close(self) -> None:
        """Let go of what was never begun."""
        for part in self._waiting():
            part.close()


class Call:
    """A method, ready to be called with parameters as they came; both ways of dispatch use it."""

    __slots__ = ("_bind", "_changes", "_handler", "_method", "_told")

    def __init__(self, method: Method, changes: Changes) -> None:
        self._method = method
        self._changes = changes
        self._bind = method.bind
        self._handler = method.handler
        self._told = method.changes

    def __call__(self, caller: Caller, args: Sequence[Any], kwargs: dict[str, Any]) -> Json:
        """Return the result, or a Waiting.

        Raises:
            ApiError: it was refused, or crashed (that is logged under an incident number).
        """
        try:
            bound = self._bind(args, kwargs)
            value = self._handler(caller, bound)
        except ApiError:
            raise
        except Exception:
            raise incident(self._method.name, caller) from None
        if hasattr(value, "__await__"):
            return Waiting(self._method, caller, bound, value, self._changes)
        if self._told:
            _audit(self._changes, self._method, bound, value, caller)
        return value


def _audit(
    changes: Changes, method: Method, bound: dict[str, Any], result: Json, caller: Caller
) -> None:
    if method.changes:
        changes.log(method.name, bound, result, str(caller), caller.user)
