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
from benchmarks.process import HERE, cpu_seconds, of, take_before

LINE = b'{"jsonrpc":"2.0","method":"getTask","params":{"taskId":"node-sync-kaspa-node"},"id":1}\n'
BODY = (
    b"<?xml version='1.0'?><methodCall><methodName>supervisor.getProcessInfo</methodName><params>"
    b"<param><value><string>kaspa-node</string></value></param></params></methodCall>"
)
POST = (
    b"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: "
    b"%d\r\n\r\n%s" % (len(BODY), BODY)
)
ONE, MANY, PIPELINED = "c=1", "c=64", "c=64, one connection"
SLOW = 10.0
"""Seconds more for one that has not answered twice in its time."""
SHAPES = {ONE: (1, 1), MANY: (64, 1), PIPELINED: (1, 64)}
OURS, OURS_BEFORE, CONSTANT = "kaspad-taskd", "kaspad-taskd before", "asyncio, constant"
DEFAULT, NODE, SUPERVISORD = "jsonrpcserver", "node net", "supervisord"
RPS, CPU, P50 = range(3)
GOALS = (
    ("64 connections, requests/s to node net", MANY, RPS, NODE, ">= 0.95"),
    ("one connection, 64 in flight, the same", PIPELINED, RPS, NODE, ">= 0.75"),
    ("one in flight, p50 to the constant answer", ONE, P50, CONSTANT, "<= 1.3"),
)


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

    def middle(self, shape: str, column: int) -> float:
        """Return the median of a column."""
        return statistics.median(row[column] for row in self.found[shape])

    def over(self, other: Server, shape: str, column: int) -> float:
        """Return the median, over the rounds, of a column's ratio to another's of the same round.

        What else the machine does changes from round to round, and meets both. A round in which it
        let the other do next to nothing (no 10 ms of CPU) tells nothing.
        """
        rounds = zip(self.found[shape], other.found[shape], strict=True)
        return statistics.median(
            mine[column] / theirs[column] for mine, theirs in rounds if theirs[column]
        )


def commands(
    directory: Path, supervisord: str | None, before: Path | None
) -> Iterator[tuple[str, Path, list[str], dict[str, str]]]:
    """Yield name, socket, command and environment of each server that can be had."""
    python = [sys.executable, "-m", "benchmarks.rpc_servers"]
    known = {"ours": (OURS, HERE), "constant": (CONSTANT, HERE), "default": (DEFAULT, HERE)}
    if before is not None:
        known["ours-before"] = (OURS_BEFORE, before)
    if shutil.which("node"):
        path = directory / "node.sock"
        yield NODE, path, rpc_servers.node(path), {**os.environ}
    else:
        print("node: not installed, not measured")
    for key, (name, checkout) in known.items():
        path = directory / f"{key}.sock"
        yield name, path, [*python, key.partition("-")[0], str(path)], of(checkout)
    if supervisord:
        path = directory / "supervisor.sock"
        yield SUPERVISORD, path, rpc_servers.supervisord(supervisord, path), {**os.environ}
    else:
        print("supervisord: not installed (--supervisord PROGRAM), not measured")


@contextmanager
def running(name: str, path: Path, command: list[str], env: dict[str, str]) -> Iterator[Server]:
    """Start a server and wait until it answers with the task."""
    null = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=null, stderr=null, env=env)
    server = Server(name, path, process, http=name == SUPERVISORD)
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
        pid = server.process.pid
        before, start = cpu_seconds(pid), time.perf_counter()
        answered, delays = _load(selector, server.request, seconds)
        spent, cpu = time.perf_counter() - start, cpu_seconds(pid) - before
    return answered / spent, cpu / answered * 1e6, statistics.median(delays) * 1e6


def _load(
    selector: selectors.BaseSelector, request: bytes, seconds: float
) -> tuple[int, list[float]]:
    answered, clock = 0, time.perf_counter
    delays: list[float] = []
    until = clock() + seconds
    while (now := clock()) < until or (len(delays) < 2 and now < until + SLOW):
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


def fits(server: Server, shape: str) -> bool:
    """Whether a server can take that load: HTTP has no 64 on one connection."""
    return SHAPES[shape][1] == 1 or not server.http


def table(servers: Sequence[Server]) -> Iterator[str]:
    """Yield the lines of the result; each ratio is above 1 where ours does better."""
    [first] = [server for server in servers if server.name == OURS]
    for shape in SHAPES:
        yield f"\n{shape:22}{'rps':>10}{'CPU us':>9}{'p50 us':>9}   ours: rps    CPU    p50"
        for server in servers:
            if shape in server.found:
                rps, cpu, p50 = (server.middle(shape, column) for column in (RPS, CPU, P50))
                better = first.over(server, shape, RPS)
                less, sooner = (server.over(first, shape, column) for column in (CPU, P50))
                ratios = f"{better:12.2f}{less:7.2f}{sooner:7.2f}"
                yield f"{server.name:22}{rps:10.0f}{cpu:9.1f}{p50:9.0f}{ratios}"


def goals(servers: Sequence[Server]) -> Iterator[str]:
    """Yield the rows of "Before and after": ours to another's, each in the same run."""
    known = {server.name: server for server in servers}
    yield f"\n{'':44}{'before':>8}{'now':>8}  goal"
    for what, shape, column, other, goal in GOALS:
        if other in known:
            found = [
                f"{known[name].over(known[other], shape, column):.2f}" if name in known else "-"
                for name in (OURS_BEFORE, OURS)
            ]
            yield f"{what:44}{found[0]:>8}{found[1]:>8}  {goal}"


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="./dev bench rpc", description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.5, help="a measurement takes")
    parser.add_argument("--rounds", type=int, default=9)
    take_before(parser)
    beside = shutil.which("supervisord", path=Path(sys.executable).parent)
    parser.add_argument("--supervisord", default=beside or shutil.which("supervisord"))
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        found = commands(Path(directory), options.supervisord, options.before)
        servers = [stack.enter_context(running(*each)) for each in found]
        turns = [(shape, each) for shape in SHAPES for each in servers if fits(each, shape)]
        for _ in range(options.rounds):
            for shape, server in turns:
                row = measure(server, *SHAPES[shape], options.seconds)
                server.found.setdefault(shape, []).append((row[0], row[1], row[2]))
        print("\n".join([*table(servers), *goals(servers)]))


if __name__ == "__main__":
    main()
