"""A browser that stays open while its hub goes: what comes back, comes back by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes.bridged import free_port
from tests.fakes.fleet_writer import a_progress
from tests.fakes.hub import Fleet, Hub, fleet
from tests.fakes.redis_server import RedisServer, needs_redis
from tests.web.browser import LIVE, Browser, chromium

pytestmark = [
    needs_redis,
    pytest.mark.system,
    pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="module"),
]

GREEN = {
    "/": "document.querySelector('#h-node-1').matches('[data-verdict=ok]:not(.lost)')",
    "/host/node-1/": "!document.documentElement.matches('.lost')",
    "/host/node-1/task/task-0": "!document.documentElement.matches('.lost')",
}
"""By page: whether node-1 is said to be well."""
CANNOT = "document.querySelector('.banner')?.textContent.includes('Redis cannot be read')"
SEEN_LAST = "document.querySelectorAll('[data-host]').length === 2"
ANSWERED = "error: Failed to load resource: the server responded with a status of "
"""Of the browser itself, where a hub says that it cannot tell."""
SAME = "window.mine === 1"
"""Whether it is the page that was opened, never loaded anew."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest.fixture
def port() -> int:
    return free_port()


async def opened(browser: Browser, url: str, green: str) -> None:
    await browser.do("open", url=url, width=1280, height=900)
    await browser.do("wait", code=f"{LIVE} && {green}")
    await browser.do("eval", code="window.mine = 1")


async def moves(hosts: Fleet, browser: Browser, path: str, share: int) -> None:
    """What happens from now on is on the page."""
    hosts.write("node-1", progress=[a_progress("task-0", progress=share)])
    at = "#h-node-1 [data-h=said]" if path == "/" else "[data-id=task-0] [data-t=percent]"
    code = f"document.querySelector('{at}').textContent.includes('{share}')"
    await browser.do("wait", code=f"{LIVE} && {code}")


@pytest.mark.parametrize("path", GREEN)
async def test_a_page_comes_back_with_a_hub(
    browser: Browser, tmp_path: Path, port: int, path: str
) -> None:
    """The same one, another one at its address, and one that has no server to read at first."""
    green = GREEN[path]
    with RedisServer(tmp_path / "redis") as server, server.client() as client:
        async with fleet(client, "node-1", "node-2") as hosts:
            first = Hub(tmp_path / "first", server.server, port=port)
            await first.start()
            await first.until("/", lambda text: text.count('data-verdict="ok"') == 2)
            await opened(browser, first.url + path, green)
            await first.stop()
            await browser.do("wait", code=f"!({green})")
            await first.start()
            await browser.do("wait", code=f"{LIVE} && {green} && {SAME}")
            await moves(hosts, browser, path, 61)
            await first.stop()
            async with Hub(tmp_path / "second", server.server, port=port):
                await browser.do("wait", code=f"{LIVE} && {green} && {SAME}")
                await moves(hosts, browser, path, 62)
            hosts.living.clear()
            await asyncio.sleep(1)  # who still writes has written
            server.kill()
            async with Hub(tmp_path / "third", server.server, port=port) as third:
                await browser.do("wait", code=f"!({green})")
                assert (await third.get("/healthz"))[0] == 503
                if path != "/":
                    assert (await third.get(path))[0] == 503
                else:  # what was seen last stays, and why it is not known is said
                    await browser.do("wait", code=CANNOT)
                    assert await browser.do("eval", code=SEEN_LAST)
                server.start()
                hosts.living.update(hosts.hosts)
                await browser.do("wait", code=f"{LIVE} && {green} && {SAME}")
                await moves(hosts, browser, path, 63)
    said = (await browser.do("said"))["said"]
    assert [one for one in said if not one.startswith(ANSWERED)] == []


async def test_a_page_that_is_opened_too_early_comes_when_it_can(
    browser: Browser, tmp_path: Path, port: int
) -> None:
    """A host of which nobody can tell yet: its page is looked for until it is there."""
    with RedisServer(tmp_path / "redis") as server:
        server.kill()
        async with Hub(tmp_path / "hub", server.server, port=port) as hub:
            await browser.do("open", url=f"{hub.url}/host/node-1/")
            assert "not known" in await browser.text("body")
            server.start()
            with server.client() as client:
                async with fleet(client, "node-1"):
                    live = f"document.querySelector('#link') && {LIVE}"
                    await browser.do("wait", code=f"{live} && {GREEN['/host/node-1/']}")
