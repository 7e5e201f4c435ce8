"""What "Lock" and a new token do to those who are connected."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from kaspad_taskd.config.settings import Address, Bridge
from tests.bridge.house import Bridged, Visitor
from tests.bridge.house import bridged as house_of
from tests.fakes.bridged import bridged
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd_process import Refusal, Taskd


async def unlock(house: Bridged) -> str:
    """Return the Cookie header of a new session."""
    url, given = f"{house.base}/session", {"token": house.token}
    async with house.http.post(url, json=given) as answer:
        assert answer.status == 200
        cookie = answer.headers["Set-Cookie"].split(";")[0]
    house.http.cookie_jar.clear()
    return cookie


async def lock(house: Bridged, cookie: str) -> int:
    async with house.http.delete(f"{house.base}/session", headers={"Cookie": cookie}) as answer:
        return answer.status


async def greeted(house: Bridged, **how: Any) -> Visitor:
    """A client that has been told whether it may change something: it may."""
    visitor = await house.visit(**how)
    assert (await visitor.event("hello"))["canChange"] is True
    return visitor


async def test_a_lock_closes_its_own_connections_alone(tmp_path: Path) -> None:
    """Those of other sessions, of programs with the token and of who only looks stay."""
    async with house_of(tmp_path) as house:
        mine, other = await unlock(house), await unlock(house)
        locked = [await greeted(house, trusted=False, headers={"Cookie": mine}) for _ in range(2)]
        stay = [
            await greeted(house, trusted=False, headers={"Cookie": other}),
            await greeted(house),
        ]
        looks = await house.visit(trusted=False)
        assert await lock(house, mine) == 200
        for each in locked:
            await each.ended()
        for each in (*stay, looks):
            assert (await each.rpc("ping"))["result"]["pong"] is True
        again = await house.visit(trusted=False, headers={"Cookie": mine})
        assert (await again.event("hello"))["canChange"] is False


async def test_a_polling_connection_is_closed_too(tmp_path: Path) -> None:
    """Its poll ends, and its id is none any more."""
    async with house_of(tmp_path) as house:
        cookie = await unlock(house)
        url, headers = f"{house.base}/socket.io/?EIO=4&transport=polling", {"Cookie": cookie}
        async with house.http.get(url, headers=headers) as answer:
            sid = json.loads((await answer.text())[1:])["sid"]
        async with house.http.post(f"{url}&sid={sid}", data="40", headers=headers) as answer:
            assert answer.status == 200
        async with house.http.get(f"{url}&sid={sid}", headers=headers) as answer:
            assert "canChange" in await answer.text()
        polling = asyncio.create_task(house.http.get(f"{url}&sid={sid}", headers=headers))
        await asyncio.sleep(0.05)
        assert await lock(house, cookie) == 200
        async with asyncio.timeout(PATIENCE):
            (await polling).close()
            while True:
                async with house.http.get(f"{url}&sid={sid}", headers=headers) as answer:
                    if answer.status == 400:
                        break


async def test_a_new_token_closes_all_that_had_a_right(tmp_path: Path) -> None:
    """By session, by header, by `auth`; who only looks stays, and needs the new one to change."""
    async with house_of(tmp_path) as house:
        old, cookie = house.token, await unlock(house)
        bearer = {"Authorization": f"Bearer {old}"}
        gone = [
            await greeted(house, trusted=False, headers={"Cookie": cookie}),
            await greeted(house, trusted=False, headers=bearer),
            await greeted(house),
        ]
        looks = await house.visit(trusted=False)
        await house.opened.keys.renew()
        for each in gone:
            await each.ended()
        assert (await looks.rpc("ping"))["result"]["pong"] is True
        with pytest.raises(PermissionError, match="not right"):
            await house.visit({"token": old}, trusted=False)
        again = await house.visit(trusted=False, headers={"Cookie": cookie})
        assert (await again.event("hello"))["canChange"] is False


async def test_a_try_under_way_is_judged_by_the_token_of_its_end(tmp_path: Path) -> None:
    """What was right when it came is wrong after `token new`."""
    async with house_of(tmp_path) as house:
        url, old = f"{house.base}/session", house.token
        async with house.http.post(url, json={"token": "wrong"}) as answer:
            assert answer.status == 401
        giving = asyncio.create_task(house.http.post(url, json={"token": old}))
        while not house.access._given._known["127.0.0.1"].ends:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await house.opened.keys.renew()
        async with await giving as answer:
            assert answer.status == 401


async def test_a_lock_that_is_not_on_disk_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, and the browser is locked all the same."""
    from kaspad_taskd.bridge import keys as room

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async with house_of(tmp_path) as house:
        cookie = await unlock(house)
        with monkeypatch.context() as disk:
            disk.setattr(room, "write_atomically", full)
            assert await lock(house, cookie) == 503
        again = await house.visit(trusted=False, headers={"Cookie": cookie})
        assert (await again.event("hello"))["canChange"] is False


