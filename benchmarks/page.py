"""The page and its components in a real browser: how soon they are there, what they cost.

Run it by `./dev bench page` (it needs Chromium). The daemon is the real one with looks that cost
nothing, so each task changes every second. What a page costs is the CPU of all of the browser's
processes; machines differ and are noisy: numbers of one run count only beside each other.
`--before DIR` measures the build of another checkout in turns with this one.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.chromium import Chromium, chromium
from benchmarks.monitor_parts import WATCH, register
from benchmarks.process import HERE, daemon, take_before
from tests.fakes.bridged import free_port

FEW, CARDS, MANY, MOST = 5, 12, 100, 1000
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
ALIVE = "document.querySelector('#link')?.dataset.link === 'live' && performance.now()"
EMBEDDED = """
import("../embed/kaspad-taskd.js").then(() => {
  const list = document.createElement("kaspad-tasks");
  list.setAttribute("limit", "1000");
  document.body.replaceChildren(list);
})
"""
SETTLED_S = 3.0
"""Seconds until what a new page does once is over."""
ROWS = "document.querySelector('kaspad-tasks')?.shadowRoot.querySelectorAll('kaspad-task').length"


@contextmanager
def bridge(count: int, build: Path = HERE) -> Iterator[str]:
    """Run a daemon with so many tasks that change every second; yields its page's URL."""
    listen = f"127.0.0.1:{free_port()}"
    with (
        tempfile.TemporaryDirectory() as place,
        daemon(Path(place), WATCH, subprocess.DEVNULL, listen, build) as started,
    ):
        register(started.path, count, 1.0)
        time.sleep(2)
        if not started.call("getAllTasks")[0]["progress"]:
            raise SystemExit(f"{build}: its tasks do not move, nothing would be measured")
        yield f"http://{listen}/"


def served(url: str, times: int = 30) -> float:
    """Milliseconds from asking for the page to having it (median)."""

    def once() -> float:
        began = time.perf_counter()
        with urllib.request.urlopen(url, timeout=10) as answer:
            answer.read()
        return (time.perf_counter() - began) * 1000

    return statistics.median(once() for _ in range(times))


async def kept(browser: Chromium) -> float:
    """MiB that the page holds, its garbage taken away."""
    return (await browser.weigh(tidy=True))["JSHeapUsedSize"] / 2**20


async def opened(browser: Chromium, url: str) -> tuple[float, float]:
    """Open the page; return the milliseconds until it can be read and until it is live."""
    await browser.open(url)
    live = float(await browser.wait(ALIVE))
    return float(await browser.eval(PAINTED)), live


async def page(browser: Chromium, url: str, _count: int) -> None:
    """The page, live."""
    await opened(browser, url)


async def components(browser: Chromium, url: str, count: int) -> None:
    """A wizard's page: all tasks in components."""
    await browser.open(f"{url}task/none")  # a page without scripts
    await browser.wait("document.readyState === 'complete'")
    await browser.eval(EMBEDDED)
    await browser.wait(f"{ROWS} === {count}")


async def hidden(browser: Chromium, url: str, _count: int) -> None:
    """The page in a tab behind another."""
    await opened(browser, url)
    await browser.cover()
    await browser.wait("document.hidden")


async def grown(browser: Chromium, seconds: float) -> None:
    """Measure what a page keeps of what it was told: an hour of a host's, in a minute."""
    with bridge(MANY) as url:
        await opened(browser, url)
        await asyncio.sleep(seconds)
        before = await kept(browser)
        await asyncio.sleep(6 * seconds)
        after = await kept(browser)
        await browser.close()
    line(f"{MANY} tasks: heap, MiB", [before], "")
    told = int(6 * seconds * MANY)
    line(f"{MANY} tasks: heap after {told} more readings, MiB", [after], "flat")


async def few(browser: Chromium, rounds: int) -> None:
    """Measure how soon the page is there."""
    with bridge(FEW) as url:
        await opened(browser, url)
        found = [await opened(browser, url) for _ in range(rounds)]
        html = served(url)
        await browser.close()
    painted, live = (statistics.median(column) for column in zip(*found, strict=True))
    line(f"{FEW} tasks: HTML, ms", [html], "<= 20")
    line(f"{FEW} tasks: readable, ms", [painted], "<= 200")
    line(f"{FEW} tasks: live, ms", [live], "<= 500")
    with bridge(MOST) as url:
        line(f"{MOST} tasks: readable, ms", [(await opened(browser, url))[0]], "< 1000")
        await browser.close()


SCENES = (
    (CARDS, page, ""),
    (CARDS, components, ""),
    (MANY, page, "<= 4"),
    (MANY, components, ""),
    (MOST, page, "<= 5"),
    (MOST, components, ""),
    (MOST, hidden, ""),
)


async def costs(browser: Chromium, builds: Sequence[Path], rounds: int, seconds: float) -> None:
    """Measure what each scene costs, in turns."""
    for count, scene, goal in SCENES:
        found: list[list[float]] = [[] for _ in builds]
        for _ in range(rounds):
            for build, column in zip(builds, found, strict=True):
                with bridge(count, build) as url:
                    await scene(browser, url, count)
                    await asyncio.sleep(SETTLED_S)
                    column.append(await browser.cost(seconds))
                    await browser.close()
        middle = [statistics.median(column) for column in found]
        line(f"{count} tasks, {scene.__name__}: % of a core", middle, goal)


def line(what: str, values: Sequence[float], goal: str) -> None:
    print(f"{what:52}{''.join(f'{each:8.1f}' for each in values)}  {goal}", flush=True)


async def measure(rounds: int, seconds: float, before: Path | None) -> None:
    """Measure all of it, in one browser."""
    async with chromium() as browser:
        if before is None:
            await few(browser, 7)
            await grown(browser, seconds)
        else:
            print(f"{'':52}{'before':>8}{'now':>8}  goal")
        await costs(browser, [each for each in (before, HERE) if each], rounds, seconds)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="./dev bench page", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="a measurement takes")
    take_before(parser)
    options = parser.parse_args(argv)
    asyncio.run(measure(options.rounds, options.seconds, options.before))


if __name__ == "__main__":
    main()
