"""Events to browsers: the bridge beside node's socket.io and bare WebSocket writes, in turns.

Run it by `./dev bench bridge`. Each server is a process of its own and sends the same event of
about 400 bytes to 100 and to 1,000 WebSocket clients, which live in one more process and note when
each event came. Machines differ and are noisy: only the ratios within one run count.
"""

from __future__ import annotations

import argparse
import re
import resource
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from benchmarks import bridge_servers
from benchmarks.monitor_parts import ENTER, UPGRADE
from benchmarks.process import cpu_seconds, quantile, rss_mib
from tests.fakes.node_packages import Missing, install

LOADS = {100: (500, 0.01), 1000: (60, 0.15)}
"""By clients: events, and seconds between them."""
SENT = re.compile(rb'"sent":(\d+)')
PATIENCE = 30.0


@dataclass
class Server:
    """One that is measured; `found` collects (CPU us, p50 ms, p99 ms, RSS MiB) by clients."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    found: dict[int, list[tuple[float, float, float, float]]] = field(default_factory=dict)

    def middle(self, clients: int, column: int) -> float:
        return statistics.median(row[column] for row in self.found[clients])


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yield name and command of each server that can be had."""
    for key, name in {"ours": "kaspad-taskd", "raw": "asyncio, bare writes"}.items():
        yield name, [sys.executable, "-m", "benchmarks.bridge_servers", key]
    try:
        folder = install("socket.io", {"socket.io": "4.8.3"})
    except Missing as why:
        print(f"node socket.io: not measured: {why}")
    else:
        yield "node socket.io", [shutil.which("node") or "", "-e", bridge_servers.NODE, str(folder)]


@contextmanager
def running(name: str, command: list[str]) -> Iterator[Server]:
    """Start a server; it ends with its standard input."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe)
    try:
        assert process.stdout is not None
        yield Server(name, process, int(process.stdout.readline()))
    finally:
        process.kill()
        process.communicate()


class Clients:
    """Many WebSockets in this process."""

    def __init__(self, port: int, count: int) -> None:
        self._selector = selectors.EpollSelector()
        self._open = [self._connect(port) for _ in range(count)]
        for one in self._open:
            self._enter(one)
            self._selector.register(one, selectors.EVENT_READ)

    def _connect(self, port: int) -> socket.socket:
        one = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        one.sendall(UPGRADE)
        self._read_to(one, b'"sid"')
        return one

    def _enter(self, one: socket.socket) -> None:
        one.sendall(ENTER)
        self._read_to(one, b"40{")

    def _read_to(self, one: socket.socket, word: bytes) -> None:
        data = b""
        while word not in data:
            chunk = one.recv(65536)
            assert chunk, data
            data += chunk

    def delays(self, expected: int) -> list[float]:
        """Milliseconds from making to arriving, of so many deliveries."""
        found: list[float] = []
        until = time.monotonic() + PATIENCE
        while len(found) < expected and time.monotonic() < until:
            for key, _ in self._selector.select(1):
                data = key.fileobj.recv(1 << 18)  # type: ignore[union-attr]
                now = time.monotonic_ns()
                found += [(now - int(sent)) / 1e6 for sent in SENT.findall(data)]
        return found

    def close(self) -> None:
        for one in self._open:
            one.close()
        self._selector.close()


def measure(server: Server, clients: int, events: int, apart: float) -> None:
    """Send, and note what it took."""
    crowd = Clients(server.port, clients)
    try:
        time.sleep(0.3)
        crowd.delays(0)
        assert server.process.stdin is not None
        assert server.process.stdout is not None
        before = cpu_seconds(server.process.pid)
        server.process.stdin.write(f"{events} {apart}\n".encode())
        server.process.stdin.flush()
        delays = crowd.delays(events * clients)
        assert server.process.stdout.readline() == b"done\n"
        cpu = cpu_seconds(server.process.pid) - before
        if len(delays) != events * clients:
            raise SystemExit(f"{server.name}: {len(delays)} of {events * clients} arrived")
        row = (
            cpu / len(delays) * 1e6,
            quantile(delays, 0.5),
            quantile(delays, 0.99),
            rss_mib(server.process.pid),
        )
        server.found.setdefault(clients, []).append(row)
    finally:
        crowd.close()
        time.sleep(0.5)


def table(servers: Sequence[Server]) -> Iterator[str]:
    """Yield the lines of the result; the ratios are ours to theirs, below 1 where ours is less."""
    first = servers[0]
    for clients in LOADS:
        head = "CPU us    p50 ms    p99 ms   RSS MiB   ours/this: CPU    p99    RSS"
        yield f"\n{f'{clients} clients':22}{head}"
        for server in servers:
            row = [server.middle(clients, column) for column in range(4)]
            ratios = [first.middle(clients, column) / row[column] for column in (0, 2, 3)]
            numbers = "".join(f"{value:10.1f}" for value in row)
            yield f"{server.name:18}{numbers}         " + "".join(f"{r:7.2f}" for r in ratios)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="./dev bench bridge", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(argv)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    with ExitStack() as stack:
        servers = [stack.enter_context(running(*each)) for each in commands()]
        for _ in range(options.rounds):
            for clients, load in LOADS.items():
                for server in servers:
                    measure(server, clients, *load)
        print("\n".join(table(servers)))


if __name__ == "__main__":
    main()
