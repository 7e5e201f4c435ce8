"""Processes that are measured: started, waited for, weighed and ended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import AF_UNIX, SHUT_RD, SOCK_DGRAM
from threading import Thread
from typing import IO, Any

from kaspad_taskd.client import Client

HERE = Path(__file__).parents[1]
"""The checkout that this is of."""
DAEMON = str(Path(sys.executable).parent / "kaspad-taskd")
PATIENCE = 30.0
"""Seconds that a start may take."""
_TICKS = os.sysconf("SC_CLK_TCK")


def of(checkout: Path) -> dict[str, str]:
    """The environment in which Python runs our packages as they are in `checkout`."""
    return os.environ | {"PYTHONPATH": str(checkout), "PYTHONSAFEPATH": "1"}


def take_before(parser: ArgumentParser) -> None:
    """Let a benchmark be asked to measure an earlier version beside: `before`, a checkout."""
    said = "a checkout of an earlier version (git worktree add), measured beside in turns"
    parser.add_argument("--before", type=_checkout, metavar="DIR", help=said)


def _checkout(text: str) -> Path:
    """Without its package this one would be measured in its place."""
    found = Path(text).absolute()
    if not (found / "kaspad_taskd" / "__init__.py").exists():
        raise ArgumentTypeError(f"{found}: no checkout of kaspad-taskd")
    return found


def cpu_seconds(pid: int) -> float:
    """Seconds of CPU that all threads of a process have used so far."""
    after = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after[11]) + int(after[12])) / _TICKS


def cpu_exact(pid: int) -> float:
    """The same of the threads that run, to the nanosecond: for what uses little."""
    lists = (each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int(each.split()[0]) for each in lists) / 1e9


def rss_mib(pid: int) -> float:
    """MiB of memory that a process has resident."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"process {pid} has ended")


@dataclass
class Started:
    """A daemon that has said READY=1, `ready` seconds after it was executed."""

    process: subprocess.Popen[bytes]
    path: Path
    ready: float

    @property
    def pid(self) -> int:
        return self.process.pid

    def call(self, method: str) -> Any:
        """Ask over its socket."""
        with Client(str(self.path)) as client:
            return client.call(method)


@contextmanager
def daemon(
    directory: Path,
    command: Sequence[str] = (DAEMON,),
    output: IO[bytes] | int | None = None,
    bridge: str = "off",
    build: Path = HERE,
) -> Iterator[Started]:
    """Run a daemon whose state and socket are in `directory`; it is told to stop in the end.

    `build`: the checkout whose daemon it is.
    """
    (directory / "definitions").mkdir(exist_ok=True)
    settings = directory / "settings.toml"
    settings.touch()
    options = {
        "--config": settings,
        "--tasks": directory / "definitions",
        "--state-dir": directory,
        "--runtime-dir": directory,
        "--bridge": bridge,
        "--log-level": "warning",
    }
    arguments = [*command, *(str(each) for pair in options.items() for each in pair)]
    with tempfile.TemporaryDirectory() as place, socket.socket(AF_UNIX, SOCK_DGRAM) as notify:
        notify.bind(f"{place}/notify")
        notify.settimeout(PATIENCE)
        env = of(build) | {"NOTIFY_SOCKET": f"{place}/notify"}
        began = time.perf_counter()
        process = subprocess.Popen(arguments, env=env, stdout=output)
        try:
            while b"READY=1" not in notify.recv(4096).split(b"\n"):
                pass
            ready = time.perf_counter() - began
            Thread(target=_listen, args=(notify,)).start()
            yield Started(process, directory / "rpc.sock", ready)
        finally:
            process.terminate()
            process.wait(PATIENCE)
            notify.shutdown(SHUT_RD)


def _listen(notify: socket.socket) -> None:
    """Take what else a daemon has to say, as systemd does."""
    notify.settimeout(None)
    while notify.recv(4096):
        pass


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie."""
    return sorted(values)[int(share * (len(values) - 1))]
