"""The services of the page in a real browser, on a real daemon that switches them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load
from tests.fakes.bridged import free_port
from tests.fakes.switch_host import SwitchHost
from tests.fakes.taskd_process import Taskd, until
from tests.web.browser import LIVE, chromium, shot
from tests.web.test_live import House

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]

NODE = "node-sync-kaspa-node"
PATIENCE = 120.0


class Services(House):
    """The house of the page, with services."""

    host: SwitchHost
    node: str
    nobody = f"grpc://127.0.0.1:{free_port()}"

    def declare(self, within: str = "5min") -> None:
        """Write the settings: three services, one of which has `within` to prove itself."""
        self.taskd.settings.write_text(
            self.host.declare("kasia-indexer", self.node)
            + self.host.declare("k-indexer", self.node, within)
            + self.host.declare("simply-kaspa", self.nobody)
        )

    async def enter(self, step: int = 0) -> None:
        """Open the page, unlocked."""
        await self.open(step=step)
        await self.unlock("[data-action=switch]")

    async def press(self, name: str, sure: bool = True) -> None:
        """Press the button of a service, and answer the question."""
        await self.browser.do("click", at=f"#b-{name}")
        await self.until("document.querySelector('#switch').open")
        if sure:
            await self.browser.do("click", at="#switch [value=do]")
        else:
            await self.browser.do("press", key="Escape")
        await self.until("!document.querySelector('#switch').open")

    async def shows(self, name: str, text: str) -> None:
        """Wait until the panel of a service says so."""
        code = f"document.querySelector('#s-{name}').innerText.includes({json.dumps(text)})"
        await self.until(code)

    async def service(self, name: str) -> Any:
        """What `getServices` tells of one."""
        line = await self.taskd.line()
        found = {each["service"]: each for each in await line.call("getServices")}
        return found[name]

    async def ended(self, name: str) -> Any:
        """Wait until its switch has; return how."""

        async def over() -> Any:
            found = (await self.service(name))["switch"]
            return found if found["endedAt"] else None

        return await until(over, PATIENCE, 0.2)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Services]:
    """A node that has synced, three services, a daemon, a browser."""
    place: Path = tmp_path_factory.mktemp("services")
    host, port = SwitchHost(place / "host"), free_port()
    async with (
        chromium() as browser,
        host.serving(),
        PlayingNode(load(), 60) as node,
        Taskd(place, "--bridge", f"127.0.0.1:{port}", env=host.env) as taskd,
    ):
        taskd.program = ("tests.fakes.switching_taskd",)
        made = Services(taskd, browser, port)
        made.host, made.node = host, node.url
        made.declare()
        taskd.define(
            NODE,
            f'type = "node-sync"\nservice = "kaspa-node"\ninterval = "1s"\nauto_switch = false\n'
            f'[checker]\nurl = "{node.url}"\nnetwork = "simnet"\n',
        )
        line = await taskd.start()

        async def synced() -> bool:
            return bool((await line.call("getTask", taskId=NODE))["status"] == "complete")

        await until(synced, PATIENCE)
        yield made


async def test_a_switch_is_asked_for_twice_and_the_safe_answer_is_first(house: Services) -> None:
    """The dialog says what it means; Escape changes nothing and gives the focus back."""
    await house.enter()
    await house.browser.do("click", at="#b-kasia-indexer")
    await house.until("document.querySelector('#switch').open")
    await house.focused("Leave it as it is")
    asked = await house.browser.text("#switch")
    assert asked.startswith("Switch kasia-indexer to the local node?")
    await house.browser.do("shot", shot=shot("live-switch-dialog"))
    assert await house.browser.do("judge") == []
    await house.browser.do("press", key="Escape")
    await house.until("!document.querySelector('#switch').open")
    await house.focused("switch")
    assert (await house.service("kasia-indexer"))["switch"] is None


async def test_a_switch_refused_by_its_check_is_said(house: Services) -> None:
    """Its node does not answer: nothing was touched, and the page says what to type."""
    await house.enter()
    await house.press("simply-kaspa")
    await house.shows("simply-kaspa", "simply-kaspa runs on the public node as before.")
    await house.shows("simply-kaspa", "does not answer")
    await house.shows("simply-kaspa", "systemctl status kaspad")
    assert not (house.host.stage / "endpoints" / "simply-kaspa.env").exists()
    await house.browser.do("shot", shot=shot("live-switch-refused"))


async def test_the_focus_comes_back_to_a_page_that_was_made_anew(house: Services) -> None:
    """Behind the dialog another service's panel changed, and with it the button."""
    await house.enter()
    await house.browser.do("click", at="#b-kasia-indexer")
    await house.until("document.querySelector('#switch').open")
    await house.browser.do(
        "eval", code="window.button = document.querySelector('#b-kasia-indexer')"
    )
    line = await house.taskd.line()
    await line.call("switchService", service="simply-kaspa", to="local")
    await house.until("!window.button.isConnected")
    await house.browser.do("press", key="Escape")
    await house.until("document.activeElement.id === 'b-kasia-indexer'")
    await house.ended("simply-kaspa")


async def test_all_four_steps_are_shown_and_no_more_than_is_proven(house: Services) -> None:
    """The step under way counts its seconds; "local node" is not said before it is verified.

    Nothing of this stand-in connects to a node, so that it works there is not said at all.
    """
    await house.enter()
    await house.browser.watch("#s-kasia-indexer [data-t=state]")
    house.host.deaf.add("kasia-indexer")  # for as long as we look
    await house.press("kasia-indexer")
    current = "document.querySelector('#s-kasia-indexer [data-state=current]')"
    await house.until(f"{current}?.innerText.includes('verify')")
    before = await house.browser.do("eval", code=f"{current}.innerText")
    await house.until(f"{current}.innerText !== {json.dumps(before)}")
    await house.browser.do("shot", shot=shot("live-switching"))
    assert await house.browser.do("judge") == []
    house.host.deaf.clear()
    await house.shows("kasia-indexer", "Restarted, not proven")
    seen = await house.browser.do("eval", code="window.told")
    assert seen == ["Public node", "Switching to the local node", "Local node"]
    assert "switched to the local node" in await house.browser.text(".story li")
    assert (await house.service("kasia-indexer"))["verified"] is None
    assert (await house.browser.do("said"))["said"] == []


