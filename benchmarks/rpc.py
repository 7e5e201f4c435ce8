"""Requests on a Unix socket: the door beside other servers, in turns, in one run.

Run it by `./dev bench rpc`. Each server is a process of its own; the load is the same for all: one
connection with one request in flight, 64 connections with one each, and (where the protocol can)
one connection with 64. Machines differ and are noisy: only the ratios within one run count.
"""

from __future__ import annotations

import argparse
import os
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import rpc_servers

LINE = b'{"jsonrpc":"2.0","method":"getTask","params":{"taskId":"node-sync-kaspa-node"},"id":1}\n'
BODY = (
    b"<?xml version='1.0'?><methodCall><methodName>supervisor.getProcessInfo</methodName><params>"
    b"<param><value><string>kaspa-node</string></value></param></params></methodCall>"
)
POST = (
    b"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: "
    b"%d\r\n\r\n%s" % (len(BODY), BODY)
)
TICKS = os.sysconf("SC_CLK_TCK")
SHAPES = {"c=1": (1, 1), "c=64": (64, 1), "c=64, one connection": (1, 64)}


class Lines:
    """Counts answers that are lines."""

    def feed(self, data: bytes) -> int:
        return data.count(b"\n")


class Http:
    """Counts HTTP answers with a Content-Length."""

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, data: bytes) -> int:
        self.rest += data
        head, blank, body = self.rest.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
        if not blank or len(body) < int(length):
            return 0
        self.rest = body[int(length) :]
        return 1


@dataclass
class Server:
    """One that is measured; `found` collects (requests/s, CPU us/request, p50 us) by shape."""

    name: str
    path: Path
    process: subprocess.Popen[bytes]
    http: bool = False
    found: dict[str, list[tuple[float, float, float]]] = field(default_factory=dict)

    @property
    def request(self) -> bytes:
        return POST if self.http else LINE

    def reader(self) -> Lines | Http:
        return Http() if self.http else Lines()

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        after = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after[11]) + int(after[12])) / TICKS

    def middle(self, shape: str, column: int) -> float | None:
        """Return the median of a column, None where the shape was not measured."""
        rows = self.found.get(shape)
        return statistics.median(row[column] for row in rows) if rows else None


def commands(directory: Path, supervisord: str | None) -> Iterator[tuple[str, Path, list[str]]]:
    """Yield name, socket and command of each server that can be had."""
    names = {"ours": "kaspad-taskd", "constant": "asyncio, constant", "default": "jsonrpcserver"}
    for key, name in names.items():
        path = directory / f"{key}.sock"
        yield name, path, [sys.executable, "-m", "benchmarks.rpc_servers", key, str(path)]
    if shutil.which("node"):
        path = directory / "node.sock"
        yield "node net", path, rpc_servers.node(path)
    else:
        print("node: not installed, not measured")
    if supervisord:
        path = directory / "supervisor.sock"
        yield "supervisord", path, rpc_servers.supervisord(supervisord, path)
    else:
        print("supervisord: not installed (--supervisord PROGRAM), not measured")


@contextmanager
def running(name: str, path: Path, command: list[str]) -> Iterator[Server]:
    """Start a server and wait until it answers with the task."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = Server(name, path, process, http=name == "supervisord")
    try:
        _wait_for(server)
        yield server
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(server: Server) -> None:
    until = time.monotonic() + 15
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as one:
                one.settimeout(5)
                one.connect(str(server.path))
                one.sendall(server.request)
                reader, answer = server.reader(), b""
                while not reader.feed(chunk := one.recv(65536)):
                    answer += chunk
            assert b"kaspa-node" in answer + chunk, answer + chunk
            return
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > until or server.process.poll() is not None:
                raise SystemExit(f"{server.name} did not start") from None
            time.sleep(0.05)


def measure(server: Server, connections: int, depth: int, seconds: float) -> tuple[float, ...]:
    """Keep `depth` requests in flight on each connection; return rps, CPU us, p50 us."""
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.EpollSelector())
        for _ in range(connections):
            one = stack.enter_context(socket.socket(socket.AF_UNIX))
            one.connect(str(server.path))
            selector.register(one, selectors.EVENT_READ, [one, server.reader(), 0.0])
            one.sendall(server.request * depth)
        _load(selector, server.request, seconds / 4)
        before, start = server.cpu(), time.perf_counter()
        answered, delays = _load(selector, server.request, seconds)
        spent, cpu = time.perf_counter() - start, server.cpu() - before
    return answered / spent, cpu / answered * 1e6, statistics.median(delays) * 1e6


def _load(
    selector: selectors.BaseSelector, request: bytes, seconds: float
) -> tuple[int, list[float]]:
    answered, delays, clock = 0, [], time.perf_counter
    until = clock() + seconds
    while (now := clock()) < until:
        for key, _ in selector.select(1):
            one, reader, asked = key.data
            count = reader.feed(one.recv(262_144))
            answered += count
            now = clock()
            if count:
                delays.append(now - asked)
                key.data[2] = now
                one.sendall(request * count)
    return answered, delays[1:]


def shapes(server: Server) -> dict[str, tuple[int, int]]:
    """Return the shapes of load that a server can take: HTTP has no 64 on one connection."""
    return {k: v for k, v in SHAPES.items() if v[1] == 1 or not server.http}


def table(servers: Sequence[Server]) -> Iterator[str]:
    """Yield the lines of the result; each ratio is above 1 where ours does better."""
    first = servers[0]
    for shape in SHAPES:
        yield f"\n{shape:22}{'rps':>10}{'CPU us':>9}{'p50 us':>9}   ours: rps    CPU    p50"
        for server in servers:
            rps, cpu, p50 = (server.middle(shape, column) for column in range(3))
            mine = [first.middle(shape, column) for column in range(3)]
            if rps and cpu and p50 and mine[0] and mine[1] and mine[2]:
                ratios = f"{mine[0] / rps:12.2f}{cpu / mine[1]:7.2f}{p50 / mine[2]:7.2f}"
                yield f"{server.name:22}{rps:10.0f}{cpu:9.1f}{p50:9.0f}{ratios}"


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="./dev bench rpc", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="a measurement takes")
    parser.add_argument("--rounds", type=int, default=5)
    beside = shutil.which("supervisord", path=Path(sys.executable).parent)
    parser.add_argument("--supervisord", default=beside or shutil.which("supervisord"))
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        found = commands(Path(directory), options.supervisord)
        servers = [stack.enter_context(running(*each)) for each in found]
        for _ in range(options.rounds):
            for server in servers:
                for shape, (connections, depth) in shapes(server).items():
                    row = measure(server, connections, depth, options.seconds)
                    server.found.setdefault(shape, []).append((row[0], row[1], row[2]))
        print("\n".join(table(servers)))


if __name__ == "__main__":
    main()
