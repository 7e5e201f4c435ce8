"""The record on the page and in its element: a real daemon with weeks of it, a real browser."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.fakes.bridged import free_port
from tests.fakes.taskd_process import Taskd
from tests.fakes.told_node import ToldGrpc
from tests.web.browser import LIVE, chromium, shot
from tests.web.ninety import fill
from tests.web.test_live_kept import DEFINITION, NODE, Kept, Truth

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

ELEMENT = f"""
import("../embed/kaspad-taskd.js").then(() => {{
  const element = document.createElement("kaspad-task");
  element.setAttribute("task-id", "{NODE}");
  element.setAttribute("variant", "record");
  document.querySelector("main").prepend(element);
  scrollTo(0, 0); // it draws where it is seen
}})
"""
DAYS = 12.9
TOLD = "document.querySelector('.readout').textContent"
LIST = "(document.querySelector('.incidents')?.textContent ?? '')"
INSIDE = "document.querySelector('kaspad-task')?.shadowRoot"


async def test_the_record_is_drawn_read_and_goes_on(tmp_path: Path) -> None:
    """By pointer, finger and keys; a trouble of now comes by itself, on the page and beside it."""
    port, truth, node = free_port(), Truth(), ToldGrpc()
    node.says = truth
    page = f"http://127.0.0.1:{port}/task/{NODE}"
    async with chromium() as browser, node, Taskd(tmp_path, "--bridge", f"127.0.0.1:{port}") as d:
        definition = DEFINITION.format(url=node.url)
        d.define(NODE, definition)
        d.state.mkdir(parents=True, exist_ok=True)
        await fill(d.state / "state.db", NODE, definition, int(time.time() * 1000), DAYS)
        kept = Kept(node, d, await d.start(), browser, page)
        await kept.health("ok")
        for width, dark in ((390, False), (1280, True)):
            seen = await browser.do(
                "look", url=page, width=width, dark=dark, shot=shot(f"past-{width}"), wait="html.js"
            )
            assert (seen["found"], seen["said"], seen["wide"] <= 0) == ([], [], True)
            assert "of what was seen in 12 days, " in seen["text"]
            assert "not known" in seen["text"]
        bare = await browser.do("look", url=page, scripts=False, axe=False)
        assert "of what was seen in 12 days, " in bare["text"]
        assert "UTC to " in bare["text"]

        await browser.do("open", url=page)
        await browser.do("wait", code=LIVE)
        await browser.do("point", at=".columns", across=0.99, touch=True)
        await browser.do("wait", code=f"{TOLD}.includes('in sync ')")
        await kept.see("document.querySelector('.columns').focus()")
        await browser.do("press", key="Home")
        await browser.do("press", key="ArrowRight")
        first = await browser.do("wait", code=TOLD)
        await browser.do("press", key="End")
        await browser.do("wait", code=f"{TOLD} && {TOLD} !== {json.dumps(first)}")
        await kept.see(ELEMENT)
        await kept.element("of what was seen in 12 days, ")
        await browser.do("wait", code=f"{INSIDE}.querySelector('.past .ok')")
        assert await browser.do("judge") == []

        before = (await kept.line.call("getRecord", taskId=NODE))["incidents"]["count"]
        truth.behind = True
        await browser.do("wait", code=f"{LIST}.includes(' now, at most 14 minutes behind: It has')")
        await kept.element(f", {before + 1} incidents, ")
        truth.behind = False
        await browser.do("wait", code=f"!{LIST}.includes(' now, ')")
        assert (await browser.do("said"))["said"] == []
