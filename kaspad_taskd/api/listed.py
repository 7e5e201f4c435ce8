"""Long lists: taken at one moment, written as JSON a page at a time.

Half a second of work lies in 10,000 tasks, in which nobody else would be answered. What is listed
does not change (a change is a new task), so the list is taken at once, and the loop is given back
after each page of it. Whoever sends it holds back meanwhile what that client is told else, so that
the order is that of an answer made in one stretch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from kaspad_taskd.base import jsontext
from kaspad_taskd.base.frozen import frozen

Json: TypeAlias = Any
T = TypeVar("T")

PAGE: Final = 64
"""Rows that are made in one turn of the loop: some 4 ms, for tasks."""


def paged(things: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield them a page at a time."""
    for start in range(0, len(things), PAGE):
        yield things[start : start + PAGE]


class Listed:
    """What was so at one moment: rows to be made of it later.

    Args:
        things: what is listed.
        row: makes the JSON value of one of them; the same as at that moment.
    """

    def __init__(self, things: Sequence[Any], row: Callable[[Any], Json]) -> None:
        self._things = things
        self._row = row

    def __iter__(self) -> Iterator[Json]:
        """Make all rows at once."""
        return map(self._row, self._things)

    def __len__(self) -> int:
        return len(self._things)

    async def pages(self) -> list[Json]:
        """Return all rows, made a page at a time."""
        rows: list[Json] = []
        for page in paged(self._things):
            rows += map(self._row, page)
            await asyncio.sleep(0)
        return rows

    async def pieces(self) -> list[bytes]:
        """Return the JSON array, as `jsontext.dumps` would write it, in pieces: a page each."""
        pieces = [b"["]
        for page in paged(self._things):
            before = b"," if len(pieces) > 1 else b""
            pieces.append(before + jsontext.dumps(list(map(self._row, page)))[1:-1])
            await asyncio.sleep(0)
        return [*pieces, b"]"]


class Later:
    """The answer of a method whose list may be long: it is taken when it is waited for.

    A door lets nothing else of the same client begin meanwhile.
    """

    def __init__(self, take: Callable[[], Json]) -> None:
        self._take = take

    def __await__(self) -> Generator[None, None, Json]:
        """Return the answer, in which a `Listed` may stand for the list; see `written`."""
        return self._take()
        yield


def answer(most: int, take: Callable[[], Listed]) -> Json:
    """Return the answer of a method that lists `most` things at most: at once where it is short."""
    return list(take()) if most <= PAGE else Later(take)


@frozen
class Written:
    """JSON that is written already, in pieces: put together it would be copied again and again."""

    pieces: list[bytes]


def is_long(result: Json) -> bool:
    """Whether an answer is, or has as one of its members, a list that is to be written in pages."""
    if type(result) is dict:
        return any(type(each) is Listed for each in result.values())
    return type(result) is Listed


async def written(result: Json) -> Written:
    """Return an answer as `jsontext.dumps` would write it; its long lists are written in pages.

    Raises:
        TypeError, ValueError: a value in it cannot be said in JSON.
    """
    if type(result) is Listed:
        return Written(await result.pieces())
    if type(result) is not dict or not is_long(result):
        return Written([jsontext.dumps(result)])
    pieces: list[bytes] = []
    for key, each in result.items():
        before = b"," if pieces else b"{"
        pieces += [before + jsontext.dumps(key) + b":", *(await written(each)).pieces]
    return Written([*pieces, b"}"])
