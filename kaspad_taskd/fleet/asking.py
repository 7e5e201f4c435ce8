"""Redis or Valkey, as a reader asks it: one connection in asyncio, each wait with an end, no tries.

Answers are taken as they come over the line: a thousand streams in one answer are not turned over
twice. They come in two shapes (RESP2 and RESP3), which `pairs` makes one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from kaspad_taskd.fleet.carrier import options
from kaspad_taskd.fleet.faults import Kind, Trouble, trouble_of
from kaspad_taskd.fleet.settings import Engine, Login, Server

Answer: TypeAlias = Any
Command: TypeAlias = tuple[str | bytes | int, ...]

BLOCK_S: Final = 2.0
"""Seconds for which an XREAD may wait in the server."""
PATIENCE: Final = BLOCK_S + 6
"""Seconds for an answer: more than the server itself may wait, and five."""
AT_ONCE: Final = 1000
"""Commands that are sent before their answers are read."""


class Asking:
    """One connection to one server; not for several tasks at once.

    Args:
        engine: how it is spoken to.
        login: as whom.
        server: where it is.
    """

    def __init__(self, engine: Engine, login: Login, server: Server) -> None:
        self.place = str(server)
        told = options(engine, login, server, PATIENCE)
        client: Any = Redis(retry=Retry(NoBackoff(), 0), **told)
        # A pool would ask whether the line is good before each command.
        self._line: Any = client.connection_pool.make_connection()

    async def open(self) -> None:
        """Connect; raises Trouble."""
        try:
            await self._line.connect()
        except Exception as error:
            raise await self._failed(error) from None

    async def ask(self, *command: str | bytes | int) -> Answer:
        """Return the answer to a command; raises Trouble: refused, or the server is gone."""
        (answer,) = await self.ask_all([command])
        if isinstance(answer, Trouble):
            raise answer
        return answer

    async def ask_all(self, commands: Sequence[Command]) -> list[Answer]:
        """Return the answers to commands, each refusal as a Trouble in its place.

        Raises:
            Trouble: the server is gone, or is another one now.
        """
        answers: list[Answer] = []
        for start in range(0, len(commands), AT_ONCE):
            answers += await self._some(commands[start : start + AT_ONCE])
        return answers

    async def _some(self, commands: Sequence[Command]) -> list[Answer]:
        try:
            packed = [part for each in commands for part in self._line.pack_command(*each)]
            await self._line.send_packed_command(b"".join(packed))
            _heed()
            return [await self._next() for _ in commands]
        except Trouble:
            await self.close()
            raise
        except Exception as error:
            raise await self._failed(error) from None

    async def send(self, packed: bytes) -> Answer:
        """Return the answer to one command that was packed before; raises Trouble."""
        try:
            await self._line.send_packed_command(packed)
            _heed()
            answer = await self._next()
        except Trouble:
            await self.close()
            raise
        except Exception as error:
            raise await self._failed(error) from None
        if isinstance(answer, Trouble):
            raise answer
        return answer

    async def _next(self) -> Answer:
        """The next answer; a refusal is one, too, while the server is still the one we meant."""
        try:
            return await self._line.read_response()
        except Exception as error:
            if not _is_answer(error):
                raise
            trouble = trouble_of(error, self.place)
            if trouble.kind in (Kind.GONE, Kind.LOGIN, Kind.MOVED):
                raise trouble from None
            return trouble

    async def close(self) -> None:
        """Let the connection go."""
        try:
            await self._line.disconnect()
        except Exception:  # noqa: S110 - it is gone either way
            pass

    async def _failed(self, error: Exception) -> Trouble:
        await self.close()
        return trouble_of(error, self.place)


def _heed() -> None:
    """End where we were told to: the library's wait_for may have swallowed it (Python 3.11)."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _is_answer(error: Exception) -> bool:
    """Whether the server said it: then the line is as good as before."""
    return any(each.__name__ == "ResponseError" for each in type(error).__mro__)


def bulk(text: bytes) -> bytes:
    """Return a word of a command as it goes over the line."""
    return b"$%d\r\n%b\r\n" % (len(text), text)


def pairs(answer: Answer) -> Iterable[tuple[bytes, Any]]:
    """Return names and values of an answer: a map, a flat list, or a list of pairs."""
    if isinstance(answer, dict):
        return answer.items()
    if answer and isinstance(answer[0], list):
        return ((each[0], each[1]) for each in answer)
    return _two(answer or ())


def _two(flat: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(flat[::2], flat[1::2], strict=False)


def entries(answer: Answer) -> Iterator[tuple[str, dict[bytes, bytes]]]:
    """Return the entries of a stream's part, in the order in which they came."""
    for entry, fields in answer or ():
        yield entry.decode(), dict(_two(fields or ()))
