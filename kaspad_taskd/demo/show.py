"""`kaspad-taskd demo`: the daemon on its main job, in a scratch directory, seen in a terminal.

Three real things: a node that plays a recorded sync over gRPC (in this process), the daemon that
follows it, and `kaspad-taskctl watch`, which draws.
"""

from __future__ import annotations

import asyncio
import signal
import tempfile
import time
from pathlib import Path

from kaspad_taskd.client import Client
from kaspad_taskd.demo.daemon import Fast
from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load
from kaspad_taskd.demo.running import start, stop, tell, until_there

TASK = "node-sync-kaspa-node"

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
            tell("demo.what", "demo.follows", "demo.never", speed=f"{speed:g}")
            return await _follow(place, speed, began)


async def _follow(place: Path, speed: float, began: float) -> int:
    socket = place / "run" / "rpc.sock"
    daemon = await start(
        "kaspad_taskd.demo.daemon",
        *(str(speed), str(began)),
        *("--tasks", str(place / "tasks.d"), "--state-dir", str(place / "state")),
        *("--runtime-dir", str(socket.parent), "--bridge", "127.0.0.1:0"),
    )
    try:
        await until_there(socket, daemon)
        tell("demo.page", url=await asyncio.to_thread(_page, socket))
        print(flush=True)
        watch = await start("kaspad_taskd.cli", "--socket", str(socket), "watch", TASK)
        code = await watch.wait()
        print()
        tell(*(("demo.complete", "demo.next") if code == 0 else ("demo.ended",)))
        return code
    finally:
        await stop(daemon)


def _page(socket: Path) -> str:
    """The address of the daemon's page, as soon as its second door is open. Blocks."""
    client = Client(str(socket))
    for _ in range(100):
        bridge = client.call("getInfo")["bridge"]
        if bridge is not None:
            return str(bridge["url"])
        time.sleep(0.05)
    return "-"
