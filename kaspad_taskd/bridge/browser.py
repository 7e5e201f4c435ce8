"""One connected client: what it may do, what it asks, what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.bridge.outbox import PATIENCE, Outbox
from kaspad_taskd.bridge.packets import event

Json: TypeAlias = Any

PAUSE: float = 0.05
"""Seconds between two looks whether a slow browser has taken something."""


@dataclass(eq=False, slots=True)
class Browser:
    """A client that is in.

    Attributes:
        sid: its Socket.IO id.
        address: where it comes from, for the log.
        may_change: whether it may change something now.
        since: the `auth` member of that name, None without one; `journal` likewise.
        gathers: whether `auth.gather` asks for the state of many tasks in one packet.
        trusted: whether it might when it came.
        told: the `seq` it has reached on its way to the present; None before.
        outbox: what it has to take; the connection's own.
        requests: being answered; True for those that change something.
        replaying: held while it is brought to the present.
        joining: the task that does so when it comes.
        listing: held while it is answered with a long list, one at a time.
    """

    sid: str
    address: str
    may_change: Callable[[], bool]
    since: Json = None
    told: int | None = None
    trusted: bool = False
    outbox: Outbox = field(default_factory=Outbox)
    requests: dict[asyncio.Task[None], bool] = field(default_factory=dict)
    replaying: asyncio.Lock = field(default_factory=asyncio.Lock)
    joining: asyncio.Task[None] | None = None
    listing: asyncio.Lock = field(default_factory=asyncio.Lock)
    journal: Json = None
    gathers: bool = False

    def tell(self, name: str, data: Json) -> None:
        """Send an event for this one alone."""
        self.outbox.answer_all([event(name, data)])

    def refuse(self, error: ApiError, request: str, task_id: Json = None) -> dict[str, Json]:
        """Say no to a request (`task:error`); returns what was said."""
        said = task_error(error, request, task_id)
        self.tell("task:error", said)
        return said

    async def room(self) -> None:
        """Wait until it has taken enough to be given more; who takes nothing is cut."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        while self.outbox.laden:
            if loop.time() > until:
                self.outbox.lost()
                raise asyncio.CancelledError
            await asyncio.sleep(PAUSE)

    def end(self) -> None:
        """Let go of what only this client waits for; changes under way are made all the same."""
        for request, changes in self.requests.items():
            if not changes:
                request.cancel()
        if self.joining is not None:
            self.joining.cancel()


def task_error(error: ApiError, request: str, task_id: Json = None) -> dict[str, Json]:
    """The payload of `task:error`: the sentence, its code and reason, what was asked."""
    said = {"error": error.message, "code": error.code, **error.data, "request": request}
    if isinstance(task_id, str):
        said["taskId"] = task_id[:100]
    return said
