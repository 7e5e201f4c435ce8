"""The page in a real browser on a real daemon that follows a played sync."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load
from tests.fakes.bridged import free_port
from tests.fakes.taskd_process import Line, Taskd
from tests.fakes.tempo import Tempo
from tests.web.browser import LIVE, Browser, chromium, shot

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]

NODE, OTHER = "node-sync-kaspa-node", "node-sync-other"
CARD = f"[data-id={NODE}]"
SPEED, AHEAD = 2, 75.0
"""The sync moves, and is never over: nothing here waits for its end."""
SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted += one.value;
}).observe({ type: "layout-shift" });
"""


class House:
    """A played node, a daemon that follows it, a browser that shows it."""

    def __init__(self, taskd: Taskd, browser: Browser, port: int) -> None:
        self.taskd, self.browser = taskd, browser
        self.url = f"http://127.0.0.1:{port}/"
        self.step = 0

    async def open(self, path: str = "", step: int = 0, **more: Any) -> None:
        """Open a page and wait until it is live; `step`: ms that pass in it with each look."""
        self.step = step
        await self.browser.do("open", url=self.url + path, **{"still": step > 0, **more})
        await self.browser.do("wait", code=LIVE)
        await self.browser.do("eval", code=SHIFTS)

    async def card(self, key: str) -> str:
        return await self.browser.text(f"{CARD} [data-t={key}]")

    async def until(self, condition: str, step: int = 0) -> Any:
        """Wait until it is so; in a page that stands still `step` ms pass with each look."""
        return await self.browser.do("wait", code=condition, step=step or self.step)

    async def told(self, text: str) -> None:
        """Wait until what is watched says this, or has said it."""
        await self.until(f"window.told.some((one) => one.includes({json.dumps(text)}))")

    async def focused(self, name: str) -> None:
        """Wait until the focus is on this action, or text."""
        at = "document.activeElement"
        await self.until(f"({at}.dataset.action ?? {at}.textContent) === {json.dumps(name)}")

    async def story(self, seq: int, text: str, step: int = 0) -> None:
        """Wait until the list of what happened says this of an event."""
        at = f"document.querySelector('.story [data-seq=\"{seq}\"] span')"
        await self.until(f"{at}?.textContent.includes({json.dumps(text)})", step)

    async def unlock(self, then: str = f"{CARD} [data-action]") -> None:
        """Give the token, and wait for what is there then."""
        token = (self.taskd.state / "bridge.token").read_text().strip()
        await self.browser.do("click", at="#unlock summary")
        await self.browser.do("fill", at="#token", text=token)
        await self.browser.do("press", key="Enter")
        await self.until(f"document.querySelector('{then}') !== null")


