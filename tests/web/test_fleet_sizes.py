"""Fleets of every size over a real server and a real hub, in a real browser."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes.fleet_writer import FleetHost, a_task
from tests.fakes.hub import Fleet, HubProcess, fleet
from tests.fakes.redis_server import RedisServer, needs_redis
from tests.web.browser import DEVICES, LIVE, Browser, chromium, shot
from tests.web.fleets import SITES
from tests.web.test_fleet_pictures import READ_AT_4_M, SMALLEST

pytestmark = [
    needs_redis,
    pytest.mark.system,
    pytest.mark.timeout(900),
    pytest.mark.asyncio(loop_scope="module"),
]

PAGE = 100
"""Hosts of one page."""
ROWS = "[...document.querySelectorAll('[data-host]')].map((one) => one.dataset)"
WIDE = "document.documentElement.scrollWidth - innerWidth"
PATIENCE_MS = 120_000


class Seen:
    """A fleet in a browser; some of its hosts have trouble, some are silent.

    Attributes:
        order: hosts and verdicts as they are to be, from top to bottom.
    """

    def __init__(self, browser: Browser, hub: HubProcess, hosts: Fleet, odd: dict[str, str]):
        self.browser, self.hub = browser, hub
        self.labels = {name: host.labels["site"] for name, host in hosts.hosts.items()}
        rank = {"trouble": 0, "silent": 1, "ok": 2}
        known = [(name, odd.get(name, "ok")) for name in hosts.hosts]
        self.order = sorted(known, key=lambda one: (rank[one[1]], one[0]))

    async def open(self, path: str, width: int, height: int) -> None:
        """Open a page; it is whole, and lives."""
        await self.browser.do("open", url=self.hub.url + path, width=width, height=height)
        await self.browser.do("wait", code=LIVE, ms=PATIENCE_MS)

    async def shows(self, order: Sequence[tuple[str, str]]) -> None:
        """These rows come to stand there, and no others."""
        wanted = [f"{name} {verdict}" for name, verdict in order]
        rows = f"{ROWS}.map((one) => `${{one.host}} ${{one.verdict}}`).join()"
        code = f"{rows} === {','.join(wanted)!r}"
        await self.browser.do("wait", code=code, ms=PATIENCE_MS)

    async def judged(self, name: str) -> None:
        """Nothing scrolls sideways, and neither axe nor the console has anything to say."""
        await self.browser.do("shot", shot=shot(name))
        assert await self.browser.do("eval", code=WIDE) <= 0
        assert await self.browser.do("judge") == []
        assert (await self.browser.do("said"))["said"] == []


def odd_ones(count: int) -> dict[str, str]:
    """Which hosts are how, where they are not well: none where there is one."""
    names = [f"node-{at:04}" for at in range(count)]
    trouble, silent = names[-1 : -count // 100 - 2 : -1], names[1 : 2 + count // 100]
    return {} if count == 1 else dict.fromkeys(trouble, "trouble") | dict.fromkeys(silent, "silent")


def made(count: int) -> list[FleetHost]:
    """So many hosts; the name and a label of one are as long as they can be."""
    hosts = [FleetHost(f"node-{at:04}", labels={"site": SITES[at % 3]}) for at in range(count)]
    hosts[0].labels = {**hosts[0].labels, "in-the-rack-of-the-cellar": "x" * 100}
    return hosts


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


SIZES: Sequence[Any] = (
    120,
    *(pytest.param(count, marks=pytest.mark.long) for count in (1, 12, 300, 1000)),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=SIZES)
async def seen(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> AsyncIterator[Seen]:
    count: int = request.param
    place, odd = tmp_path_factory.mktemp("sizes"), odd_ones(count)
    with RedisServer(place / "redis") as server, server.client() as client:
        async with fleet(client, *made(count)) as hosts, HubProcess(place, server.server) as hub:
            for name, verdict in odd.items():
                if verdict == "silent":
                    del hosts.living[name]
                else:
                    hosts.write(name, tasks=[a_task(health="unreachable")])
            stage = Seen(browser, hub, hosts, odd)
            ill = len(odd)
            async with asyncio.timeout(300):
                while stage.order[: ill + 1] != (await _first(hub))[: ill + 1]:  # noqa: ASYNC110
                    await asyncio.sleep(0.5)
            yield stage


async def _first(hub: HubProcess) -> list[tuple[str, str]]:
    _, text = await hub.get("/")
    return re.findall(r'data-host="([^"]*)" data-verdict="([^"]*)"', text)


@pytest.mark.parametrize(("device", "width", "height"), DEVICES)
async def test_trouble_is_first_silence_second_and_all_are_found(
    seen: Seen, device: str, width: int, height: int
) -> None:
    """Page by page, by what is typed, and by a label; on a phone as on a desktop."""
    count, at = len(seen.order), f"sizes-{len(seen.order)}-{device}"
    await seen.open("/", width, height)
    await seen.shows(seen.order[:PAGE])
    await seen.judged(at)
    for page in range(2, -(-count // PAGE) + 1):
        await seen.browser.do("click", at=".pages a[href*=page]:last-of-type")
        await seen.shows(seen.order[(page - 1) * PAGE : page * PAGE])
    if count < 8:  # there is nothing to look for
        return
    await seen.open("/", width, height)
    await seen.browser.do("fill", at="[name=q]", text="SITE=graz")
    await seen.browser.do("press", key="Enter")
    graz = [one for one in seen.order if seen.labels[one[0]] == "Graz"]
    await seen.shows(graz[:PAGE])
    await seen.open("/?by=site", width, height)
    grouped = sorted(seen.order, key=lambda one: seen.labels[one[0]])
    await seen.shows(grouped[:PAGE])
    await seen.judged(f"{at}-by")
    await seen.browser.do("click", at=".chips a[href*=silent]")
    await seen.shows([one for one in grouped if one[1] == "silent"])


@pytest.mark.parametrize(("device", "width", "height"), [("tv", 1920, 1080), DEVICES[0]])
async def test_the_wall_is_read_at_4_m(seen: Seen, device: str, width: int, height: int) -> None:
    """All where they are few, else who is not well; no letter is smaller than it may be."""
    await seen.open("/?wall", width, height)
    few = len(seen.order) <= 24
    await seen.shows(seen.order if few else [one for one in seen.order if one[1] != "ok"])
    await seen.judged(f"sizes-{len(seen.order)}-wall-{device}")
    if device == "tv":
        assert await seen.browser.do("eval", code=SMALLEST) >= READ_AT_4_M
