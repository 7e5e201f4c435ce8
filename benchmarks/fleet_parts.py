"""What `bench fleet` is made of: a redis-server, who writes, serves and looks; each a process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import AF_UNIX, socket
from typing import Any

from benchmarks import fleet_peers
from benchmarks.fleet_sides import Board
from benchmarks.monitor_parts import WATCH, register
from benchmarks.process import PATIENCE, cpu_exact, daemon, rss_mib
from tests.fakes.bridged import free_port

SETTLE_S = 5.0


def as_installed() -> None:
    """Let ours and its libraries be compiled, and stay so, as where it is installed."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    rooms = "kaspad_taskd.fleet.hub.house, kaspad_taskd.fleet.relay.house"
    subprocess.run((sys.executable, "-c", f"import {rooms}"), check=True)


@dataclass
class Scene:
    """A redis-server in a directory of its own, and who writes into it."""

    place: Path
    redis: Path
    engine: int
    hosts: int
    writer: Any
    board: Path
    clients: int
    """On all hosts."""


@dataclass
class Serving:
    """A server, and who looks at it; `began`: when it was executed, by monotonic time (s)."""

    pid: int
    looking: Any
    began: float


@contextmanager
def redis_server(directory: Path) -> Iterator[tuple[int, Path]]:
    """Run a redis-server on a socket of its own; yields its pid and place."""
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("there is no redis-server: apt install redis-server")
    path = directory / "redis"
    options = ("--port", "0", "--appendonly", "yes", "--save", "", "--maxclients", "5000")
    command = [program, "--unixsocket", str(path), "--dir", str(directory), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            _await(path)
            yield process.pid, path
        finally:
            process.terminate()


def _await(path: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with socket(AF_UNIX) as line, suppress(OSError):
            line.connect(str(path))
            return
        time.sleep(0.05)
    raise SystemExit("redis-server does not answer")


@contextmanager
def side(*command: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process that says lines and ends when its input does."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def told(process: subprocess.Popen[str]) -> Any:
    """Return the next line that it says, as JSON."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{process.args!r} has ended")
    return json.loads(line)


def ask(process: subprocess.Popen[str]) -> Any:
    """Ask it what was since the last time."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return told(process)


def _python(name: str, *more: object) -> Sequence[str]:
    return (sys.executable, "-m", f"benchmarks.{name}", *map(str, more))


@contextmanager
def scene(kind: str, hosts: int, changes: float, clients: int = 1) -> Iterator[Scene]:
    """Let hosts change: `write` as relays do, `emit` through python-socketio, `node` as it does."""
    with tempfile.TemporaryDirectory() as name, redis_server(Path(name)) as (pid, path):
        board = Path(name) / "board"
        Board(board, hosts)
        command: Sequence[str] = _python("fleet_sides", kind, path, hosts, changes, board)
        if kind == "node":
            command = fleet_peers.node("emit", str(path), hosts, changes)
        with side(*command) as writer:
            told(writer)
            yield Scene(Path(name), path, pid, hosts, writer, board, clients)


@contextmanager
def _looking(port: int, found: Scene, board: object) -> Iterator[Any]:
    with side(*_python("fleet_browsers", port, found.hosts, found.clients, board)) as looking:
        told(looking)
        yield looking


@contextmanager
def hub(found: Scene) -> Iterator[Serving]:
    """The real hub, and browsers that wait for it."""
    port = free_port()
    settings, state = found.place / "fleet.toml", found.place / "state"
    state.mkdir(exist_ok=True)
    settings.write_text(
        f'host = "x"\n[redis]\nservers = ["unix:{found.redis}"]\n'
        f'[hub]\nlisten = "127.0.0.1:{port}"\n'
    )
    command = [sys.executable, "-m", "kaspad_taskd.fleet.hub.main", "--log-level", "warning"]
    more = ["--config", str(settings), "--state-dir", str(state)]
    with _looking(port, found, found.board) as looking:
        began = time.monotonic()
        process = subprocess.Popen([*command, *more], env={**os.environ, "NOTIFY_SOCKET": ""})
        try:
            yield Serving(process.pid, looking, began)
        finally:
            process.terminate()
            process.wait(PATIENCE)


@contextmanager
def python_server(found: Scene) -> Iterator[Serving]:
    """python-socketio, with its own manager."""
    with _served(_python("fleet_peers", found.redis), found) as serving:
        yield serving


@contextmanager
def node_server(found: Scene) -> Iterator[Serving]:
    """socket.io of node; raises Missing."""
    command = fleet_peers.node("serve", str(found.redis), found.hosts, 0)
    with _served(command, found) as serving:
        yield serving


@contextmanager
def _served(command: Sequence[str], found: Scene) -> Iterator[Serving]:
    began = time.monotonic()
    with side(*command) as process:
        port = told(process)
        with _looking(port, found, "") as looking:
            yield Serving(process.pid, looking, began)


def relay(tasks: int, pace: float, seconds: float) -> tuple[float, float]:
    """Return what a relay takes of a daemon whose tasks change so often: % of a core, MiB."""
    with tempfile.TemporaryDirectory() as name, redis_server(Path(name)) as (_, path):
        place = Path(name)
        settings, state = place / "fleet.toml", place / "relay"
        state.mkdir()
        settings.write_text(f'host = "x"\n[redis]\nservers = ["unix:{path}"]\n')
        with daemon(place, WATCH, subprocess.DEVNULL) as started:
            register(started.path, tasks, pace)
            command = [sys.executable, "-m", "kaspad_taskd.fleet.relay.main"]
            more = ["--config", str(settings), "--state-dir", str(state)]
            more += ["--socket", str(place / "watch.sock"), "--log-level", "warning"]
            process = subprocess.Popen([*command, *more], env={**os.environ, "NOTIFY_SOCKET": ""})
            try:
                time.sleep(SETTLE_S)
                before, began = cpu_exact(process.pid), time.monotonic()
                time.sleep(seconds)
                used, took = cpu_exact(process.pid) - before, time.monotonic() - began
                return 100 * used / took, rss_mib(process.pid)
            finally:
                process.terminate()
                process.wait(PATIENCE)
