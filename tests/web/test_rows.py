"""Rows that open, in a real browser on a real daemon: what is open stays open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes.bridged import bridged
from tests.fakes.taskd_process import Line, Taskd
from tests.web.browser import LIVE, Browser, chromium, shot

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]

ID = "report-import-5"
ROW = f".row[data-id={ID}]"
HEAD = f"{ROW} summary"
OPEN = f"document.querySelector('{ROW} > details').open"
FOCUSED = f"document.activeElement === document.querySelector('{HEAD}')"
INSIDE = f"document.querySelector('{ROW} [data-body]')"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all."""
    async with chromium() as running:
        yield running


async def reporting(taskd: Taskd) -> Line:
    """Twelve scripts that report."""
    line = await taskd.line()
    for number in range(12):
        await line.call("registerTask", type="report", service=f"import-{number}")
        await line.call("reportTask", taskId=f"report-import-{number}", progress=number)
    return line


async def opened(browser: Browser, address: str, **more: Any) -> None:
    """The page, live, with one row opened by its head."""
    await browser.do("open", url=f"{address}/", **more)
    await browser.do("wait", code=LIVE)
    await browser.do("click", at=HEAD)
    await browser.do("wait", code=OPEN)


async def registered(line: Line, browser: Browser, service: str) -> None:
    """Another task, which the page has to be made anew for."""
    await line.call("registerTask", type="report", service=service)
    there = f"document.querySelector('[data-id=report-{service}]') !== null"
    await browser.do("wait", code=there)


async def test_an_open_row_lives_and_stays_open(browser: Browser, tmp_path: Path) -> None:
    """Its numbers move; the page is made anew around it, and the focus is where it was."""
    async with bridged(tmp_path) as (taskd, address):
        line = await reporting(taskd)
        await opened(browser, address, width=1280, height=900)
        assert await browser.do("judge") == []
        await registered(line, browser, "another")
        assert await browser.do("eval", code=f"{OPEN} && {FOCUSED}")
        await line.call("reportTask", taskId=ID, progress=42.5)
        await browser.do("wait", code=f"{INSIDE}.innerText.includes('42.5')")
        await browser.do("wait", code=f"{INSIDE}.innerText.includes('Reported')")
        await browser.do("press", key="Enter")
        await browser.do("wait", code=f"!{OPEN}")
        await registered(line, browser, "one-more")
        await line.call("pauseTask", taskId=ID)
        closed = f"document.querySelector('{HEAD} [data-t=state]').textContent === 'Paused'"
        await browser.do("wait", code=closed)
        said = f"{INSIDE}.textContent.includes('Watching is paused')"
        await browser.do("wait", code=said)  # what it will show is new, too
        assert await browser.do("eval", code=f"!{OPEN} && {FOCUSED}")


async def test_a_row_is_worked_with_as_a_card_is(browser: Browser, tmp_path: Path) -> None:
    """Its buttons do what they say, on a phone; the answer stands beside them, the focus stays."""
    async with bridged(tmp_path) as (taskd, address):
        line = await reporting(taskd)
        await opened(browser, address, width=390, height=844)
        token = (taskd.state / "bridge.token").read_text().strip()
        await browser.do("click", at="#unlock summary")
        await browser.do("fill", at="#token", text=token)
        await browser.do("press", key="Enter")
        pause, resume = f"{ROW} [data-action=pause]", f"{ROW} [data-action=start]"
        await browser.do("wait", code=f"document.querySelector('{pause}') !== null")
        assert await browser.do("eval", code=OPEN)
        await browser.watch(f"{ROW} .result")
        await browser.do("click", at=pause)
        await browser.do("wait", code="window.told.includes('Done.')")
        await browser.do("wait", code=f"document.querySelector('{resume}') !== null")
        await browser.do("wait", code=f"document.activeElement.matches('{resume}')")
        assert (await line.call("getTask", taskId=ID))["status"] == "paused"
        assert await browser.do("judge") == []
        await browser.do("shot", shot=shot("live-row"))
        assert await browser.do("eval", code="document.documentElement.scrollWidth <= innerWidth")


async def test_a_row_in_trouble_does_not_jump_from_under_the_focus(
    browser: Browser, tmp_path: Path
) -> None:
    """It becomes a card once the focus has gone elsewhere."""
    async with bridged(tmp_path) as (taskd, address):
        line = await reporting(taskd)
        await opened(browser, address, width=1280, height=900)
        await line.call("reportTask", taskId=ID, error="The disk is full.")
        await browser.do("wait", code=f"{INSIDE}.innerText.includes('The disk is full.')")
        assert await browser.do("eval", code=f"{OPEN} && {FOCUSED}")
        await browser.do("click", at="[data-hold]")  # the pointer and the focus go elsewhere
        await browser.do("click", at="#notices button")
        await line.call("registerTask", type="report", service="another")
        card = f"document.querySelector('.card[data-id={ID}]')"
        await browser.do("wait", code=f"{card} !== null")
        assert await browser.do("eval", code=f"document.querySelector('{ROW}') === null")
