"""Many hosts on one page: real daemons, one of them killed and started, in a real browser."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes import npm
from tests.fakes.bridged import bridged
from tests.fakes.taskd_process import Taskd
from tests.web.browser import Browser, chromium, shot
from tests.web.served import kind_of, served

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]

PAGE = npm.ROOT / "docs" / "examples" / "fleet" / "index.html"
STYLE = PAGE.with_name("fleet.css")
SCRIPT = npm.ROOT / "kaspad_taskd" / "web" / "embed" / "kaspad-taskd.js"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
    "connect-src http://127.0.0.1:* ws://127.0.0.1:*"
)
REFUSING = 'type = "node-sync"\nservice = "kaspa-node"\n[checker]\nurl = "grpc://127.0.0.1:9"\n'
FLEET = "document.querySelector('kaspad-fleet')"
ROOT = f"{FLEET}.shadowRoot"
ROWS = (
    f"[...{ROOT}.querySelectorAll('kaspad-host')].map((host) => "
    "[host.name, host.shadowRoot.querySelector('.row')?.innerText ?? ''])"
)


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[str, dict[str, bytes]]]:
    """A web server that is no daemon's: its origin, and what it serves by path."""
    texts = {"kaspad-taskd.js": SCRIPT.read_bytes(), "fleet.css": STYLE.read_bytes()}
    with served(lambda path: (texts[path], kind_of(path)), POLICY) as origin:
        yield origin, texts


@asynccontextmanager
async def host(place: Path, origin: str) -> AsyncIterator[tuple[Taskd, str]]:
    """A daemon that lets the page of that origin in, with a script at work; and its address."""
    (place / "kaspad-taskd.toml").write_text(f'[bridge]\norigins = ["{origin}"]\n')
    async with bridged(place) as (taskd, address):
        line = await taskd.line()
        await line.call(
            "registerTask", type="report", service="headers-import", checkInterval=600_000
        )
        await line.call("reportTask", taskId="report-headers-import", progress=45)
        yield taskd, f"{address}/"


