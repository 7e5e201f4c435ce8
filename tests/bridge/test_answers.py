"""A large answer comes whole, and lets others have their turns meanwhile."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import ClientSession, web

from kaspad_taskd.bridge.answers import PIECE, answer


async def _got(data: bytes, method: str = "GET") -> tuple[bytes, str, int]:
    """What a client gets of it, its told length, and the turns of the loop while it was sent."""
    turns = 0

    async def handle(_request: web.Request) -> web.Response:
        return answer(data, {"Content-Type": "text/plain"})

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    turning = asyncio.create_task(turn())
    async with ClientSession() as client, client.request(method, f"http://{host}:{port}/") as told:
        whole = await told.read()
        length = told.headers["Content-Length"]
    turning.cancel()
    await runner.cleanup()
    return whole, length, turns


@pytest.mark.parametrize("size", [0, 5, PIECE, PIECE + 1, 40 * PIECE + 3])
async def test_a_body_comes_whole_with_its_length(size: int) -> None:
    """In one piece or in many."""
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    whole, length, turns = await _got(data)
    assert (whole == data, length) == (True, str(size))
    assert turns > size // PIECE


async def test_who_asks_for_the_head_gets_its_length_alone() -> None:
    """As of a small one."""
    whole, length, _ = await _got(b"x" * (2 * PIECE), "HEAD")
    assert (whole, length) == (b"", str(2 * PIECE))
