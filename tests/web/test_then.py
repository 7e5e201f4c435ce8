"""While nothing comes from the daemon: how it was then, in words, numbers and colours."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from kaspad_taskd.web.files import files
from tests.fakes.bridged import bridged
from tests.fakes.golden import NOW, golden_tasks
from tests.web.browser import LIVE, Browser, chromium, shot
from tests.web.states import STATES

PROGRAM = """
import { readFileSync } from "node:fs";
const { viewThen, overviewThen } = await import("./static/then.js");
const { form } = await import("./static/words.js");
form.utc = true;
const { lists, then, now } = JSON.parse(readFileSync("given.json", "utf8"));
console.log(JSON.stringify(lists.map(([tasks, problem]) => [
  overviewThen(tasks, then, now, problem), tasks.map((task) => viewThen(task, then, now)),
])));
"""
LATER = 600.0
"""Seconds for which nothing has come."""


def told(place: Path, lists: list[tuple[list[dict[str, Any]], str | None]]) -> list[Any]:
    """What the page's script says of these tasks, ten minutes after the last word."""
    for path, (data, _) in files().items():
        if re.fullmatch(r"static/[\w.]+\.js", path):
            (place / path).parent.mkdir(exist_ok=True)
            (place / path).write_bytes(data)
    (place / "given.json").write_text(json.dumps({"lists": lists, "then": NOW, "now": NOW + LATER}))
    (place / "package.json").write_text('{"type": "module"}')
    (place / "run.js").write_text(PROGRAM)
    command = ["node", "run.js"]
    ran = subprocess.run(
        command, cwd=place, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    found: list[Any] = json.loads(ran.stdout)
    return found


@pytest.mark.skipif(shutil.which("node") is None, reason="node runs the page's scripts")
def test_every_sentence_speaks_of_then(tmp_path: Path) -> None:
    """Of each state; no number is without its time, and none goes on."""
    states = {name: task for name, task in STATES.items() if name != "hostile"}
    lists: list[tuple[list[dict[str, Any]], str | None]] = [
        *(([task], None) for task in states.values()),
        ([], None),
        (golden_tasks(), None),
        (golden_tasks(), "the disk is full"),
    ]
    *single, none, many, store = told(tmp_path, lists)
    for name, (page, views) in zip(states, single, strict=True):
        assert page["headline"].startswith("At 14:12 UTC "), (name, page)
        assert "?" not in page["headline"], (name, page)
        assert not re.search(r"\b(is|has)\b", page["headline"]), (name, page)
        assert page["reassure"] == ""
        percent = views[0]["percent"]
        assert not percent or " at " in percent or states[name]["status"] == "complete", name
    assert none[0]["headline"] == "At 14:12 UTC nothing was watched"
    assert many[0]["headline"] == (
        "At 14:12 UTC kaspa-node was syncing, with about 1 hour 20 min left"
    )
    assert many[0]["attention"] == "At 14:12 UTC kasia-indexer had not answered for 6 min."
    assert store[0]["headline"] == "At 14:12 UTC kaspad-taskd could not save: the disk is full"
    syncing = dict(zip(states, single, strict=True))["syncing"][1][0]
    assert syncing["percent"].replace("\N{NO-BREAK SPACE}", " ") == "about 71 % at 14:12 UTC"
    assert syncing["checked"].startswith("Checked 10 min ago")


CARD = "[data-id=report-import]"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all."""
    async with chromium() as running:
        yield running


def at(then: str) -> str:
    """Whether the headline speaks of then."""
    return f"document.querySelector('h1').textContent.startsWith('{then}')"


@pytest.mark.system
@pytest.mark.timeout(300)
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("dark", [False, True])
async def test_a_lost_link_turns_the_page_grey(
    browser: Browser, tmp_path: Path, dark: bool
) -> None:
    """The headline, the number, the colour; and the network's return brings it back at once."""
    async with bridged(tmp_path) as (taskd, address):
        line = await taskd.line()
        await line.call("registerTask", type="report", service="import")
        await line.call("reportTask", taskId="report-import", progress=42.5)
        await browser.do("open", url=f"{address}/", still=True, dark=dark, width=360, height=740)
        await browser.do("wait", code=LIVE)
        assert await browser.do("eval", code=f"!{at('At ')}")
        tone = f"getComputedStyle(document.querySelector('{CARD} .icon')).stroke"
        before = await browser.do("eval", code=tone)
        await taskd.end(signal.SIGKILL)
        await browser.do("wait", code=at("At "), step=500)
        assert " was running" in await browser.text("h1")
        assert " at " in await browser.text(f"{CARD} [data-t=percent]")
        assert await browser.do("eval", code=tone) != before
        assert await browser.text("[data-o=reassure]") == ""
        assert await browser.do("judge") == []
        name = "dark" if dark else "light"
        await browser.do("shot", shot=shot(f"then-{name}"))
        await taskd.start()  # no time passes in the page: nothing is due but what it is told
        await browser.do("eval", code="dispatchEvent(new Event('online'))")
        await browser.do("wait", code=LIVE)
        await browser.do("wait", code=f"!{at('At ')}", step=250)
        assert await browser.do("eval", code=tone) == before


@pytest.mark.system
@pytest.mark.timeout(300)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_daemon_that_says_nothing_is_not_live(browser: Browser, tmp_path: Path) -> None:
    """Its line stands, but nothing comes: old numbers say so; shown again, it asks at once."""
    async with bridged(tmp_path) as (taskd, address):
        line = await taskd.line()
        await line.call("registerTask", type="report", service="import")
        await browser.do("open", url=f"{address}/", still=True)
        await browser.do("wait", code=LIVE)
        assert taskd.process is not None
        taskd.process.send_signal(signal.SIGSTOP)
        try:
            await browser.do("pass", ms=50_000)
            await browser.do("wait", code=at("At "), step=250)
            assert (await browser.text("#notices")).startswith("Not connected to kaspad-taskd")
        finally:
            taskd.process.send_signal(signal.SIGCONT)
        await browser.do("eval", code="document.dispatchEvent(new Event('visibilitychange'))")
        await browser.do("wait", code=LIVE)
        await browser.do("wait", code=f"!{at('At ')}", step=250)
