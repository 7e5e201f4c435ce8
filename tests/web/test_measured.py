"""What a page does beside what it shows: how often it speaks, whether two of them agree."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes.bridged import bridged
from tests.fakes.taskd_process import Line, Taskd, until
from tests.web.browser import LIVE, Browser, chromium

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]

MINUTE = 60
TALL = {"width": 1280, "height": 4000}  # all is in sight; what is not waits until it is


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browsers() -> AsyncIterator[tuple[Browser, Browser]]:
    """Two of them, which know nothing of each other."""
    async with AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(chromium()) for _ in range(2)]
        yield first, second


async def reporting(taskd: Taskd, count: int) -> Line:
    """Register scripts that report, and let each report once."""
    line = await taskd.line()
    for number in range(count):
        script = {"type": "report", "service": f"import-{number}", "checkInterval": 3_600_000}
        await line.call("registerTask", **script)
        await line.call("reportTask", taskId=f"report-import-{number}", progress=number / 2)
    return line


async def test_a_hundred_tasks_are_spoken_of_six_times_a_minute(
    browsers: tuple[Browser, Browser], tmp_path: Path
) -> None:
    """What has become of them, in sight or not, joined; the rest of a burst as a number."""
    browser, _ = browsers
    async with bridged(tmp_path) as (taskd, address):
        line = await reporting(taskd, 100)
        await browser.do("open", url=f"{address}/", still=True)
        await browser.do("wait", code=LIVE, step=1000)
        await browser.watch("#spoken")
        for second in range(MINUTE):
            for method, params in changes(second):
                await line.call(method, **params)
            await browser.do("pass", ms=1000)
        _before, *spoken = await browser.do("eval", code="window.told")  # no two say the same
        # That the page is live may be said a moment before that minute, or in it.
        assert len([text for text in spoken if text != "Live"]) <= 6
        await heard(browser, line, 97.5)
        await browser.do("pass", ms=11_000)  # nothing is left unsaid: six of a burst are named
        for number in range(40, 60):
            await line.call("pauseTask", taskId=f"report-import-{number}")
        await heard(browser, line, 98.5)
        burst = (
            r"window.told.some((text) => /import-[45]\d: Paused.*And \d+ more change/.test(text))"
        )
        await browser.do("wait", code=burst, step=1000)


async def heard(browser: Browser, line: Line, mark: float) -> None:
    """Return when the page has been sent all that is so now: a progress of its own comes last."""
    await line.call("reportTask", taskId="report-import-0", progress=mark)
    await browser.do("heard", text=f'"progress":{mark}')


def changes(second: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Many move; of the others one after the other is paused, and goes on."""
    for number in range(second % 2, 70, 2):
        task = f"report-import-{number}"
        yield "reportTask", {"taskId": task, "progress": 50 + second / 2}
    verb = "resumeTask" if second % 2 else "pauseTask"
    yield verb, {"taskId": f"report-import-{70 + second // 2}"}


async def test_two_browsers_say_the_same(browsers: tuple[Browser, Browser], tmp_path: Path) -> None:
    """One was there all the time, one has just come: the same text for the same state."""
    early, late = browsers
    async with bridged(tmp_path) as (taskd, address):
        line = await reporting(taskd, 5)
        await early.do("open", url=f"{address}/", **TALL)
        await early.do("wait", code=LIVE)
        for step in range(20):
            for number in range(4):
                task = f"report-import-{number}"
                await line.call("reportTask", taskId=task, progress=step * 4 + number)
        await line.call("pauseTask", taskId="report-import-1")
        await line.call("reportTask", taskId="report-import-2", completed=True)
        await line.call("reportTask", taskId="report-import-3", error="The disk is full.")
        await late.do("open", url=f"{address}/", **TALL)
        await late.do("wait", code=LIVE)
        texts = ["", "other"]

        async def agreed() -> bool:  # ages grow between two looks
            texts[:] = [await early.text("main"), await late.text("main")]
            return texts[0] == texts[1]

        await until(agreed, 60)
        assert "The disk is full." in texts[0]
