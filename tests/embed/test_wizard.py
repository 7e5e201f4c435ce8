"""The example wizard in real Chromium, against the real daemon on a node that plays a real sync."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.demo.daemon import Fast
from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load
from tests.fakes import npm
from tests.fakes.bridged import bridged, line_of, program
from tests.fakes.taskd_process import Taskd
from tests.fakes.tempo import Tempo

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

HERE = Path(__file__).parent
SHOTS = npm.ROOT / ".cache" / "embed-shots"
EXAMPLE = npm.ROOT / "docs" / "examples" / "wizard" / "server.mjs"
SPEED, AHEAD = 12.0, 16.0
"""The sync is not over before the browser has seen all that is to be seen on its way."""


@asynccontextmanager
async def wizard(place: Path, began: float) -> AsyncIterator[tuple[Taskd, str]]:
    """A daemon, and the wizard's server between it and the browser; with the wizard's address."""
    # the demo's daemon, whose clock runs as fast as the recording; its own arguments come first
    fast = ("kaspad_taskd.demo.daemon", str(SPEED), str(began))
    async with bridged(place, *fast) as (taskd, bridge):
        token = taskd.state / "bridge.token"
        options = ("--port", "0", "--bridge", bridge, "--token-file", str(token))
        async with program(npm.node(), str(EXAMPLE), *options) as server:
            yield taskd, await line_of(server)


@pytest.fixture(scope="module")
def shots() -> Path:
    """The pictures of the last run, to be looked at."""
    shutil.rmtree(SHOTS, ignore_errors=True)
    SHOTS.mkdir(parents=True)
    return SHOTS


async def drive(
    taskd: Taskd, address: str, node: PlayingNode, tempo: Tempo, shots: Path
) -> dict[str, Any]:
    """Run the browser through the wizard, the daemon killed and started when it says so."""
    modules = npm.modules()
    given = (str(HERE / "wizard.mjs"), str(modules), address, str(shots), node.url)
    async with program(npm.node(), *given) as browser:
        assert await line_of(browser) == "kill"
        await taskd.kill()
        assert await line_of(browser) == "start"
        await taskd.start()
        tempo.go(3.0)
        assert browser.stdin is not None
        browser.stdin.write(b"started\n")
        told = await line_of(browser)
        assert told, "the browser's program ended: see its last words"
        seen: dict[str, Any] = json.loads(told)
        return seen


async def test_the_whole_way(tmp_path: Path, shots: Path) -> None:
    """Register, choose, pause, reload, lose the daemon and get it back, and the node is ready."""
    npm.chromium()
    npm.modules()
    began = time.time() * 1000
    fast = Fast(SPEED, began)
    tempo = Tempo(AHEAD)
    playing = PlayingNode(load(), SPEED, monotonic=tempo, wall_ms=lambda: fast.wall() * 1000)
    async with wizard(tmp_path, began) as (taskd, address), playing as node:
        seen = await drive(taskd, address, node, tempo, shots)
    assert seen["console"] == []
    assert seen["foreign"] == []
    assert {name: found for name, found in seen["axe"].items() if found} == {}
    assert {name: width for name, width in seen["widths"].items() if width > 320} == {}
    assert seen["focused"] == "Resume"
    assert seen["heard"] == seen["told"]
    assert seen["states"][0] in ("lost", "stopping")
    assert seen["states"][-1] == "live"
    assert (seen["made"], seen["safe"], seen["returned"]) == (0, True, True)
    (decision,) = seen["decisions"]
    assert decision["decision"] == "sync-strategy"
    assert decision["context"]["choice"] == "wait"
    assert decision["context"]["recommended"] == seen["preselected"]


async def test_a_foreign_page_cannot(tmp_path: Path) -> None:
    """Through the wizard's server, whose token is worth something, come its own pages alone."""
    async with wizard(tmp_path, time.time() * 1000) as (_taskd, address):
        port = int(address.rstrip("/").rpartition(":")[2])
        own = {"Host": f"127.0.0.1:{port}", "Origin": f"http://127.0.0.1:{port}"}
        assert await status_of(port, own) == 200
        assert await status_of(port, {**own, "Origin": "http://foreign.example"}) in (400, 403)
        rebound = {"Host": "foreign.example", "Origin": "http://foreign.example"}
        assert await status_of(port, rebound) == 403


async def status_of(port: int, headers: dict[str, str], transport: str = "polling") -> int:
    """The HTTP status of a Socket.IO handshake with these headers; 0 where there is none."""
    lines = [f"{name}: {value}" for name, value in headers.items()]
    path = f"/taskd/socket.io/?EIO=4&transport={transport}"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode())
    async with asyncio.timeout(30):
        answer = await reader.readline()
    writer.close()
    return int(answer.split()[1]) if answer else 0