async def test_a_bridge_that_comes_back_knows_who_was_locked(tmp_path: Path) -> None:
    """On another port too, where the cookie has another name."""
    async with house_of(tmp_path) as house:
        mine, other = await unlock(house), await unlock(house)
        assert await lock(house, mine) == 200
    async with house_of(tmp_path, Bridge(Address("127.0.0.1", 0))) as house:
        name = f"kaspad-taskd-{house.opened.address.port}"
        for cookie, can in ((mine, False), (other, True)):
            headers = {"Cookie": f"{name}={cookie.partition('=')[2]}"}
            visitor = await house.visit(trusted=False, headers=headers)
            assert (await visitor.event("hello"))["canChange"] is can


# -- the real daemon, and its client


def text_of(file: Path) -> str:
    return file.read_text().strip()


async def ctl(taskd: Taskd, *words: str) -> tuple[int, str, str]:
    """Run kaspad-taskctl; its code, output and complaints."""
    socket = str(taskd.runtime / "rpc.sock")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kaspad_taskd.cli", "--socket", socket, *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=os.environ,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.mark.system
async def test_token_new_and_locks_hold_over_restarts_of_the_daemon(tmp_path: Path) -> None:
    """A locked session, a killed daemon, a new token, an open page: nothing rises again."""
    async with bridged(tmp_path) as (taskd, base), aiohttp.ClientSession() as http:
        line = await taskd.line()
        file = Path((await line.call("getInfo"))["bridge"]["tokenFile"])
        old = text_of(file)

        async def can_change(cookie: str) -> bool:
            async with http.get(base, headers={"Cookie": cookie}) as page:
                return '"canChange":true' in (await page.text()).replace(" ", "")

        cookies = []
        for _ in range(2):
            async with http.post(f"{base}/session", json={"token": old}) as answer:
                cookies.append(answer.headers["Set-Cookie"].split(";")[0])
            http.cookie_jar.clear()
        async with http.delete(f"{base}/session", headers={"Cookie": cookies[0]}) as answer:
            assert answer.status == 200
        await taskd.kill()
        await taskd.start()
        assert [await can_change(each) for each in cookies] == [False, True]
        code, out, err = await ctl(taskd, "token", "new")
        assert (code, err) == (0, "")
        assert str(file) in out
        new = text_of(file)
        assert new != old
        assert new not in out + taskd.said()
        assert [await can_change(each) for each in cookies] == [False, False]
        await taskd.kill()
        await taskd.start()
        assert [await can_change(each) for each in cookies] == [False, False]
        async with http.post(f"{base}/session", json={"token": new}) as answer:
            assert answer.status == 200


@pytest.mark.system
async def test_token_new_says_whose_the_token_is(tmp_path: Path) -> None:
    """A file of the administrator's is left alone, with what to type; so is no bridge."""
    token = tmp_path / "token"
    token.write_text("x" * 40)
    taskd = Taskd(tmp_path, "--bridge", "127.0.0.1:0")
    taskd.settings.write_text(f'[bridge]\ntoken_file = "{token}"\n')
    async with taskd:
        line = await taskd.start()
        with pytest.raises(Refusal) as refused:
            await line.call("newToken")
        assert refused.value.reason == "not-allowed"
        code, _, err = await ctl(taskd, "token", "new")
        assert code == 1
        assert f"tee {token} >/dev/null), then" in err
    assert token.read_text() == "x" * 40
    async with Taskd(tmp_path / "none", "--bridge", "off") as off:
        await off.start()
        code, _, err = await ctl(off, "token", "new")
        assert (code, "There is no bridge" in err, "listen in [bridge]" in err) == (1, True, True)
