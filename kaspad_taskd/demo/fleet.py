"""`kaspad-taskd demo --fleet`: many hosts over a Redis, in a terminal and in a browser.

All but the machines is real: a redis-server on a socket, and of each host a node that plays a
recorded sync from another place on, the daemon that follows it, the relay that carries what that
tells. `kaspad-taskctl fleet --watch` draws, and a hub serves the page. One host dies; another is
cut off, and comes back. All of it lies in a scratch directory.
"""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Final

from kaspad_taskd.demo.running import tell

HOSTS: Final = 12
FEWEST: Final = 3
MIB_EACH: Final = 65
"""Memory of a host: its daemon and its relay, whose 44 MiB each (RSS) are shared for a third."""
SERVERS: Final = ("redis-server", "valkey-server")
LONGEST_PLACE: Final = 55
"""Characters of a directory in which our sockets, 52 below it, can be: the kernel takes 107."""
UNABLE: Final = 1
ENDS: Final = (signal.SIGTERM, signal.SIGHUP)


def show(speed: float) -> int:
    """Show a fleet whose nodes play at `speed` times the recorded pace; returns the exit code."""
    program = next(filter(None, map(shutil.which, SERVERS)), None)
    if program is None:
        tell("demo.fleet.no_server")
    if importlib.util.find_spec("redis") is None:
        tell("demo.fleet.no_library")
    elif program is not None:
        return _shown(program, speed)
    return UNABLE


def _shown(program: str, speed: float) -> int:
    try:
        code = asyncio.run(_until_ended(program, speed))
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    print()
    tell("demo.fleet.over")
    return code


async def _until_ended(program: str, speed: float) -> int:
    """All of it, which a signal ends as Ctrl-C does: nothing is left behind."""
    whole = asyncio.create_task(_show(program, speed))
    ended: list[int] = []

    def end(number: int) -> None:
        ended.append(number)
        whole.cancel()

    loop = asyncio.get_running_loop()
    for number in ENDS:
        loop.add_signal_handler(number, end, number)
    try:
        return await whole
    except asyncio.CancelledError:
        if not ended:
            raise
        return 128 + ended[0]


async def _show(program: str, speed: float) -> int:
    from kaspad_taskd.demo.hosts import BACK, CUT, DIES, Fleet

    own = tempfile.gettempdir()
    place = own if len(own) <= LONGEST_PLACE else "/tmp"  # noqa: S108 - what is made is 0700
    with tempfile.TemporaryDirectory(prefix="kaspad-taskd-demo-", dir=place) as scratch:
        size = fitting(_available())
        fleet = Fleet(Path(scratch), program, speed, size)
        tell("demo.fleet.what", "demo.fleet.follows", n=size, speed=f"{speed:g}")
        if size < HOSTS:
            tell("demo.fleet.fewer", n=HOSTS)
        tell("demo.fleet.dies", host=fleet.names[fleet.dying], after=f"{DIES:g}")
        times = {"after": f"{CUT:g}", "back": f"{BACK:g}"}
        tell("demo.fleet.cut", host=fleet.names[fleet.cut], **times)
        tell("demo.page", url=fleet.page)
        tell("demo.fleet.end")
        print(flush=True)
        async with fleet:
            return await fleet.watched()


def fitting(available: int | None) -> int:
    """Return how many hosts there may be, of the bytes of memory that are free; None: not known."""
    if available is None:
        return HOSTS
    return max(FEWEST, min(HOSTS, available // (MIB_EACH << 20)))


def _available() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
    return next((int(kib) * 1024 for kib in found), None)