async def test_a_switch_that_does_not_work_is_undone(house: Services) -> None:
    """The way back in the same list, one sentence at the end, in the daemon too."""
    line = await house.taskd.line()
    house.declare("1s")
    await line.call("reload")
    await house.enter()
    house.host.deaf.add("k-indexer")
    await house.press("k-indexer")
    await house.shows("k-indexer", "Back 2 of 2: restart")
    await house.shows("k-indexer", "k-indexer runs on the public node as before.")
    await house.browser.do("shot", shot=shot("live-switch-undone"))
    assert (await house.service("k-indexer"))["points"] == "public"
    assert await house.browser.do("judge") == []
    house.host.deaf.clear()
    house.declare()
    await line.call("reload")


async def test_a_refusal_is_said_beside_the_button(house: Services) -> None:
    """Somebody else was faster: the page says so, as an alert."""
    await house.enter()
    await house.browser.do("click", at="[data-hold]")  # it does not see what happens now
    line = await house.taskd.line()
    with house.host.held():
        await line.call("switchService", service="k-indexer", to="local")
        await house.browser.watch("#s-k-indexer [role=alert]")
        await house.press("k-indexer")
        await house.told("Not possible now: k-indexer is being switched to the local node.")
        await line.call("switchService", service="k-indexer", to="public")
    await house.ended("k-indexer")


async def test_who_comes_late_sees_the_switch_and_can_turn_it_round(house: Services) -> None:
    """A page opened in the middle shows the steps; its button brings the service back."""
    line = await house.taskd.line()

    async def written() -> bool:
        return bool((await house.service("k-indexer"))["points"] == "local")

    with house.host.held():
        await line.call("switchService", service="k-indexer", to="local")
        await house.enter()
        await house.shows("k-indexer", "Switching to the local node")
        await until(written, PATIENCE, 0.1)  # the node is asked for six seconds before that
        await house.press("k-indexer")
        await house.shows("k-indexer", "Being put back")
    assert (await house.ended("k-indexer"))["reason"] == "cancelled"
    state = "document.querySelector('#s-k-indexer [data-t=state]').textContent"
    await house.until(f"{state} === 'Public node'")


async def test_the_terminal_follows_over_a_kill_of_the_daemon(house: Services) -> None:
    """Killed in the middle and started again: each step once, the end, exit 0."""
    await house.open()
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "80"}
    with house.host.held():
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "kaspad_taskd.cli", "--socket", str(house.taskd.socket)),
            *("switch", "kasia-indexer", "public"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            seen = [await process.stdout.readline() for _ in range(2)]
            await house.taskd.end(signal.SIGKILL)
            said = b""
            while b"reconnecting since" not in said:
                said += await process.stderr.readline()
            await house.taskd.start()
    async with asyncio.timeout(PATIENCE):
        rest, _ = await process.communicate()
    lines = b"".join([*seen, rest]).decode().splitlines()
    steps = [each.split()[0] for each in lines if each[2:5].endswith("/4")]
    assert steps == ["1/4", "2/4", "3/4", "4/4"]
    assert lines[-1] == "✓ kasia-indexer runs on the public node"
    assert process.returncode == 0
    await house.until(LIVE)
    await house.shows("kasia-indexer", "Public node")


async def test_a_node_that_is_ready_says_what_it_switches(house: Services) -> None:
    """In the verdict, the title and on its card, while its switches run; then it is ready."""
    path = house.taskd.tasks / f"{NODE}.toml"
    path.write_text(path.read_text().replace("auto_switch = false", "auto_switch = true"))
    await house.enter(step=100)  # it speaks every ten seconds, and not of everything
    await house.browser.watch("#spoken")
    line = await house.taskd.line()
    await line.call("reload")
    verdict = "document.querySelector('h1').textContent"
    with house.host.held():
        await line.call("retryTask", taskId=NODE)
        await house.until(f"{verdict}.endsWith('services are being switched')")
        for says in ("Switching 2 services", "A service is put back if it does not work."):
            await house.until(f"document.querySelector('.card').innerText.includes('{says}')")
        await house.until("document.title.startsWith('Switching 2 services')")
        await house.told("kasia-indexer: step 3 of 4")
        await house.browser.do("eval", code=WIZARD)  # it comes late, and says the same
        await house.until(f"{ELEMENT}.includes('Switching 2 services')")
        await house.browser.do("shot", shot=shot("live-node-switches"))
        assert await house.browser.do("judge") == []
    await house.shows("kasia-indexer", "Restarted, not proven")
    await house.shows("k-indexer", "Restarted, not proven")
    await house.until(f"{verdict}.includes('is in sync since')")
    await house.until(f"!{ELEMENT}.includes('Switching')")
    await house.told("kasia-indexer runs on the local node")


ELEMENT = "document.querySelector('kaspad-task').shadowRoot.textContent"
WIZARD = f"""
import("./embed/kaspad-taskd.js").then(() => {{
  const task = document.createElement("kaspad-task");
  task.setAttribute("task-id", "{NODE}");
  document.querySelector("main").prepend(task); // what is not in view is not drawn
}})
"""
