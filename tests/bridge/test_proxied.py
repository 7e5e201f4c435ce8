"""Behind a real nginx, set up as docs/operations.md has it."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import aiohttp
import pytest

from kaspad_taskd.bridge.tries import WAITING
from kaspad_taskd.config.settings import Address, Bridge
from tests.bridge.house import Bridged, bridged, until
from tests.fakes.bridged import free_port, listening, program
from tests.fakes.taskd_process import until as until_true

pytestmark = pytest.mark.system

PAGE = Path(__file__).parents[2] / "docs/operations.md"
PROXIED = Bridge(Address("127.0.0.1", 0), proxies=(ip_network("127.0.0.1/32"),))


def configured(place: Path, house: Bridged, port: int) -> list[str]:
    """The command of an nginx with the page's own block."""
    found = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if found is None:
        pytest.skip("nginx is not installed: apt install nginx-light")
    block = re.search(r"```nginx\n# in http: (map .*?)\n(location .*?)```", PAGE.read_text(), re.S)
    assert block is not None
    location = block[2].replace("127.0.0.1:3080", f"127.0.0.1:{house.opened.address.port}")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {place}/{kind};\n" for kind in kinds)
    server = f"server {{ listen 127.0.0.1:{port};\n{location}}}"
    text = f"http {{ access_log off;\n{temporary}{block[1]}\n{server}\n}}\n"
    conf = place / "nginx.conf"
    conf.write_text(f"daemon off; pid {place}/pid; error_log {place}/log;\nevents {{}}\n{text}")
    return [found, "-e", f"{place}/log", "-c", str(conf)]


@asynccontextmanager
async def behind_nginx(place: Path) -> AsyncIterator[tuple[Bridged, str]]:
    async with bridged(place, PROXIED) as house:
        port = free_port()
        async with program(*configured(place, house, port)):
            await until_true(lambda: listening(port), 60)
            yield house, f"http://127.0.0.1:{port}/taskd/session"


def coming_from(address: str) -> aiohttp.ClientSession:
    """A browser whose connections have this address: all of 127.0.0.0/8 is this host's."""
    connector = aiohttp.TCPConnector(local_addr=(address, 0), limit=0)
    return aiohttp.ClientSession(connector=connector)


async def give(browser: aiohttp.ClientSession, url: str, token: str, **headers: str) -> int:
    async with browser.post(url, json={"token": token}, headers=headers) as answer:
        return answer.status


async def test_one_browsers_tries_keep_no_other_one(tmp_path: Path) -> None:
    """Whatever address it claims to have, in either header."""
    async with (
        behind_nginx(tmp_path) as (house, url),
        coming_from("127.0.0.2") as bad,
        coming_from("127.0.0.3") as good,
    ):
        forged = {"X-Forwarded-For": "127.0.0.3", "Forwarded": "for=127.0.0.3"}
        wrong = [asyncio.create_task(give(bad, url, "wrong", **forged)) for _ in range(WAITING)]
        known = house.access._given._known
        await until(lambda: sum(len(each.ends) for each in known.values()) == WAITING)
        assert known.keys() == {"127.0.0.2"}
        assert await give(bad, url, house.token, **forged) == 429
        assert await give(good, url, house.token) == 200
        assert any(not each.done() for each in wrong)  # it was let in while they wait
        for each in wrong:
            each.cancel()
