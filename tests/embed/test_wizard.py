"""The example wizard in real Chromium, against the real daemon on a node that plays a real sync."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
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
from tests.fakes.taskd_process import Taskd, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

HERE = Path(__file__).parent
SHOTS = npm.ROOT / ".cache" / "embed-shots"
EXAMPLE = npm.ROOT / "docs" / "examples" / "wizard" / "server.mjs"
SPEED = 12.0
PATIENCE = 120.0


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@asynccontextmanager
async def program(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process with lines in and out, ended at the end."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=1 << 24)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def line_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        return (await process.stdout.readline()).decode().strip()


class House:
    """A daemon, and a wizard's server between it and the browser."""

    def __init__(self, place: Path) -> None:
        self.began = time.time() * 1000
        self.taskd = Taskd(place)
        self.port = free_port()
        # the demo's daemon, whose clock runs as fast as the recording; its own arguments come first
        self.taskd.program = ("kaspad_taskd.demo.daemon", str(SPEED), str(self.began))
        self.taskd.arguments = ("--bridge", f"127.0.0.1:{self.port}")

    @asynccontextmanager
    async def wizard(self) -> AsyncIterator[str]:
        """Start all of it; the address of the wizard."""
        node = npm.node()
        token = self.taskd.state / "bridge.token"
        bridge = f"http://127.0.0.1:{self.port}"
        serve = (node, str(EXAMPLE), "--port", "0", "--bridge", bridge, "--token-file", str(token))
        async with self.taskd:
            await self.taskd.start()
            await until(self._bridge_listens)
            async with program(*serve) as server:
                yield await line_of(server)

    async def _bridge_listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True


@pytest.fixture(scope="module")
def shots() -> Path:
    """The pictures of the last run, to be looked at."""
    shutil.rmtree(SHOTS, ignore_errors=True)
    SHOTS.mkdir(parents=True)
    return SHOTS


async def drive(house: House, address: str, modules: Path, shots: Path) -> dict[str, Any]:
    """Run the browser through the wizard, the daemon killed and started when it says so."""
    script = str(HERE / "wizard.mjs")
    fast = Fast(SPEED, house.began)
    playing = PlayingNode(load(), SPEED, wall_ms=lambda: fast.wall() * 1000)
    async with (
        playing as node,
        program(npm.node(), script, str(modules), address, str(shots), node.url) as browser,
    ):
        assert await line_of(browser) == "kill"
        await house.taskd.kill()
        assert await line_of(browser) == "start"
        await house.taskd.start()
        assert browser.stdin is not None
        browser.stdin.write(b"started\n")
        seen: dict[str, Any] = json.loads(await line_of(browser))
        return seen


async def test_the_whole_way(tmp_path: Path, shots: Path) -> None:
    """Register, choose, pause, reload, lose the daemon and get it back, and the node is ready."""
    npm.chromium()
    modules = npm.modules()
    house = House(tmp_path)
    async with house.wizard() as address:
        seen = await drive(house, address, modules, shots)
    assert seen["console"] == []
    assert seen["foreign"] == []
    assert {name: found for name, found in seen["axe"].items() if found} == {}
    assert {name: width for name, width in seen["widths"].items() if width > 320} == {}
    assert seen["focused"] == "Resume"
    assert seen["heard"] == seen["told"]
    assert seen["states"][0] in ("lost", "stopping")
    assert seen["states"][-1] == "live"
    (decision,) = seen["decisions"]
    assert decision["decision"] == "sync-strategy"
    assert decision["context"]["choice"] == "wait"
    assert decision["context"]["recommended"] == seen["preselected"]


async def test_a_foreign_page_cannot(tmp_path: Path) -> None:
    """Through the wizard's server, whose token is worth something, come its own pages alone."""
    async with House(tmp_path).wizard() as address:
        port = int(address.rstrip("/").rpartition(":")[2])
        own = {"Host": f"127.0.0.1:{port}", "Origin": f"http://127.0.0.1:{port}"}
        assert await status_of(port, own) == 200
        assert await status_of(port, {**own, "Origin": "http://foreign.example"}) in (400, 403)
        rebound = {"Host": "foreign.example", "Origin": "http://foreign.example"}
        assert await status_of(port, rebound) == 403


async def status_of(port: int, headers: dict[str, str]) -> int:
    """The HTTP status of a Socket.IO handshake with these headers."""
    lines = [f"{name}: {value}" for name, value in headers.items()]
    request = ["GET /taskd/socket.io/?EIO=4&transport=polling HTTP/1.1", *lines, "", ""]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join(request).encode())
    async with asyncio.timeout(PATIENCE):
        status = int((await reader.readline()).split()[1])
    writer.close()
    return status