async def newest(line: Line, name: str) -> int:
    """The number of the newest event with this name."""
    events = (await line.call("getEvents", limit=1000))["events"]
    return max(int(each["seq"]) for each in events if each["event"] == name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """All of it, for all tests of this page."""
    place: Path = tmp_path_factory.mktemp("house")
    port, log = free_port(), place / "kaspa.log"
    log.touch()
    async with (
        chromium() as browser,
        PlayingNode(load(), SPEED, log=log, monotonic=Tempo(AHEAD)) as node,
        Taskd(place, "--bridge", f"127.0.0.1:{port}") as taskd,
    ):
        taskd.define(
            NODE,
            f'type = "node-sync"\nservice = "kaspa-node"\ninterval = "1s"\n'
            f'[checker]\nurl = "{node.url}"\nnetwork = "simnet"\nlog = "{log}"\n',
        )
        taskd.define("report-import", 'type = "report"\nservice = "headers-import"\n')
        refused = f'[checker]\nurl = "grpc://127.0.0.1:{free_port()}"\n'
        taskd.define(OTHER, f'type = "node-sync"\nservice = "other"\n{refused}')
        await taskd.start()
        yield House(taskd, browser, port)


async def test_the_page_comes_alive_and_says_nothing_elsewhere(house: House) -> None:
    """Live within half a second or so; no message on the console, no request to another origin."""
    await house.open()
    heard = await house.browser.do("said")
    assert heard["said"] == []
    assert all(
        url.startswith((house.url, house.url.replace("http", "ws"))) for url in heard["asked"]
    )
    assert await house.browser.do("judge") == []


async def test_numbers_move_without_a_reload(house: House) -> None:
    """What the node has done since shows by itself, in local time."""
    await house.open()
    card = f"document.querySelector('{CARD}').innerText"
    await house.until(f"{card}.includes('every 1 s')")
    await house.until(f"{card} !== {json.dumps(await house.browser.text(CARD))}")
    assert "UTC" not in await house.browser.text("main")


async def test_a_wrong_token_is_said_and_the_right_one_unlocks(house: House) -> None:
    """Buttons appear with the right to press them, and go with it."""
    await house.open()
    assert await house.browser.do("eval", code="document.querySelector('[data-action]')") is None
    await house.browser.do("click", at="#unlock summary")
    await house.browser.do("fill", at="#token", text="wrong")
    await house.browser.do("press", key="Enter")
    said = "document.querySelector('#token-fault').textContent === {}".format
    await house.until(said("'That token is not right.'"))
    await house.browser.do("shot", shot=shot("live-wrong-token"))
    for _ in range(2):  # the third answer takes four seconds: that is said meanwhile
        await house.browser.do("fill", at="#token", text="wrong")
        await house.browser.do("press", key="Enter")
    await house.until(said("'After wrong tries an answer takes up to a minute. Please wait.'"))
    await house.until(said("'That token is not right.'"))
    await house.browser.do("click", at="#unlock summary")
    await house.unlock()
    await house.focused("Lock")
    await house.browser.do("click", at="#lock button")
    await house.until("document.querySelector('[data-action]') === null")


async def test_buttons_do_what_they_say_and_the_focus_stays(house: House) -> None:
    """Pause, resume, look now; the stop dialog begins on the safe side and gives the focus back."""
    await house.open()
    await house.unlock()
    await house.browser.watch(f"{CARD} .result")
    await house.browser.do("click", at=f"{CARD} [data-action=check]")
    await house.told("Done.")
    await house.browser.do("click", at=f"{CARD} [data-action=pause]")
    await house.until(f"document.querySelector('{CARD} [data-t=state]').textContent === 'Paused'")
    await house.until(f"document.querySelector('{CARD} [data-action=start]') !== null")
    await house.focused("start")
    await house.browser.do("shot", shot=shot("live-paused"))
    await house.browser.do("press", key="Enter")
    await house.until(f"document.querySelector('{CARD} [data-action=pause]') !== null")
    await house.browser.do("click", at=f"{CARD} [data-action=cancel]")
    await house.focused("Keep watching")
    await house.browser.do("shot", shot=shot("live-stop-dialog"))
    assert await house.browser.do("judge") == []
    await house.browser.do("press", key="Escape")
    await house.until("!document.querySelector('#stop').open")
    await house.focused("cancel")


async def test_what_happens_is_told_once(house: House) -> None:
    """A pause by somebody else shows in the list, once, newest first."""
    await house.open()
    line = await house.taskd.line()
    await line.call("pauseTask", taskId=NODE)
    await house.story(await newest(line, "sync:paused"), "watching was paused")
    await line.call("resumeTask", taskId=NODE)
    await house.story(await newest(line, "sync:resumed"), "watching goes on")
    told = "[...document.querySelectorAll('.story li')].map((li) => li.dataset.seq)"
    seqs = [int(seq) for seq in await house.browser.do("eval", code=told)]
    assert seqs == sorted(set(seqs), reverse=True)


async def test_a_lost_daemon_is_said_and_found_again(house: House) -> None:
    """Killed with -9 under the page: old numbers say so, and nothing is missed or jumps."""
    line = await house.taskd.line()
    await line.call("pauseTask", taskId=NODE)
    await line.call("pauseTask", taskId=OTHER)  # so that nothing happens by itself
    await house.open(still=True)
    await house.taskd.end(signal.SIGKILL)
    await house.until("document.querySelector('#link').innerText === 'Reconnecting'", 500)
    await house.browser.do("shot", shot=shot("live-reconnecting"))
    await house.until("document.querySelector('#notices').innerText !== ''", 500)
    lost = await house.browser.text("#notices")
    assert lost.startswith("Not connected to kaspad-taskd since ")
    await house.until("document.title.startsWith('? ')", 500)
    await house.browser.do("shot", shot=shot("live-lost"))
    assert await house.browser.do("judge") == []
    line = await house.taskd.start()
    await house.browser.do("click", at="#notices button")
    await house.until(LIVE)
    assert "Connected again. Nothing was missed." in await house.browser.text("#notices")
    await house.browser.do("shot", shot=shot("live-back"))
    assert await house.browser.do("eval", code="window.shifted") < 0.1
    await line.call("resumeTask", taskId=NODE)
    await line.call("resumeTask", taskId=OTHER)


async def test_a_page_that_could_not_be_fetched_is_fetched_afterwards(house: House) -> None:
    """The event came, then the daemon was killed: the list has it as soon as it is back."""
    await house.open(still=True)
    line = await house.taskd.line()
    await house.browser.do("detain", fail=True)
    await line.call("pauseTask", taskId=NODE)
    paused = await newest(line, "sync:paused")
    await house.browser.do("heard", text=f'"seq":{paused}')
    await house.browser.do("pass", ms=3000)
    await house.browser.do("detained")
    await house.taskd.end(signal.SIGKILL)
    await house.until("document.querySelector('#link').innerText === 'Reconnecting'", 500)
    line = await house.taskd.start()
    await house.until(LIVE, 250)
    await house.browser.do("pass", ms=3000)
    await house.story(paused, "watching was paused")
    await line.call("resumeTask", taskId=NODE)


async def test_a_stop_is_announced(house: House) -> None:
    """Who looks at the page when the daemon is stopped is told, not left guessing."""
    await house.open()
    await house.taskd.end(signal.SIGTERM)
    await house.until("document.querySelector('#notices').innerText !== ''")
    assert "kaspad-taskd was stopped" in await house.browser.text("#notices")
    await house.taskd.start()
    await house.until(LIVE)


async def test_held_updates_come_afterwards(house: House) -> None:
    """Who holds the page reads in peace: nothing moves, it says so, and all of it shows then."""
    await house.open(still=True)
    line = await house.taskd.line()
    await house.browser.do("detain")  # a page that was on its way does not move it either
    await line.call("pauseTask", taskId=NODE)
    await house.browser.do("heard", text=f'"seq":{await newest(line, "sync:paused")}')
    await house.browser.do("pass", ms=3000)
    await house.browser.do("detained")
    await house.browser.do("click", at="[data-hold]")
    assert (await house.browser.text("#notices")).startswith("Updates are held since ")
    before = await house.browser.text("main")
    await house.browser.do("release")
    await line.call("resumeTask", taskId=NODE)
    resumed = await newest(line, "sync:resumed")
    await house.browser.do("heard", text=f'"seq":{resumed}')
    await house.browser.do("pass", ms=3000)  # it would have been drawn twelve times
    assert await house.browser.text("main") == before
    await house.browser.do("shot", shot=shot("live-held"))
    assert await house.browser.do("judge") == []
    await house.browser.do("press", key="Enter")
    await house.browser.do("pass", ms=3000)
    await house.story(resumed, "watching goes on")
    assert await house.browser.text("#notices") == ""
    await house.focused("Hold updates")


async def test_a_page_that_comes_late_takes_nothing_back(house: House) -> None:
    """Of two pages that were asked for, the later one stays, whichever comes first."""
    await house.open(still=True)
    line = await house.taskd.line()
    await house.browser.do("detain")
    await line.call("pauseTask", taskId=NODE)
    await house.browser.do("heard", text=f'"seq":{await newest(line, "sync:paused")}')
    await house.browser.do("pass", ms=3000)
    await house.browser.do("detained")
    await line.call("resumeTask", taskId=NODE)
    resumed = await newest(line, "sync:resumed")
    await house.browser.do("heard", text=f'"seq":{resumed}')
    await house.browser.do("pass", ms=3000)
    await house.story(resumed, "watching goes on")
    await house.browser.do("release")
    await house.story(resumed, "watching goes on")


async def test_an_answer_stays_as_long_as_it_should(house: House) -> None:
    """What takes away the one before does not take away this one."""
    await house.open(still=True)
    show = """import("./static/link.js").then(({ notice }) => notice("back", "TEXT", null, 8000))"""
    await house.browser.do("eval", code=show.replace("TEXT", "the first"))
    await house.browser.do("pass", ms=7000)
    await house.browser.do("eval", code=show.replace("TEXT", "the second"))
    await house.browser.do("pass", ms=7000)
    assert await house.browser.text("#notices") == "the second"
    await house.browser.do("pass", ms=2000)
    assert await house.browser.text("#notices") == ""


async def test_the_page_of_a_task_lives_too(house: House) -> None:
    """The same card, its steps, its events."""
    await house.open(f"task/{NODE}", width=1280, height=900)
    await house.until(f"document.querySelector('{CARD} .steps li') !== null")
    assert await house.browser.do("judge") == []
    await house.browser.do("shot", shot=shot("live-task"))
    heard = await house.browser.do("said")
    assert heard["said"] == []


async def test_a_warning_stands_until_somebody_has_seen_it(house: House) -> None:
    """A state that was damaged: said above all, with its cure; a press takes it away, for good."""
    await house.taskd.end(signal.SIGTERM)
    for path in house.taskd.state.glob("state.db-*"):
        path.unlink()
    (house.taskd.state / "state.db").write_bytes(b"no database" * 1000)
    await house.taskd.start()
    await house.open(width=360, height=640)
    await house.until("document.querySelector('.warnings .cures') !== null")
    assert "was damaged" in await house.browser.text(".warnings .banner")
    assert await house.browser.do("judge") == []
    await house.browser.do("shot", shot=shot("live-warning"))
    if not await house.browser.do("eval", code="!!document.querySelector('[data-action]')"):
        await house.unlock("[data-action=acknowledge]")
    await house.browser.do("click", at="[data-action=acknowledge]")
    await house.until("document.querySelector('.warnings article') === null")
    line = await house.taskd.line()
    assert (await line.call("getWarnings"))["warnings"] == []
    await house.open()
    assert await house.browser.do("eval", code="!document.querySelector('.warnings article')")


async def test_a_lost_history_is_said(house: House) -> None:
    """A daemon whose state was lost has other numbers: the page is made anew, and says so."""
    line = await house.taskd.line()
    for _ in range(10):  # far beyond what a new one has at its beginning
        await line.call("pauseTask", taskId=NODE)
        await line.call("resumeTask", taskId=NODE)
    await house.open()
    await house.browser.watch("#notices")
    await house.taskd.end(signal.SIGKILL)
    for path in house.taskd.state.glob("state.db*"):
        path.unlink()
    await house.taskd.start()
    await house.told("Too long away")
    await house.browser.do("shot", shot=shot("live-gap"))
    await house.until(LIVE)


async def test_a_host_that_was_rolled_back_is_noticed(house: House) -> None:
    """The journal has the same name, and other events under numbers that the page has heard."""
    taskd = house.taskd
    await house.open()
    await house.browser.watch("#notices")
    await taskd.end(signal.SIGKILL)
    before = taskd.place / "before"
    await asyncio.to_thread(shutil.copytree, taskd.state, before)
    line = await taskd.start()
    await line.call("pauseTask", taskId=NODE)
    paused = await newest(line, "sync:paused")
    await house.story(paused, "watching was paused")
    await taskd.end(signal.SIGKILL)
    await asyncio.to_thread(shutil.rmtree, taskd.state)
    await asyncio.to_thread(before.rename, taskd.state)
    line = await taskd.start()
    for _ in range(5):  # beyond what the page has heard
        await line.call("cancelTask", taskId=NODE)
        await line.call("retryTask", taskId=NODE)
    await house.told("another past")
    await house.until(LIVE)


async def test_a_newer_daemon_is_said(house: House) -> None:
    """The page of the old one offers to be loaded again."""
    await house.open()
    await house.taskd.end(signal.SIGTERM)
    house.taskd.program = ("tests.fakes.newer",)
    await house.taskd.start()
    await house.until("document.querySelector('#notices').innerText.includes('now 99.1.0')")
    await house.browser.do("shot", shot=shot("live-new-version"))
    await house.browser.do("click", at="#notices [data-key=version] button")
    await house.until("document.querySelector('footer')?.innerText.includes('99.1.0')")
    await house.until(LIVE)
