"""Long lists over the socket: made in pages, in the order of an answer made at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.api.listed import PAGE, Later, Listed
from kaspad_taskd.api.method import Method
from kaspad_taskd.rpc.server import RpcServer
from tests.rpc.house import Client, House

MANY = 100 * PAGE
"""A question of somebody else's takes some ten turns of the loop."""


class Rows:
    """What is listed: numbers that count how many of them were made, and stop where they are to."""

    def __init__(self) -> None:
        self.made = 0
        self.broken = False
        self.taken: list[int] = []

    def row(self, number: int) -> dict[str, int]:
        self.made += 1
        if self.broken:
            raise ZeroDivisionError
        return {"number": number}

    def take(self) -> Listed:
        self.taken.append(self.made)
        return Listed(range(MANY), self.row)


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
async def house(tmp_path: Path, rows: Rows) -> AsyncIterator[House]:
    built = House(tmp_path / "rpc.sock")
    within = Later(lambda: {"seq": 7, "rows": rows.take()})
    built.methods["list"] = Method("list", "", lambda *_: Later(rows.take))
    built.methods["listWithin"] = Method("listWithin", "", lambda *_: within)
    built.server = RpcServer(built.methods, built.feed, path=built.path)
    async with built:
        yield built


async def until(condition: Callable[[], Any]) -> None:
    """Look at every turn of the loop, so that it is seen when it is so and no later."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0)


async def lines(client: Client, count: int) -> list[Any]:
    return [await client.read() for _ in range(count)]


async def test_others_are_answered_between_two_pages(house: House, rows: Rows) -> None:
    """Who asks while a list is made has an answer when only a part of it is there."""
    client, other = await house.client(), await house.client()
    assert await other.call("echo", 1) == 1
    client.ask("list")
    await until(lambda: rows.made)
    assert await other.call("echo", 2) == 2
    assert rows.made < MANY
    assert len((await client.read())["result"]) == MANY


@pytest.mark.parametrize("request_id", [1, "x", 1.5, None, 2**70])
async def test_its_bytes_are_those_of_one_made_at_once(
    house: House, rows: Rows, request_id: Any
) -> None:
    """Of a list, of one within an answer, and in a batch; whoever reads it sees no pages."""
    client = await house.client()
    listed = [{"number": number} for number in range(MANY)]
    for method, result in (("list", listed), ("listWithin", {"seq": 7, "rows": listed})):
        answer = {"jsonrpc": "2.0", "result": result, "id": request_id}
        client.ask(method, id=request_id)
        assert await client.reader.readline() == _text(answer) + b"\n"
        asked = {"jsonrpc": "2.0", "method": method, "id": request_id}
        client.write(_text([asked, asked]) + b"\n")
        assert await client.reader.readline() == _text([answer, answer]) + b"\n"


def _text(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


async def test_what_follows_its_moment_follows_the_list(house: House, rows: Rows) -> None:
    """Events, the answer to a change that was made meanwhile, and what was asked after it."""
    client = await house.client()
    await client.call("subscribe")
    client.ask("changeHeld", id="change")
    await until(lambda: house.running)
    client.ask("list", id="list")
    client.ask("echo", "later", id="echo")
    await until(lambda: rows.made)
    house.feed.tell(3)
    house.gate.set()
    await until(lambda: house.ended)
    assert rows.made < MANY
    assert house.inline == 0
    found = await lines(client, 6)
    assert found[0]["id"] == "list"
    assert len(found[0]["result"]) == MANY
    assert found[1] == {"jsonrpc": "2.0", "result": "held", "id": "change"}
    told = [each["params"]["seq"] for each in found if "params" in each]
    assert told == [1, 2, 3]
    assert [each["result"] for each in found if each.get("id") == "echo"] == ["later"]


async def test_a_connection_has_one_list_made_at_a_time(house: House, rows: Rows) -> None:
    """So what they take is bounded; the next one is of the moment at which it is its turn."""
    client = await house.client()
    for number in range(5):
        client.ask("list", id=number)
    assert [each["id"] for each in await lines(client, 5)] == [0, 1, 2, 3, 4]
    assert rows.taken == [MANY * number for number in range(5)]


async def test_lists_that_are_made_at_the_same_time_keep_their_order(
    house: House, rows: Rows
) -> None:
    """A subscription's, which is asked for beside others, and one that follows it."""
    client = await house.client()
    house.feed.open = lambda *_: ({"tasks": rows.take()}, _Silent())  # type: ignore[method-assign, assignment]
    client.ask("subscribe", id="first")
    client.ask("list", id="second")
    assert [each["id"] for each in await lines(client, 2)] == ["first", "second"]
    assert await client.call("echo", 3) == 3


class _Silent:
    async def run(self, _send: Any) -> None:
        await asyncio.Event().wait()


async def test_a_row_that_cannot_be_made_is_an_internal_error(
    house: House, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    """Before anything of the list was sent; the connection lives on."""
    client = await house.client()
    rows.broken = True
    client.ask("list")
    assert (await client.read())["error"]["data"]["reason"] == "internal-error"
    assert "ZeroDivisionError" in caplog.text
    assert await client.call("echo", 4) == 4


async def test_who_goes_while_its_list_is_made_is_forgotten(house: House, rows: Rows) -> None:
    """The rest is not made for nobody."""
    client, other = await house.client(), await house.client()
    client.ask("list")
    await until(lambda: rows.made)
    client.writer.transport.abort()
    await until(lambda: not house.server._door.requests)
    made = rows.made
    assert made < MANY
    assert await other.call("echo", 5) == 5
    assert rows.made == made
