"""`kaspad-taskd demo`: the daemon on its main job, in a scratch directory, seen in a terminal.

Three real things: a node that plays a recorded sync over gRPC (in this process), the daemon that
follows it, and `kaspad-taskctl watch`, which draws.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from kaspad_taskd import words
from kaspad_taskd.client import Client
from kaspad_taskd.demo.daemon import Fast
from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load

TASK = "node-sync-kaspa-node"
START_PATIENCE = 15.0
STOP_PATIENCE = 5.0

DEFINITION = """\
type = "node-sync"
service = "kaspa-node"
interval = "{interval}ms"
[checker]
url = "{url}"
network = "simnet"
log = "{log}"
"""


def show(speed: float) -> int:
    """Play the demo at `speed` times the recorded pace; returns the exit code."""
    try:
        return asyncio.run(_show(speed))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


async def _show(speed: float) -> int:
    with tempfile.TemporaryDirectory(prefix="kaspad-taskd-demo-") as scratch:
        place = Path(scratch)
        log = place / "rusty-kaspa.log"
        log.touch()
        began = time.time() * 1000
        fast = Fast(speed, began)
        playing = PlayingNode(load(), speed, log=log, wall_ms=lambda: fast.wall() * 1000)
        async with playing as node:
            definition = DEFINITION.format(
                interval=max(250, round(2000 / speed)), url=node.url, log=log
            )
            (place / "tasks.d").mkdir()
            (place / "tasks.d" / f"{TASK}.toml").write_text(definition)
            _print("demo.what", "demo.follows", "demo.never", speed=f"{speed:g}")
            return await _follow(place, speed, began)


async def _follow(place: Path, speed: float, began: float) -> int:
    socket = place / "run" / "rpc.sock"
    daemon = await _start(
        "kaspad_taskd.demo.daemon",
        *(str(speed), str(began)),
        *("--tasks", str(place / "tasks.d"), "--state-dir", str(place / "state")),
        *("--runtime-dir", str(socket.parent), "--bridge", "127.0.0.1:0"),
    )
    try:
        await _until_there(socket, daemon)
        _print("demo.page", url=await asyncio.to_thread(_page, socket))
        print(flush=True)
        watch = await _start("kaspad_taskd.cli", "--socket", str(socket), "watch", TASK)
        code = await watch.wait()
        print()
        _print(*(("demo.complete", "demo.next") if code == 0 else ("demo.ended",)))
        return code
    finally:
        await _stop(daemon)


def _page(socket: Path) -> str:
    """The address of the daemon's page, as soon as its second door is open. Blocks."""
    client = Client(str(socket))
    for _ in range(100):
        bridge = client.call("getInfo")["bridge"]
        if bridge is not None:
            return str(bridge["url"])
        time.sleep(0.05)
    return "-"


def _print(*keys: str, **params: str) -> None:
    for key in keys:
        print(words.say(key, **params))


async def _start(module: str, *arguments: str) -> asyncio.subprocess.Process:
    # the Debian package lies where Python does not look by itself
    path = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", module, *arguments),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
    )


async def _until_there(socket: Path, daemon: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(START_PATIENCE):
        while not socket.exists():  # noqa: ASYNC240 - a scratch directory in memory or on disk
            if daemon.returncode is not None:
                raise SystemExit(daemon.returncode)
            await asyncio.sleep(0.05)


async def _stop(daemon: asyncio.subprocess.Process) -> None:
    if daemon.returncode is None:
        daemon.terminate()
    try:
        async with asyncio.timeout(STOP_PATIENCE):
            await daemon.wait()
    except TimeoutError:
        os.kill(daemon.pid, signal.SIGKILL)
        await daemon.wait()
