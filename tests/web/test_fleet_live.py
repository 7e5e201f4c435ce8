"""The page of a fleet in a real browser on a real hub: it lives, and says what it does not know."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.fleet_writer import a_progress, a_task
from tests.fakes.hub import Fleet, Hub, fleet
from tests.fakes.redis_server import RedisServer, needs_redis
from tests.web.browser import LIVE, Browser, chromium, shot

pytestmark = [needs_redis, pytest.mark.system, pytest.mark.timeout(600)]

SURE = "document.querySelectorAll('[data-verdict=ok]:not(.lost)').length"


class Stage:
    """A server, hosts, a hub and a browser."""

    def __init__(self, hosts: Fleet, hub: Hub, browser: Browser) -> None:
        self.hosts, self.hub, self.browser = hosts, hub, browser

    async def open(self, path: str = "/") -> None:
        await self.browser.do("open", url=self.hub.url + path, width=1280, height=900)
        await self.until(LIVE)

    async def until(self, code: str) -> None:
        await self.browser.do("wait", code=code)

    async def says(self, at: str, text: str) -> None:
        await self.until(
            f"document.querySelector({json.dumps(at)})?.textContent.includes({json.dumps(text)})"
        )

    async def said(self) -> list[str]:
        told: list[str] = (await self.browser.do("said"))["said"]
        return told


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    with RedisServer(tmp_path / "redis") as server, server.client() as client:
        async with (
            chromium() as browser,
            fleet(client, "node-1", "node-2", "node-3") as hosts,
            Hub(tmp_path / "hub", server.server) as hub,
        ):
            await hub.until("/", lambda text: text.count('data-verdict="ok"') == 3)
            yield Stage(hosts, hub, browser)


async def test_all_hosts_live_and_are_grey_when_the_hub_is_gone(stage: Stage) -> None:
    """A row moves, trouble comes to the top; of a hub that is killed nothing stays green."""
    await stage.open()
    stage.hosts.write("node-3", progress=[a_progress("task-0", progress=64)])
    await stage.says("#h-node-3 [data-h=said]", "64")
    stage.hosts.write("node-2", tasks=[a_task(health="unreachable")])
    await stage.says(".rows > :first-child", "node-2")
    await stage.says("h1", "1 of 3 hosts needs somebody")
    assert await stage.browser.do("judge") == []
    del stage.hosts.living["node-1"]
    await stage.says("#h-node-1 [data-h=state]", "Silent")
    await stage.hub.stop()
    await stage.until(f"{SURE} === 0")
    await stage.says("#h-node-3 [data-h=state]", "Not known")
    await stage.says("h1", "How the hosts are is not known now")
    await stage.says("#notices", "Not connected to the hub since")
    await stage.browser.do("shot", shot=shot("fleet-hub-gone"))
    await stage.hub.start()
    await stage.until(f"{LIVE} && {SURE} > 0")
    assert await stage.said() == []


async def test_a_host_s_own_page_lives_and_is_grey_when_it_is_silent(stage: Stage) -> None:
    """As it looks there, without buttons; then as it was when it was heard last."""
    await stage.open("/host/node-1/")
    await stage.says("[data-part=heard]", "Well, heard over its relay.")
    stage.hosts.write("node-1", progress=[a_progress("task-0", progress=64)])
    await stage.says("[data-id=task-0] [data-t=percent]", "64")
    host = stage.hosts.hosts["node-1"]
    stage.hosts.write("node-1", events=[host.event("sync:paused")])
    await stage.says(".story", "node")
    assert await stage.browser.do("eval", code="document.querySelector('[data-action]')") is None
    assert await stage.browser.do("judge") == []
    await stage.browser.do("shot", shot=shot("fleet-host"))
    del stage.hosts.living["node-1"]
    await stage.says("[data-part=heard]", "Silent: nothing comes from it or its relay.")
    await stage.until("document.documentElement.matches('.lost')")
    await stage.says("h1", "At ")
    await stage.browser.do("shot", shot=shot("fleet-host-silent"))
    stage.hosts.living["node-1"] = host
    await stage.says("[data-part=heard]", "Well, heard over its relay.")
    await stage.until("!document.documentElement.matches('.lost')")
    await stage.browser.do("click", at=".card h2 a")
    await stage.says("[data-part=history]", "on the host itself")
    await stage.until(LIVE)
    assert await stage.said() == []
