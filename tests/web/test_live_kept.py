"""The page on a node that is complete and kept watch on: in sync, behind, gone, paused, back."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.bridged import free_port
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd_process import Line, Taskd, until
from tests.fakes.told_node import BPS, TIP, Says, ToldGrpc
from tests.web.browser import LIVE, Browser, chromium, shot

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

NODE = "node-sync-kaspa-node"
CARD = f"[data-id={NODE}]"
DEFINITION = """\
type = "node-sync"
service = "kaspa-node"
interval = "250ms"
watch_interval = "500ms"
behind_after = "1s"
[checker]
url = "{url}"
network = "mainnet"
"""


ELEMENT = f"""
import("./embed/kaspad-taskd.js").then(() => {{
  const element = document.createElement("kaspad-task");
  element.setAttribute("task-id", "{NODE}");
  document.body.prepend(element);
}})
"""
"""Puts the element of wizards into the page, beside the card."""


class Kept:
    """A node, a daemon that keeps watch on it, a page that shows it."""

    def __init__(
        self, node: ToldGrpc, taskd: Taskd, line: Line, browser: Browser, page: str
    ) -> None:
        self.node, self.taskd, self.line = node, taskd, line
        self.browser, self.page = browser, page

    async def health(self, health: str) -> dict[str, Any]:
        """Wait until the daemon says so."""

        async def so() -> dict[str, Any] | None:
            task: dict[str, Any] = await self.line.call("getTask", taskId=NODE)
            return task if (task["status"], task["health"]) == ("complete", health) else None

        return dict(await until(so, PATIENCE, 0.1))

    async def says(self, key: str, text: str) -> None:
        """Wait until the card says this."""
        at = f"document.querySelector('{CARD} [data-t={key}]').textContent"
        await self.browser.do("wait", code=f"{at}.includes({json.dumps(text)})")

    async def element(self, text: str) -> None:
        """Wait until `<kaspad-task>` says this."""
        at = "document.querySelector('kaspad-task')?.shadowRoot"
        await self.browser.do("wait", code=f"{at}?.textContent.includes({json.dumps(text)})")

    async def see(self, code: str) -> Any:
        return await self.browser.do("eval", code=code)

    async def looks(self, name: str) -> None:
        """Keep how it looks on a phone."""
        seen = await self.browser.do(
            "look", url=self.page, shot=shot(f"kept-{name}"), wait="html.js"
        )
        assert (seen["found"], seen["said"], seen["wide"] <= 0) == ([], [], True)


class Truth:
    """What the node says: at the tip, or 14 minutes behind without a peer."""

    behind = False

    def __call__(self) -> Says:
        now = time.time()
        says = Says(score=TIP + int((now % 1e6) * BPS), now_ms=int(now * 1000))
        if self.behind:
            says.age, says.synced, says.peers = 835.0, False, 0
        return says


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[tuple[Kept, Truth]]:
    port, truth = free_port(), Truth()
    node = ToldGrpc()
    node.says = truth
    async with chromium() as browser, node, Taskd(tmp_path, "--bridge", f"127.0.0.1:{port}") as d:
        d.define(NODE, DEFINITION.format(url=node.url))
        built = Kept(node, d, await d.start(), browser, f"http://127.0.0.1:{port}/")
        await built.health("ok")
        yield built, truth


async def test_the_page_tells_how_it_is_now(kept: tuple[Kept, Truth]) -> None:
    """At once, by itself: since when, how far behind, why, and what can be done."""
    page, truth = kept
    await page.browser.do("open", url=page.page)
    await page.browser.do("wait", code=LIVE)
    await page.says("state", "In sync")
    await page.says("note", "In sync since ")
    await page.says("checked", "s ago, every 500 ms")
    assert await page.see(f"document.querySelector('{CARD}').dataset.tone") == "done"
    await page.see(ELEMENT)
    await page.element("In sync")
    await page.element("In sync since ")

    truth.behind = True
    await page.element("Behind")
    await page.element("Behind by 14 min since ")
    await page.says("state", "Behind")
    await page.says("banner", "Behind by 14 min since ")
    await page.says("banner", "It has no peers.")
    assert await page.see(f"document.querySelector('{CARD}').dataset.tone") == "attention"
    assert str(await page.see("document.title")).startswith("! kaspa-node")
    assert "is behind by 14 min" in str(await page.see("document.querySelector('h1').textContent"))
    assert await page.browser.text(f"{CARD} [data-t=percent]") == ""
    await page.looks("behind")
    await page.browser.do("shot", shot=shot("kept-element"))

    truth.behind = False
    await page.says("state", "In sync")
    await page.node.__aexit__()
    await page.says("state", "Not reachable")
    await page.says("banner", ", but not reachable for ")
    await page.says("banner", " refuses: ")

    await page.node.__aenter__()
    await page.says("state", "In sync")
    token = (page.taskd.state / "bridge.token").read_text().strip()
    await page.browser.do("click", at="#unlock summary")
    await page.browser.do("fill", at="#token", text=token)
    await page.browser.do("press", key="Enter")
    await page.browser.do("wait", code=f"document.querySelector('{CARD} [data-action=pause]')")
    shown = f"[...document.querySelectorAll('{CARD} [data-action]')].map((one) => one.textContent)"
    assert await page.see(shown) == ["Check now", "Pause watching"]
    await page.browser.do("click", at=f"{CARD} [data-action=pause]")
    await page.says("state", "Watch paused")
    await page.says("note", "Watch paused since ")
    await page.browser.do("wait", code=f"{shown}.join() === 'Resume watching'")
    await page.browser.do("click", at=f"{CARD} [data-action=start]")
    await page.says("state", "In sync")