class Fleet:
    """A page that shows three hosts: one at work, one whose node refuses, one to be lost."""

    def __init__(self, browser: Browser, url: str, addresses: list[str], lost: Taskd) -> None:
        self.browser = browser
        self.url = url
        self.addresses = addresses
        self.lost = lost

    async def open(self, **more: Any) -> None:
        """Open the page, and wait until all is known."""
        await self.browser.do("open", url=self.url, **more)
        for name in ("node-1", "node-2", "node-3"):
            await self.says(name, "1 running")
        await self.stand("node-2", "node-1", "node-3")

    async def add(self, address: str, name: str) -> None:
        """Put one more link into the fleet."""
        link = json.dumps(f'<a href="{address}">{name}</a>')
        add = f"{FLEET}.insertAdjacentHTML('beforeend', {link})"
        await self.browser.do("eval", code=add)

    async def says(self, name: str, text: str) -> None:
        """Wait until the row of a host says that."""
        there = f"name === {json.dumps(name)} && text.includes({json.dumps(text)})"
        await self.browser.do("wait", code=f"{ROWS}.some(([name, text]) => {there})")

    async def stand(self, *names: str) -> None:
        """Wait until the rows stand in that order."""
        code = f"{ROWS}.map(([name]) => name).join() === {json.dumps(','.join(names))}"
        await self.browser.do("wait", code=code)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(
    site: tuple[str, dict[str, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Fleet]:
    """Daemons, the example's page with their addresses, a browser."""
    origin, texts = site
    page, addresses = PAGE.read_text(), []
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium())
        for name in ("node-1", "node-2", "node-3"):
            place = tmp_path_factory.mktemp(name)
            if name == "node-2":
                (place / "tasks.d").mkdir()
                (place / "tasks.d" / "node-sync-kaspa-node.toml").write_text(REFUSING)
            taskd, address = await stack.enter_async_context(host(place, origin))
            addresses.append(address)
            page = page.replace(f"http://{name}.lan:3080/", address)
        texts[""] = page.encode()
        yield Fleet(browser, f"{origin}/", addresses, taskd)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("device", [("phone", 390), ("desktop", 1280)], ids=["phone", "desktop"])
async def test_a_silent_host_is_said_and_stands_above(
    fleet: Fleet, device: tuple[str, int], dark: bool
) -> None:
    """Since when, in grey, with the numbers of then; back by itself when its daemon is."""
    name, width = device
    await fleet.open(width=width, height=900, dark=dark)
    await fleet.lost.kill()
    try:
        await fleet.says("node-3", "No news from node-3 for")
        await fleet.stand("node-2", "node-3", "node-1")
        await fleet.says("node-3", "1 running")
        picture = shot(f"fleet-one-silent-{name}-{'dark' if dark else 'light'}")
        await fleet.browser.do("shot", shot=picture)
        assert await fleet.browser.do("judge") == []
        wide = "document.documentElement.scrollWidth - innerWidth"
        assert await fleet.browser.do("eval", code=wide) <= 0
    finally:
        await fleet.lost.start()
    await fleet.stand("node-2", "node-1", "node-3")
    await fleet.says("node-3", "last news")
    assert (await fleet.browser.do("said"))["said"] == []


async def test_no_row_moves_under_the_focus(fleet: Fleet) -> None:
    """The link that is about to be followed stays where it is, and leads to its host."""
    await fleet.open()
    focus = f"{ROOT}.querySelectorAll('kaspad-host')[1].shadowRoot.querySelector('a')"
    assert (
        await fleet.browser.do("eval", code=f"({focus}.focus(), {focus}.href)")
        == fleet.addresses[0]
    )
    await fleet.lost.kill()
    try:
        await fleet.says("node-3", "No news from node-3 for")
        told = f"{ROOT}.querySelector('[role=status]').textContent.includes('node-3')"
        await fleet.browser.do("wait", code=told)  # the order was looked at since
        await fleet.stand("node-2", "node-1", "node-3")
        await fleet.browser.do("eval", code=f"{focus}.blur()")
        await fleet.stand("node-2", "node-3", "node-1")
    finally:
        await fleet.lost.start()


async def test_a_host_that_never_answered_is_said(fleet: Fleet) -> None:
    """A link that is added later gets its row; with nobody there it says so and has no numbers."""
    await fleet.open()
    await fleet.add("http://127.0.0.1:9/", "node-4")
    await fleet.says("node-4", "No answer from node-4 for")
    await fleet.stand("node-2", "node-4", "node-1", "node-3")


async def test_without_scripts_it_is_a_list_of_links(fleet: Fleet) -> None:
    """Each host can be opened."""
    seen = await fleet.browser.do("look", url=fleet.url, scripts=False, axe=False)
    assert [name in seen["text"] for name in ("node-1", "node-2", "node-3")] == [True] * 3


async def test_a_host_that_asks_for_its_token_gets_it(
    fleet: Fleet, site: tuple[str, dict[str, bytes]], tmp_path: Path
) -> None:
    """A bridge beyond loopback shows nothing without; the page gives each host its own."""
    (tmp_path / "kaspad-taskd.toml").write_text(f'[bridge]\norigins = ["{site[0]}"]\n')
    async with bridged(tmp_path, listen="0.0.0.0") as (taskd, address):
        await fleet.open()
        await fleet.add(f"{address}/", "node-4")
        await fleet.says("node-4", "token")
        secrets = {f"{address}/": (taskd.state / "bridge.token").read_text().strip()}
        give = f"{FLEET}.token = (address) => ({json.dumps(secrets)})[address]"
        await fleet.browser.do("eval", code=f"void ({give})")
        await fleet.says("node-4", "Nothing is watched")


async def test_a_host_that_does_not_let_the_page_in_says_what_to_set(
    fleet: Fleet, tmp_path: Path
) -> None:
    """In the fleet's row and in a component: told apart from a daemon that does not run."""
    origins = json.dumps(f'origins = ["{fleet.url.rstrip("/")}"]')
    await fleet.open()
    async with bridged(tmp_path) as (taskd, address):
        await fleet.add(f"{address}/", "node-4")
        code = (
            "const own = Object.assign(document.createElement('kaspad-tasks'), {id: 'own'});"
            f"own.setAttribute('bridge', {json.dumps(address)}); document.body.append(own);"
        )
        await fleet.browser.do("eval", code=f"(() => {{ {code} }})()")
        await fleet.says("node-4", "It runs, but does not let this page in:")
        await fleet.says("node-4", json.loads(origins))
        text = "document.querySelector('#own').shadowRoot.textContent"
        await fleet.browser.do("wait", code=f"{text}.includes({origins})")
        await taskd.end()
    await fleet.browser.do("wait", code=f"!{text}.includes({origins})")
    await fleet.says("node-4", "node-4")
