"""The page in a real browser on a real daemon that follows a played sync."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load
from tests.fakes.taskd_process import Taskd
from tests.web.browser import Browser, chromium, shot

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]

NODE = "node-sync-kaspa-node"
CARD = f"[data-id={NODE}]"
LIVE = "document.querySelector('#link').dataset.link === 'live'"
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

    async def open(self, path: str = "", **more: Any) -> None:
        """Open a page and wait until it is live."""
        await self.browser.do("open", url=self.url + path, **more)
        await self.browser.do("wait", code=LIVE)
        await self.browser.do("eval", code=SHIFTS)

    async def card(self, key: str) -> str:
        return await self.browser.text(f"{CARD} [data-t={key}]")

    async def until(self, condition: str, ms: int = 30_000) -> Any:
        return await self.browser.do("wait", code=condition, ms=ms)

    async def focus(self) -> str:
        code = "document.activeElement.dataset.action ?? document.activeElement.textContent"
        return str(await self.browser.do("eval", code=code))

    async def unlock(self) -> None:
        token = (self.taskd.state / "bridge.token").read_text().strip()
        await self.browser.do("click", at="#unlock summary")
        await self.browser.do("fill", at="#token", text=token)
        await self.browser.do("press", key="Enter")
        await self.until(f"document.querySelector('{CARD} [data-action]') !== null")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """All of it, for all tests of this page."""
    place: Path = tmp_path_factory.mktemp("house")
    port, log = _free_port(), place / "kaspa.log"
    log.touch()
    async with (
        chromium() as browser,
        PlayingNode(load(), 2, log=log) as node,
        Taskd(place, "--bridge", f"127.0.0.1:{port}") as taskd,
    ):
        taskd.define(
            NODE,
            f'type = "node-sync"\nservice = "kaspa-node"\ninterval = "1s"\n'
            f'[checker]\nurl = "{node.url}"\nnetwork = "simnet"\nlog = "{log}"\n',
        )
        taskd.define("report-import", 'type = "report"\nservice = "headers-import"\n')
        refused = f'[checker]\nurl = "grpc://127.0.0.1:{_free_port()}"\n'
        taskd.define("node-sync-other", f'type = "node-sync"\nservice = "other"\n{refused}')
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
    await house.until("document.querySelector('#token-fault').textContent !== ''")
    assert await house.browser.text("#token-fault") == "That token is not right."
    await house.browser.do("shot", shot=shot("live-wrong-token"))
    await house.browser.do("click", at="#unlock summary")
    await house.unlock()
    assert await house.focus() == "Lock"
    await house.browser.do("click", at="#lock button")
    await house.until("document.querySelector('[data-action]') === null")


async def test_buttons_do_what_they_say_and_the_focus_stays(house: House) -> None:
    """Pause, resume, look now; the stop dialog begins on the safe side and gives the focus back."""
    await house.open()
    await house.unlock()
    await house.browser.do("click", at=f"{CARD} [data-action=check]")
    await house.until(f"document.querySelector('{CARD} .result').textContent === 'Done.'")
    await house.browser.do("click", at=f"{CARD} [data-action=pause]")
    await house.until(f"document.querySelector('{CARD} [data-t=state]').textContent === 'Paused'")
    await house.until(f"document.querySelector('{CARD} [data-action=start]') !== null")
    assert await house.focus() == "start"
    await house.browser.do("shot", shot=shot("live-paused"))
    await house.browser.do("press", key="Enter")
    await house.until(f"document.querySelector('{CARD} [data-action=pause]') !== null")
    await house.browser.do("click", at=f"{CARD} [data-action=cancel]")
    assert await house.focus() == "Keep watching"
    await house.browser.do("shot", shot=shot("live-stop-dialog"))
    assert await house.browser.do("judge") == []
    await house.browser.do("press", key="Escape")
    await house.until("!document.querySelector('#stop').open")
    assert await house.focus() == "cancel"


async def test_what_happens_is_told_once(house: House) -> None:
    """A pause by somebody else shows in the list, once, newest first."""
    await house.open()
    line = await house.taskd.line()
    await line.call("pauseTask", taskId=NODE)
    first = "document.querySelector('.story li span').textContent"
    await house.until(f"{first}.includes('watching was paused')")
    await line.call("resumeTask", taskId=NODE)
    await house.until(f"{first}.includes('watching goes on')")
    told = "[...document.querySelectorAll('.story li')].map((li) => li.dataset.seq)"
    seqs = [int(seq) for seq in await house.browser.do("eval", code=told)]
    assert seqs == sorted(set(seqs), reverse=True)


async def test_a_lost_daemon_is_said_and_found_again(house: House) -> None:
    """Killed with -9 under the page: old numbers say so, and nothing is missed or jumps."""
    await house.open()
    await house.taskd.end(signal.SIGKILL)
    await house.until("document.querySelector('#link').innerText === 'Reconnecting'")
    await house.browser.do("shot", shot=shot("live-reconnecting"))
    await house.until("document.querySelector('#notices').innerText !== ''")
    lost = await house.browser.text("#notices")
    assert lost.startswith("Not connected to kaspad-taskd since ")
    await house.until("document.title.startsWith('? ')")
    await house.browser.do("shot", shot=shot("live-lost"))
    assert await house.browser.do("judge") == []
    await house.taskd.start()
    await house.browser.do("click", at="#notices button")
    await house.until(LIVE)
    assert "Connected again." in await house.browser.text("#notices")
    await house.browser.do("shot", shot=shot("live-back"))
    assert await house.browser.do("eval", code="window.shifted") < 0.1


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
    await house.open()
    await house.browser.do("click", at="[data-hold]")
    assert (await house.browser.text("#notices")).startswith("Updates are held since ")
    before = await house.browser.text("main")
    line = await house.taskd.line()
    await line.call("pauseTask", taskId=NODE)
    await line.call("resumeTask", taskId=NODE)
    await asyncio.sleep(1.5)  # it would have been drawn four times
    assert await house.browser.text("main") == before
    await house.browser.do("shot", shot=shot("live-held"))
    assert await house.browser.do("judge") == []
    await house.browser.do("press", key="Enter")
    await house.until("document.querySelector('.story li span').textContent.includes('goes on')")
    assert await house.browser.text("#notices") == ""
    assert await house.focus() == "Hold updates"


async def test_the_page_of_a_task_lives_too(house: House) -> None:
    """The same card, its steps, its events."""
    await house.open(f"task/{NODE}", width=1280, height=900)
    await house.until(f"document.querySelector('{CARD} .steps li') !== null")
    assert await house.browser.do("judge") == []
    await house.browser.do("shot", shot=shot("live-task"))
    heard = await house.browser.do("said")
    assert heard["said"] == []


async def test_a_lost_history_is_said(house: House) -> None:
    """A daemon whose state was lost has other numbers: the page is made anew, and says so."""
    await house.open()
    await house.taskd.end(signal.SIGKILL)
    for path in house.taskd.state.glob("state.db*"):
        path.unlink()
    await house.taskd.start()
    await house.until("document.querySelector('#notices').innerText.includes('Too long away')")
    await house.browser.do("shot", shot=shot("live-gap"))
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
