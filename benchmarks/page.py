"""The page and its components in a real browser: how soon they are there, what they cost.

Run it by `./dev bench page` (it needs Chromium and node). The daemon is the real one with looks
that cost nothing, so each task changes every second. What a page costs is the time for which its
main thread works; machines differ and are noisy: numbers of one run count only beside each other.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.monitor_parts import WATCH, register
from benchmarks.process import daemon
from tests.fakes.bridged import free_port
from tests.web.browser import Browser, chromium

FEW, MANY, MOST = 5, 100, 1000
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
ALIVE = "document.querySelector('#link')?.dataset.link === 'live' && performance.now()"
EMBEDDED = """
import("../embed/kaspad-taskd.js").then(() => {
  const list = document.createElement("kaspad-tasks");
  list.setAttribute("limit", "1000");
  document.body.replaceChildren(list);
})
"""
ROWS = "document.querySelector('kaspad-tasks')?.shadowRoot.querySelectorAll('kaspad-task').length"


@contextmanager
def bridge(count: int) -> Iterator[str]:
    """Run a daemon with so many tasks that change every second; yields its page's URL."""
    listen = f"127.0.0.1:{free_port()}"
    with (
        tempfile.TemporaryDirectory() as place,
        daemon(Path(place), WATCH, subprocess.DEVNULL, listen) as started,
    ):
        register(started.path, count, 1.0)
        yield f"http://{listen}/"


def served(url: str, times: int = 30) -> float:
    """Milliseconds from asking for the page to having it (median)."""

    def once() -> float:
        began = time.perf_counter()
        with urllib.request.urlopen(url, timeout=10) as answer:
            answer.read()
        return (time.perf_counter() - began) * 1000

    return statistics.median(once() for _ in range(times))


async def worked(browser: Browser, seconds: float) -> float:
    """Percent of a core that the page's main thread takes meanwhile."""
    before = await browser.do("weigh")
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    after = await browser.do("weigh")
    spent = float(after["TaskDuration"] - before["TaskDuration"])
    return spent / (time.perf_counter() - began) * 100


async def kept(browser: Browser) -> float:
    """MiB that the page holds, its garbage taken away."""
    return float((await browser.do("weigh", tidy=True))["JSHeapUsedSize"]) / 2**20


async def opened(browser: Browser, url: str) -> tuple[float, float]:
    """Open the page; return the milliseconds until it can be read and until it is live."""
    await browser.do("open", url=url, width=1280, height=900)
    live = float(await browser.do("wait", code=ALIVE))
    return float(await browser.do("eval", code=PAINTED)), live


async def grown(browser: Browser, seconds: float) -> None:
    """Measure what a page keeps of what it was told: an hour of a host's, in a minute."""
    with bridge(MANY) as url:
        await opened(browser, url)
        await asyncio.sleep(seconds)
        before = await kept(browser)
        await asyncio.sleep(6 * seconds)
        after = await kept(browser)
    line(f"{MANY} tasks: heap, MiB", before, "")
    told = int(6 * seconds * MANY)
    line(f"{MANY} tasks: heap after {told} more readings, MiB", after, "flat")


async def few(browser: Browser, rounds: int) -> None:
    """Measure how soon the page is there."""
    with bridge(FEW) as url:
        await opened(browser, url)
        found = [await opened(browser, url) for _ in range(rounds)]
        html = served(url)
    painted, live = (statistics.median(column) for column in zip(*found, strict=True))
    line(f"{FEW} tasks: HTML, ms", html, "<= 20")
    line(f"{FEW} tasks: readable, ms", painted, "<= 200")
    line(f"{FEW} tasks: live, ms", live, "<= 500")


async def watched(browser: Browser, count: int, goal: str, seconds: float) -> None:
    """Measure the page with many tasks, and then the components in its place."""
    with bridge(count) as url:
        painted, _ = await opened(browser, url)
        line(f"{count} tasks: readable, ms", painted, "< 1000" if count == MOST else "")
        await asyncio.sleep(3)
        line(f"{count} tasks: main thread, % of a core", await worked(browser, seconds), goal)
        await browser.do("open", url=f"{url}task/none")  # a page without scripts
        await browser.do("eval", code=EMBEDDED)
        await browser.do("wait", code=f"{ROWS} === {count}")
        await asyncio.sleep(3)
        spent = await worked(browser, seconds)
        line(f"{count} in <kaspad-tasks>: main thread, % of a core", spent, "")


def line(what: str, value: float, goal: str) -> None:
    print(f"{what:52}{value:8.1f}  {goal}", flush=True)


async def measure(rounds: int, seconds: float) -> None:
    """Measure all of it, in one browser."""
    async with chromium() as browser:
        await few(browser, rounds)
        await grown(browser, seconds)
        await watched(browser, MANY, "<= 4", seconds)
        await watched(browser, MOST, "<= 8", seconds)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="./dev bench page", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=10.0, help="a measurement takes")
    options = parser.parse_args(argv)
    asyncio.run(measure(options.rounds, options.seconds))


if __name__ == "__main__":
    main()
