"""10,000 tasks: how long a start and a stop take, and how long the loop answers nobody.

Part of `./dev bench monitor`. That stretch is measured twice: by a client that asks `ping` while
another one asks for what is long, and within the daemon, by the CPU of its loop's thread between
two turns that are due every 2 ms. On a busy machine only the second is the daemon's own.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.monitor_parts import WATCH, command, enter, register
from benchmarks.process import HERE, Started, cpu_seconds, daemon, of
from tests.fakes.bridged import free_port

COUNT = 10_000
INTERVAL = 10.0
NOTHING = subprocess.DEVNULL
GOALS = {"start, s": "<= 1", "of it CPU": "", "stop, s": "< 1", "...": "<= 20"}
QUIET = 1.0
"""Seconds between two things that are asked."""
LONGEST = 60.0
Ask = Callable[[], None]


def filled(directory: Path, build: Path) -> Path:
    """Make a state of 10,000 tasks in progress, each looked at once at least."""
    directory.mkdir()
    with daemon(directory, WATCH, NOTHING, build=build) as started:
        register(started.path, COUNT, INTERVAL)
        time.sleep(INTERVAL + 2)
    return directory


@contextmanager
def copied(state: Path) -> Iterator[Path]:
    """The same state each time."""
    with tempfile.TemporaryDirectory(dir=state.parent) as place:
        yield Path(shutil.copytree(state, Path(place) / "state"))


def start_and_stop(state: Path, build: Path) -> dict[str, float]:
    """Seconds from exec to READY=1, and from SIGTERM, at work, to the end."""
    with copied(state) as place, daemon(place, WATCH, NOTHING, build=build) as started:
        begun = cpu_seconds(started.pid)
        time.sleep(INTERVAL)
        began = time.monotonic()
        started.process.send_signal(signal.SIGTERM)
        started.process.wait(LONGEST)
        ended = time.monotonic() - began
    return {"start, s": started.ready, "of it CPU": begun, "stop, s": ended}


def rpc(path: Path, method: str) -> Ask:
    """A question at the socket, whose answer is taken as fast as it comes."""

    def ask() -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.settimeout(LONGEST)
            connection.sendall(b'{"jsonrpc":"2.0","method":"%s","id":1}\n' % method.encode())
            while not connection.recv(1 << 20).endswith(b"\n"):
                pass

    return ask


def web(port: int, path: str) -> Ask:
    """A request at the bridge."""

    def ask() -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.settimeout(LONGEST)
            request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            while connection.recv(1 << 20):
                pass

    return ask


def browser(port: int) -> Ask:
    """A browser that comes: it is told how everything is."""

    def ask() -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.settimeout(LONGEST)
            enter(connection)
            told = 0
            while told < COUNT:
                told += connection.recv(1 << 20).count(b"sync:progress")

    return ask


def stretches(state: Path, build: Path) -> dict[str, tuple[float, float]]:
    """The longest stretch in ms as a client and as the loop saw it, by what was asked then."""
    port = free_port()
    with copied(state) as place, (place / "lags").open("w+b") as lags:
        with daemon(place, command("lag"), lags, f"127.0.0.1:{port}", build) as started:
            web(port, "/healthz")()  # the bridge's libraries are loaded for the first who comes
            time.sleep(INTERVAL)
            with pinging(started) as pings:
                spans = dict(asked_in_turn(started.path, port))
            seen = list(zip(*json.loads(pings.communicate(timeout=LONGEST)[0]), strict=True))
            started.process.send_signal(signal.SIGTERM)
            started.process.wait(LONGEST)
        late = list(zip(*json.loads((place / "lags").read_bytes()), strict=True))
    return {name: (longest(seen, *span), longest(late, *span)) for name, span in spans.items()}


@contextmanager
def pinging(started: Started) -> Iterator[subprocess.Popen[bytes]]:
    """Let somebody ask for nothing, again and again."""
    ping = *command("ping"), started.path
    process = subprocess.Popen(ping, stdout=subprocess.PIPE, env=of(HERE))
    try:
        time.sleep(QUIET)
        yield process
    finally:
        process.terminate()


def asked_in_turn(path: Path, port: int) -> Iterator[tuple[str, tuple[float, float]]]:
    """When each was asked for, and answered."""
    asks: dict[str, Ask] = {
        "looks alone": lambda: time.sleep(2 * INTERVAL),
        "getAllTasks": rpc(path, "getAllTasks"),
        "subscribe": rpc(path, "subscribe"),
        "listDefinitions": rpc(path, "listDefinitions"),
        "a browser comes": browser(port),
        "the page": web(port, "/"),
        "/metrics": web(port, "/metrics"),
    }
    for name, ask in asks.items():
        began = time.monotonic()
        ask()
        yield name, (began, time.monotonic() + 0.1)
        time.sleep(QUIET)


def longest(pairs: list[tuple[float, float]], began: float, ended: float) -> float:
    """The longest of that time, in ms."""
    return max((value for at, value in pairs if began <= at <= ended), default=0.0) * 1000


def table(rounds: int, builds: Mapping[str, Path]) -> Iterator[str]:
    """Measure each build in turn; yield the lines of the result, a column for each."""
    spent: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        states = {name: filled(Path(scratch) / name, build) for name, build in builds.items()}
        for _ in range(rounds):
            for name, build in builds.items():
                for what, value in measured(states[name], build).items():
                    spent.setdefault(what, {}).setdefault(name, []).append(value)
    head = f"{COUNT} tasks every {INTERVAL:g} s"
    yield f"{head:44}{''.join(f'{name:>10}' for name in builds)}  goal"
    for what, found in spent.items():
        values = "".join(f"{statistics.median(found[name]):10.2f}" for name in builds)
        yield f"{what:44}{values}  {GOALS.get(what, GOALS['...'])}"


def measured(state: Path, build: Path) -> dict[str, float]:
    """All of it once, by what it is."""
    found = start_and_stop(state, build)
    for name, (outside, inside) in stretches(state, build).items():
        found |= {f"{name}: to a client, ms": outside, f"{name}: of the loop, CPU ms": inside}
    return found
