"""Values of drawings, in a real browser: by pointer, finger and keys, in the reader's own time."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import pytest_asyncio

from kaspad_taskd.web.files import files
from kaspad_taskd.web.page import Page
from tests.fakes.bridged import bridged
from tests.web.browser import LIVE, Browser, chromium, shot
from tests.web.served import HTML, served
from tests.web.snapshots import points, snapshot
from tests.web.test_pictures import NODE, POLICY

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]

PAGES = {
    "": Page().index(snapshot(), {}),
    "one": (Page().task(snapshot(), NODE, {}) or "").replace("../", "./"),
}
LATER = snapshot(serverTime="2026-11-23T14:13:09.000Z")
PAGES["later"] = Page().index(LATER, {})
RENEW = """(async () => {
  const { adopt } = await import("./static/draw.js");
  window.before = document.activeElement;
  const html = await (await fetch("./later")).text();
  adopt(new DOMParser().parseFromString(html, "text/html"), Date.now() / 1000);
})()"""
"""The page takes over what it is a minute later."""
STRIP = f"[data-id={NODE}] .strip svg"
SAID = f"[data-id={NODE}] .strip span"
CHART = "#chart"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Pages with their scripts, and no daemon behind them."""

    def content(path: str) -> tuple[bytes, str]:
        text = PAGES.get(path)
        return (text.encode(), HTML) if text else files().get(path, (b"", HTML))

    with served(content, POLICY) as origin:
        yield f"{origin}/"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all."""
    async with chromium() as running:
        yield running


async def ready(browser: Browser, url: str, at: str, width: int, dark: bool = False) -> None:
    """The page, in which no time passes, once its drawing can be read."""
    await browser.do("open", url=url, still=True, width=width, height=844, dark=dark)
    await browser.do("wait", code=f"document.querySelector('{at}')?.role === 'slider'")


async def says(browser: Browser, at: str, text: str) -> None:
    await browser.do(
        "wait", code=f"document.querySelector('{at}').textContent === {json.dumps(text)}"
    )


async def test_a_strip_says_its_minutes(address: str, browser: Browser) -> None:
    """Under the mouse; where it has gone there is the highest rate again."""
    await ready(browser, address, STRIP, 1280)
    most = await browser.text(SAID)
    assert most == "164 blocks/s at most"
    known = points()
    await browser.do("point", at=STRIP, across=58.5 / 60)
    await says(browser, SAID, f"15:11: {known[-1]['rate']} blocks/s")  # 14:11 UTC, in Berlin
    await browser.do("shot", shot=shot("read-strip"))
    await browser.do("point", at=STRIP, across=30.5 / 60)
    told = await browser.text(SAID)
    assert told.startswith("14:43")
    await browser.do("point", at="h1", across=0.5)
    await says(browser, SAID, most)
    assert await browser.do("judge") == []


async def test_a_finger_reads_a_strip(address: str, browser: Browser) -> None:
    """A tap says the minute, and it stays until the next."""
    await ready(browser, address, STRIP, 390)
    await browser.do("point", at=STRIP, across=58.5 / 60, touch=True)
    await says(browser, SAID, f"15:11: {points()[-1]['rate']} blocks/s")
    await browser.do("shot", shot=shot("read-touch"))
    assert await browser.do("eval", code="document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("dark", [False, True])
async def test_keys_go_from_point_to_point(address: str, browser: Browser, dark: bool) -> None:
    """As on a slider, so that a screen reader says each; gaps are said too."""
    await ready(browser, f"{address}one", CHART, 390, dark)
    said = f"document.querySelector('{CHART}').getAttribute('aria-valuetext')"
    await browser.do("eval", code=f"document.querySelector('{CHART}').focus()")
    await browser.do("press", key="End")
    assert (await browser.do("eval", code=said)).startswith("15:11: 71.4")
    await says(browser, "#readout", await browser.do("eval", code=said))
    await browser.do("press", key="ArrowLeft")
    assert (await browser.do("eval", code=said)).startswith("15:10: ")
    await browser.do("shot", shot=shot(f"read-keys-{'dark' if dark else 'light'}"))
    await browser.do("press", key="Home")
    assert (await browser.do("eval", code=said)).startswith("12:02: 0")
    now = f"document.querySelector('{CHART}').getAttribute('aria-valuenow')"
    assert await browser.do("eval", code=now) == "0"
    await browser.do("press", key="ArrowLeft")
    assert await browser.do("eval", code=now) == "0"
    assert await browser.do("judge") == []
    await browser.do("press", key="Tab")
    await says(browser, "#readout", "")


async def test_a_drawing_that_is_made_anew_goes_on(address: str, browser: Browser) -> None:
    """The page is fetched again each minute: focus and time stay where they were."""
    await ready(browser, address, STRIP, 1280)
    await browser.do("eval", code=f"document.querySelector('{STRIP}').focus()")
    for _ in range(2):
        await browser.do("press", key="ArrowLeft")
    assert (await browser.text(SAID)).startswith("15:10: ")
    await browser.do("eval", code=RENEW)
    assert await browser.do("eval", code="window.before !== document.activeElement")
    assert await browser.do("eval", code=f"document.activeElement.matches('{STRIP}')")
    await says(browser, SAID, f"15:10: {points()[-2]['rate']} blocks/s")
    await browser.do("press", key="ArrowRight")
    await says(browser, SAID, f"15:11: {points()[-1]['rate']} blocks/s")


@asynccontextmanager
async def moved(place: Path) -> AsyncIterator[str]:
    """A daemon that has the rates of a task's last half hour on record; its page's address."""
    async with bridged(place) as (taskd, origin):
        line = await taskd.line()
        await line.call("registerTask", type="report", service="import")
        await line.call("reportTask", taskId="report-import", progress=40)
        await taskd.end(signal.SIGTERM)
        minute = int(time.time()) // 60
        with closing(sqlite3.connect(taskd.state / "state.db")) as db, db:
            db.execute("DELETE FROM history")
            for each in range(minute - 30, minute - 1):
                row = ("report-import", 60_000, each % 360, each * 60_000, 40.0, None, 7.5, "ok")
                db.execute("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        await taskd.start()
        yield origin


COMPONENT = "document.querySelector('kaspad-task').shadowRoot"
EMBED = """import("./embed/kaspad-taskd.js").then(() => {
  const made = document.createElement("kaspad-task");
  for (const [key, value] of [["service", "import"], ["chart", ""]]) made.setAttribute(key, value);
  document.querySelector("main").prepend(made);
})"""


async def test_a_component_says_its_minutes(tmp_path: Path, browser: Browser) -> None:
    """The strip of <kaspad-task chart>: the same, by mouse and keys, within its shadow."""
    async with moved(tmp_path) as origin:
        await browser.do("open", url=f"{origin}/", width=390, height=844)
        await browser.do("wait", code=LIVE)
        await browser.do("eval", code=EMBED)
        value = f"({COMPONENT}.querySelector('.value')?.textContent ?? '')"
        await browser.do("wait", code=f"{COMPONENT}?.querySelector('.strip')?.role === 'slider'")
        seen = f"/^\\d\\d:\\d\\d: 7.5 /.test({value})"  # the page below it is still being laid out
        await browser.do("point", at="kaspad-task .strip", across=0.75, code=seen)
        await browser.do("point", at="h1", across=0.5)
        await browser.do("wait", code=f"{value} === ''")
        await browser.do("eval", code=f"{COMPONENT}.querySelector('.strip').focus()")
        await browser.do("press", key="Home")
        await browser.do("wait", code=f"{value}.endsWith('nobody looked')")
        await browser.do("shot", shot=shot("read-component"))
        assert await browser.do("judge") == []


async def test_without_scripts_it_is_a_picture(address: str, browser: Browser) -> None:
    """Nothing to focus that does nothing, and the same truth as text."""
    seen = await browser.do("look", url=f"{address}", scripts=False, axe=False)
    assert "164 blocks/s at most" in seen["text"]
    assert 'role="slider"' not in PAGES[""]
