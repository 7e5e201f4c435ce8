"""A browser that does not hear its hub any more counts on by itself: to 15 s, not less, not more.

The page's own time stands still here and passes as these tests say; the hub's and the hosts' is
real.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import pytest
import pytest_asyncio

from tests.fakes.hub import Fleet, HubProcess, fleet
from tests.fakes.redis_server import RedisServer, needs_redis
from tests.web.browser import LIVE, Browser, chromium

pytestmark = [
    needs_redis,
    pytest.mark.system,
    pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="module"),
]

ROW = "document.querySelector('#h-{}').matches('[data-verdict=ok]:not(.lost)')"
PAGE = "!document.documentElement.matches('.lost')"
GREEN = {"/": ROW.format("node-1"), "/host/node-1/": PAGE}
"""By page: whether node-1 is said to be well."""
FOR_SURE_MS = 7000
"""What was heard when the hub spoke last was 7 s old at most: it is true for so long at least."""
AT_MOST_MS = 8000
LATE = re.compile(r'"late":\{"node-1":(\d+)\}')


class Line:
    """What lies between a browser and a hub: it can be held; what came meanwhile comes later."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open = asyncio.Event()
        self._writers: list[asyncio.StreamWriter] = []
        self.held = 0
        self._open.set()

    def hold(self) -> None:
        """Let nothing through to the browser."""
        self._open.clear()

    def go_on(self) -> None:
        """Let through what was held."""
        self._open.set()

    async def _pipe(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event | None
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if gate is not None and not gate.is_set():
                    self.held += len(data)
                    await gate.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on a connection."""
        back, there = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, there]
        await asyncio.gather(self._pipe(reader, there, None), self._pipe(back, writer, self._open))

    def end(self) -> None:
        """End all connections."""
        self.go_on()
        for writer in self._writers:
            writer.transport.abort()


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[tuple[Line, str]]:
    """A line to a hub, and the address of its page over it."""
    line = Line(port)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    try:
        yield line, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        line.end()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hosts(server: RedisServer) -> AsyncIterator[Fleet]:
    with server.client() as client:
        async with fleet(client, "node-1", "constructor") as made:
            yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def process(
    tmp_path_factory: pytest.TempPathFactory, server: RedisServer
) -> AsyncIterator[HubProcess]:
    made = HubProcess(tmp_path_factory.mktemp("hub"), server.server)
    await made.start()
    try:
        yield made
    finally:
        await made.stop(signal.SIGKILL)


@pytest_asyncio.fixture(loop_scope="module")
async def hub(process: HubProcess, hosts: Fleet) -> AsyncIterator[HubProcess]:
    """A hub that hears both hosts, whatever was done to it before."""
    hosts.living.update(hosts.hosts)
    if process.process.returncode is not None:
        await process.start()
    await process.until("/", lambda text: text.count('data-verdict="ok"') == 2)
    yield process
    if process.process.returncode is None:
        process.process.send_signal(signal.SIGCONT)


async def opened(browser: Browser, url: str, green: str) -> None:
    """See a page live and green; from then on no time passes in it."""
    await browser.do("open", url=url, still=True)
    await browser.do("wait", code=f"{LIVE} && {green}", step=250)
    await browser.do("heard", text="host:news")


async def stops(hub: HubProcess, _line: Line) -> None:
    hub.process.send_signal(signal.SIGSTOP)


async def is_killed(hub: HubProcess, _line: Line) -> None:
    await hub.stop(signal.SIGKILL)


async def is_cut_off(_hub: HubProcess, line: Line) -> None:
    line.hold()


Way: TypeAlias = Callable[[HubProcess, Line], Awaitable[None]]
each_page = pytest.mark.parametrize("path", GREEN)
each_way = pytest.mark.parametrize("goes", [stops, is_killed, is_cut_off])


@each_page
@each_way
async def test_who_does_not_hear_the_hub_shows_nothing_green_for_15_s(
    browser: Browser,
    hub: HubProcess,
    goes: Way,
    path: str,
) -> None:
    """Not after 8 s more than the hub's last word, which may be 7 s old; nor grey before that."""
    async with line_to(hub.port) as (line, address):
        green = GREEN[path]
        await opened(browser, address + path, green)
        await goes(hub, line)
        await browser.do("pass", ms=FOR_SURE_MS)
        assert await browser.do("eval", code=green)
        await browser.do("pass", ms=AT_MOST_MS - FOR_SURE_MS)
        assert not await browser.do("eval", code=green)
        if path == "/":
            assert not await browser.do("eval", code=ROW.format("constructor"))


@each_page
async def test_who_was_not_heard_for_a_while_already_is_grey_sooner(
    browser: Browser, hub: HubProcess, hosts: Fleet, path: str
) -> None:
    """The hub says for how long; with it, it is 15 s, and others are as sure as they were."""
    green = GREEN[path]
    await opened(browser, hub.url + path, green)
    del hosts.living["node-1"]
    frame = await browser.do("heard", text='"late":{"node-1":')
    hub.process.send_signal(signal.SIGSTOP)
    frame = await browser.do("heard", text='"late":{"node-1":')  # the newest of them
    found = LATE.search(frame)
    assert found is not None
    left = 15_000 - int(found[1])
    assert 0 < left < AT_MOST_MS
    await browser.do("pass", ms=max(0, left - 1000))
    assert await browser.do("eval", code=green)
    await browser.do("pass", ms=1000)
    assert not await browser.do("eval", code=green)
    if path == "/":
        assert await browser.do("eval", code=ROW.format("constructor"))


async def test_what_was_held_on_its_way_is_as_old_as_it_is(
    browser: Browser, hub: HubProcess
) -> None:
    """A network that is there again brings what the hub said long ago: nothing is green by it."""
    async with line_to(hub.port) as (line, address):
        await opened(browser, f"{address}/", GREEN["/"])
        line.hold()
        async with asyncio.timeout(60):
            while not line.held:  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(0.1)
        hub.process.send_signal(signal.SIGSTOP)
        await browser.do("pass", ms=20_000)
        assert not await browser.do("eval", code=GREEN["/"])
        known = await browser.do("frames")
        line.go_on()
        async with asyncio.timeout(60):
            while await browser.do("frames") == known:  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(0.1)
        await browser.do("pass", ms=1000)
        assert not await browser.do("eval", code=GREEN["/"])


SAMPLED = """{
  let last = Date.now();
  window.sampled = { late: 0, greyAt: 0 };
  setInterval(() => {
    const now = Date.now(), calm = now - last < 400, green = GREEN;
    last = now;
    if (!green) sampled.greyAt ||= now;
    if (green && calm && now > SINCE + 15_000) sampled.late++;
  }, 50);
}"""
"""Looks every 50 ms; where the browser itself stood still nobody saw anything."""


@pytest.mark.long
@each_page
@each_way
async def test_so_it_is_by_a_real_clock(
    browser: Browser,
    hub: HubProcess,
    goes: Way,
    path: str,
) -> None:
    """15 s after the hub was there nobody has seen anything green."""
    async with line_to(hub.port) as (line, address):
        green = GREEN[path]
        await browser.do("open", url=address + path)
        await browser.do("wait", code=f"{LIVE} && {green}")
        await browser.do("heard", text="host:news")
        await goes(hub, line)
        since = time.time() * 1000
        code = SAMPLED.replace("GREEN", green).replace("SINCE", str(since))
        await browser.do("eval", code=f"(() => {code})()")
        await browser.do("wait", code=f"Date.now() > {since + 20_000}")
        found = await browser.do("eval", code="window.sampled")
        assert found["late"] == 0
        assert found["greyAt"] > since
