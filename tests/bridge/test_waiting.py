"""Who tries tokens at the real door: answered later and later, and nobody else is kept."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.bridge import tries
from kaspad_taskd.config.settings import Address, Bridge
from tests.bridge.house import Bridged, bridged, until

PROXIED = Bridge(Address("127.0.0.1", 0), proxies=(ip_network("127.0.0.1/32"),))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Bridged]:
    async with bridged(tmp_path) as built:
        yield built


@pytest.fixture
async def proxied(tmp_path: Path) -> AsyncIterator[Bridged]:
    async with bridged(tmp_path, PROXIED) as built:
        yield built


async def give(house: Bridged, token: str, **headers: str) -> tuple[int, Any, Any]:
    """Status, body and Retry-After of `POST session`."""
    url, given = f"{house.base}/session", {"token": token}
    async with house.http.post(url, json=given, headers=headers) as answer:
        return answer.status, await answer.json(), answer.headers.get("Retry-After")


def from_(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


def given(house: Bridged) -> dict[str, list[float]]:
    """What waits, by address."""
    return {key: it.ends for key, it in house.access._given._known.items() if it.ends}


async def test_a_wrong_token_is_answered_a_second_later(house: Bridged) -> None:
    """And the next one two."""
    for seconds in (1, 2):
        began = time.monotonic()
        status, body, _ = await give(house, "wrong")
        assert time.monotonic() - began >= seconds
        assert (status, body) == (401, {"error": "That token is not right."})


async def test_the_ninth_is_sent_away_with_when_to_come_again(house: Bridged) -> None:
    """The right one too; in the form's own way where it is a form."""
    waiting = [asyncio.create_task(give(house, "wrong")) for _ in range(tries.WAITING)]
    await until(lambda: sum(map(len, given(house).values())) == tries.WAITING)
    status, body, after = await give(house, house.token)
    assert status == 429
    assert int(after) >= 1
    assert body["error"].startswith("Too many tries.")
    url = f"{house.base}/session"
    async with house.http.post(url, data={"token": "x"}, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "./?unlock=wait"
    for each in waiting:
        each.cancel()
    # a header and a connection are counted apart, and so is who has been in
    assert (await (await house.visit()).event("hello"))["canChange"] is True


async def test_who_is_in_stays_in_whatever_others_try(house: Bridged) -> None:
    """By the session: the page, its changes, its connection, another token given."""
    await house.add("job")
    assert (await give(house, house.token))[0] == 200
    cookies = {each.key: each.value for each in house.http.cookie_jar}
    cookie = "; ".join(f"{key}={value}" for key, value in cookies.items())
    house.http.cookie_jar.clear()
    waiting = [asyncio.create_task(give(house, "wrong")) for _ in range(tries.WAITING)]
    shown = [
        asyncio.create_task(house.get("/", Authorization="Bearer wrong"))
        for _ in range(tries.WAITING)
    ]
    await until(lambda: sum(map(len, given(house).values())) == tries.WAITING)
    assert (await give(house, house.token, Cookie=cookie))[0] == 200
    status, text = await house.get("/", Cookie=cookie)
    assert '"canChange": true' in text, status
    page = await house.visit(trusted=False, headers={"Cookie": cookie})
    assert (await page.event("hello"))["canChange"] is True
    assert "result" in await page.rpc("pauseTask", taskId="job")
    for each in (*waiting, *shown):
        each.cancel()


async def test_a_connection_with_a_wrong_token_waits_and_its_line_lives(house: Bridged) -> None:
    """Heartbeats go on meanwhile, and what it says at last is the wrong token's sentence."""
    house.server.sockets.eio.ping_interval = 0.1
    line = await house.line()
    await line.send_str("40" + json.dumps({"token": "wrong"}))
    pings = 0
    while (said := await line.receive()).data[:1] == "2":
        pings += 1
        await line.send_str("3")
    assert pings >= 3
    assert said.data.startswith("44")
    assert "That token is not right." in said.data


async def test_one_that_hangs_up_while_it_waits_is_forgotten(house: Bridged) -> None:
    """Nothing of it is kept."""
    line = await house.line()
    await line.send_str("40" + json.dumps({"token": "wrong"}))
    await until(lambda: house.server.sockets._knocking)
    line._response.close()
    await until(lambda: not house.server.sockets._knocking)
    await until(lambda: house.server.sockets.connections == 0)
    assert len(house.server.browsers) == 0
    assert not list(house.server.sockets.manager.get_participants("/", None))


async def test_a_second_knock_while_the_first_waits_is_malformed(house: Bridged) -> None:
    """One connection is one try."""
    line = await house.line()
    await line.send_str("40" + json.dumps({"token": "wrong"}))
    await until(lambda: house.server.sockets._knocking)
    await line.send_str("40" + json.dumps({"token": "wrong"}))
    while (await line.receive()).data is not None:
        pass


async def test_a_stop_waits_for_no_try(tmp_path: Path) -> None:
    """It is over in a second, whoever waits for an answer."""
    async with bridged(tmp_path) as built:
        waiting = [asyncio.create_task(give(built, "wrong")) for _ in range(5)]
        line = await built.line()
        await line.send_str("40" + json.dumps({"token": "wrong"}))
        await until(lambda: built.server.sockets._knocking)
        await until(lambda: sum(map(len, given(built).values())) == 5)
        async with asyncio.timeout(30):
            await built.server.stop("test")
        assert not built.server.sockets._knocking
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_behind_a_proxy_tries_are_counted_by_who_made_them(proxied: Bridged) -> None:
    """One browser's wrong tokens are no other's delay; a /64 is one."""
    waiting = [
        asyncio.create_task(give(proxied, "wrong", **from_(f"9.9.9.9, 2001:db8::{n}")))
        for n in range(tries.WAITING)
    ]
    await until(lambda: sum(map(len, given(proxied).values())) == tries.WAITING)
    assert given(proxied).keys() == {"2001:db8::/64"}
    assert (await give(proxied, proxied.token, **from_("2001:db8::ffff")))[0] == 429
    assert (await give(proxied, proxied.token, **from_("2001:db8:0:1::1")))[0] == 200
    for each in waiting:
        each.cancel()


async def test_without_proxies_the_headers_are_ignored(house: Bridged) -> None:
    """Nobody chooses an address."""
    waiting = [
        asyncio.create_task(give(house, "wrong", **from_(f"203.0.113.{n}")))
        for n in range(tries.WAITING)
    ]
    await until(lambda: sum(map(len, given(house).values())) == tries.WAITING)
    assert given(house).keys() == {"127.0.0.1"}
    assert (await give(house, house.token, **from_("203.0.113.99")))[0] == 429
    for each in waiting:
        each.cancel()
