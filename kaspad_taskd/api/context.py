"""What the methods work with, and how the engine's "no" becomes an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from kaspad_taskd import words
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.listed import Listed
from kaspad_taskd.api.method import Caller, Handler
from kaspad_taskd.api.wire import Shapes
from kaspad_taskd.core.change import NotAllowed
from kaspad_taskd.core.model import Definition, Task
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.engine.errors import Conflict, Full, Gap, NotDurable, NotFound
from kaspad_taskd.engine.follow import Board
from kaspad_taskd.engine.monitor import Monitors
from kaspad_taskd.engine.roster import Roster
from kaspad_taskd.store.fault import StoreError
from kaspad_taskd.switching.switcher import Switcher

Json: TypeAlias = Any


class Definitions(Protocol):
    """Where definitions come from: an API's object, and the files.

    Attributes:
        files: the directory of the administrator's, as people are told it.
    """

    files: str

    def parse(self, table: Mapping[str, Json], task_id: str | None) -> Definition:
        """The definition of an object; raises ApiError (invalid-definition, forbidden)."""

    def changed(self, definition: Definition, given: Mapping[str, Json]) -> Definition:
        """A definition with other pace and patience; raises ApiError (invalid-definition)."""

    def file_of(self, task_id: str) -> str | None:
        """The file that defines a task, where one does and can be read."""

    def listing(self) -> Listed:
        """What `listDefinitions` answers."""

    async def reload(self) -> dict[str, Json]:
        """Read settings and files anew; what `reload` answers. Raises NotDurable."""


class Host(Protocol):
    """The daemon itself, as far as it can be asked."""

    def info(self) -> dict[str, Json]:
        """What `getInfo` answers of the daemon."""

    def stop(self) -> None:
        """Stop soon, with exit code 0."""

    def backup_path(self) -> str:
        """Where the next backup goes."""

    async def new_token(self) -> str:
        """Make another token for the bridge; where it stands. Raises ApiError."""


@dataclass(slots=True)
class Api:
    """All that methods need."""

    engine: Engine
    board: Board
    roster: Roster
    monitors: Monitors
    shapes: Shapes
    definitions: Definitions
    host: Host
    switcher: Switcher
    waiters: Waiters = field(init=False)

    def __post_init__(self) -> None:
        self.waiters = Waiters(self.engine)

    def task(self, task_id: str) -> Task:
        """The task on record; raises ApiError (not-found)."""
        task = self.engine.get(task_id)
        if task is None:
            raise not_found(task_id)
        return task


class Waiters:
    """Who waits for a task to change."""

    def __init__(self, engine: Engine) -> None:
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        engine.on_swap.append(self._swapped)

    async def wait(self, task_id: str) -> None:
        """Return when the task changes in any way, or goes."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(task_id, set())
        waiting.add(future)
        try:
            await future
        finally:
            waiting.discard(future)
            if not waiting:
                self._waiting.pop(task_id, None)

    def _swapped(self, old: Task | None, new: Task | None) -> None:
        if not self._waiting:
            return
        task = new or old
        for future in self._waiting.get(task.id, ()) if task is not None else ():
            if not future.done():
                future.set_result(None)


def not_found(task_id: str) -> ApiError:
    """The answer for an id that no task has."""
    return ApiError.of("not-found", words.say("answer.not-found", id=task_id), taskId=task_id)


def answer_for(error: Exception) -> ApiError | None:
    """The answer for what the engine raises, or None for a crash."""
    match error:
        case NotFound():
            return not_found(error.task_id)
        case NotAllowed():
            said = words.say("answer.not-allowed", status=error.status, action=error.action)
            return ApiError.of("not-allowed", said, status=error.status.value)
        case NotDurable():
            return ApiError.of("store-unavailable", words.say("answer.not-saved", why=str(error)))
        case StoreError():  # of a reading: nothing was to be changed
            return ApiError.of("store-unavailable", words.say("answer.not-read", why=str(error)))
        case Gap():
            kept = {"journal": error.journal, "oldest": error.oldest, "seq": error.seq}
            return ApiError.of("gap", str(error), **kept)
        case Conflict():
            return ApiError.of("conflict", words.say("answer.conflict", id=str(error)))
        case Full():
            return ApiError.of("busy", str(error), limit=error.limit)
    return None


def answering(
    handler: Callable[[Caller, dict[str, Any]], Awaitable[Json]],
) -> Handler:
    """A handler that waits, with the engine's "no" made an answer."""

    def call(caller: Caller, given: dict[str, Any]) -> Coroutine[Any, Any, Json]:
        return _answer(handler, caller, given)

    return call


async def _answer(
    handler: Callable[[Caller, dict[str, Any]], Awaitable[Json]],
    caller: Caller,
    given: dict[str, Any],
) -> Json:
    try:
        return await handler(caller, given)
    except ApiError:
        raise
    except Exception as error:
        answer = answer_for(error)
        if answer is None:
            raise
        raise answer from None
