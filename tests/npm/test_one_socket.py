"""A wizard of old, one socket for everything, with our manager in its server: in real Chromium."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.demo.daemon import Fast
from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load
from tests.fakes import npm
from tests.fakes.bridged import free_port, line_of, program
from tests.fakes.node_packages import Missing, install
from tests.fakes.taskd_process import Taskd, until
from tests.npm.here import HERE, PACKAGE, ROOT

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
SERVER = ROOT / "docs" / "examples" / "wizard" / "one-socket" / "server.cjs"
SPEED = 12.0
AMID, NEAR = 250.0, 296.0
"""Recorded seconds: blocks are being fetched; it is almost over."""
TASK = "node-sync-kaspa-node"


class Moment:
    """Where the recording is: it creeps until it is told to run."""

    def __init__(self) -> None:
        self._at, self._since, self._pace = AMID, time.monotonic(), 0.5

    def __call__(self) -> float:
        return self._at + (time.monotonic() - self._since) * self._pace

    def run(self) -> None:
        self._at, self._since, self._pace = NEAR, time.monotonic(), SPEED


class Node(PlayingNode):
    """The node at that moment, however often it starts."""

    moment: Callable[[], float]

    @property
    def played(self) -> float:
        return self.moment()


class World:
    """Daemon, node and the wizard's server, and what is done to them."""

    def __init__(self, place: Path, stack: AsyncExitStack, path: str) -> None:
        self.began = time.time() * 1000
        self.fast = Fast(SPEED, self.began)
        self.moment = Moment()
        self.taskd = Taskd(place)
        self.taskd.program = ("kaspad_taskd.demo.daemon", str(SPEED), str(self.began))
        self.web, self.node_port = free_port(), 0
        self.env = {"NODE_PATH": path, "KASPAD_TASKD_SOCKET": str(self.taskd.socket)}
        self._stack = stack
        self._node: Node | None = None
        self.wizard: asyncio.subprocess.Process | None = None

    async def up(self) -> None:
        wall = self.fast.wall
        self._node = Node(load(), SPEED, port=self.node_port, wall_ms=lambda: wall() * 1000)
        self._node.moment = self.moment
        self.node_port = self._node.port
        await self._node.__aenter__()

    async def down(self) -> None:
        assert self._node is not None
        await self._node.__aexit__(None, None, None)
        self._node = None

    async def kill(self) -> None:
        await self.taskd.kill()
        await self.taskd.start()

    async def serve(self) -> str:
        """Start the wizard's server; returns its address."""
        command = (npm.node(), str(SERVER), "--port", str(self.web), "--lasting", "300")
        env = ("env", *(f"{key}={value}" for key, value in self.env.items()))
        self.wizard = await self._stack.enter_async_context(program(*env, *command))
        return await line_of(self.wizard)

    async def restart_wizard(self) -> None:
        assert self.wizard is not None
        self.wizard.kill()
        await self.wizard.wait()
        await self.serve()

    async def finish(self) -> None:
        self.moment.run()

    async def close(self) -> None:
        if self._node is not None:
            await self.down()


@asynccontextmanager
async def world(place: Path) -> AsyncIterator[World]:
    try:
        modules = install("one-socket", {"socket.io": "4.8.1"}) / "node_modules"
    except Missing as why:
        pytest.skip(str(why))
    own = place / "node_modules"
    own.mkdir()
    (own / "kaspad-taskd").symlink_to(PACKAGE)
    async with AsyncExitStack() as stack:
        made = World(place, stack, os.pathsep.join((str(own), str(modules))))
        stack.push_async_callback(made.close)
        await stack.enter_async_context(made.taskd)
        await made.taskd.start()
        await made.up()
        yield made


async def test_the_whole_way(tmp_path: Path) -> None:
    """Whatever goes away meanwhile: nothing is lost, told twice, or shown as undefined."""
    chromium, modules = npm.chromium(), npm.modules()
    async with world(tmp_path) as made:
        address = await made.serve()
        given = (str(modules), str(chromium), address, str(made.node_port))
        done = {
            "down": made.down, "up": made.up, "kill": made.kill,
            "wizard": made.restart_wizard, "finish": made.finish,
        }  # fmt: skip
        async with program(npm.node(), str(HERE / "one_socket.mjs"), *given) as browser:
            assert browser.stdin is not None
            while (told := await line_of(browser)) in done:
                await done[told]()
                browser.stdin.write(b"done\n")
            assert told, "the browser's program ended: see its last words"
            seen: dict[str, Any] = json.loads(told)
        assert made.wizard is not None
        assert await line_of(made.wizard) == f"ready: {TASK} 1"
        line = await made.taskd.line()

        async def noted() -> bool:
            known = [each["decision"] for each in await line.call("getDecisions")]
            return known == ["sync-strategy", f"on-complete {TASK} 1"]

        await until(noted)
        await made.taskd.end()
    assert seen["said"] == []
    once = ("sync:start", "sync:complete", "node:ready")
    assert [name for name in seen["names"] if name in once] == list(once)
    assert "task:error" not in seen["names"]
    assert (seen["help"], seen["again"]) == ("", "in-progress")
    assert seen["trouble"].startswith("localhost:")
    for text in (seen["dialog"], seen["text"]):
        assert not any(wrong in text for wrong in ("undefined", "[object", "NaN", "null")), text
    assert "% of kaspa-node" in seen["dialog"]
