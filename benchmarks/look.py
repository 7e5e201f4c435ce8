"""One look at a node, whole: what it costs the daemon in CPU, beside bare questions.

Run it by `./dev bench look`. The node is a process of its own: one of the tests' (a real gRPC
server, made-up answers), and a real kaspad where one is installed (`--kaspad PROGRAM`): a network
of its own, nobody else in it. Beside the whole look stands the one question that it cannot do
without, over the same client.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from kaspad_taskd.base.tables import Fault, Table
from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Reading
from kaspad_taskd.kaspa.opening import open_node
from kaspad_taskd.probes import TYPES, open_probe
from tests.fakes.bridged import free_port

PATIENCE = 60.0
"""Seconds that a node may take to answer for the first time."""


def _kaspad(program: str, directory: str, ports: Sequence[int]) -> list[str]:
    grpc, json, listen = (f"127.0.0.1:{port}" for port in ports)
    quiet = ["--nodnsseed", "--disable-upnp", "--nologfiles", "--yes"]
    doors = [f"--rpclisten={grpc}", f"--rpclisten-json={json}", f"--listen={listen}"]
    return [program, "--simnet", f"--appdir={directory}", *quiet, *doors]


@contextmanager
def made_up() -> Iterator[dict[str, str]]:
    """Run the tests' node; yields its URLs by name."""
    command = [sys.executable, "-m", "benchmarks.look", "node"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            grpc, wrpc = process.stdout.readline().decode().split()
            yield {"the tests' node, gRPC": grpc, "the tests' node, wRPC JSON": wrpc}
        finally:
            process.terminate()


async def serve() -> None:
    """Be the tests' node until killed."""
    from tests.fakes.node import GrpcNode, WrpcNode

    async with GrpcNode() as grpc, WrpcNode() as wrpc:
        print(grpc.url, wrpc.url, flush=True)
        await asyncio.Event().wait()


@contextmanager
def kaspad(program: str) -> Iterator[dict[str, str]]:
    """Run a real one; yields its URLs by name."""
    ports = [free_port() for _ in range(3)]
    with tempfile.TemporaryDirectory() as directory:
        command = _kaspad(program, directory, ports)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            yield {
                "kaspad, gRPC": f"grpc://127.0.0.1:{ports[0]}",
                "kaspad, wRPC JSON": f"ws://127.0.0.1:{ports[1]}",
            }
        finally:
            process.terminate()
            process.wait(30)


def definition(url: str) -> Definition:
    """A task that watches the node there."""
    faults: list[Fault] = []
    checker = TYPES["node-sync"].parse(Table({"url": url}, faults), "node")
    assert not faults, faults
    return Definition("node", "node-sync", "node", checker=checker.config)


async def each(ask: Callable[[], Awaitable[object]], count: int) -> float:
    """CPU ms of one of `count` questions."""
    before = time.process_time()
    for _ in range(count):
        await ask()
    return (time.process_time() - before) / count * 1000


async def measure(url: str, rounds: int, count: int) -> tuple[float, float]:
    """CPU ms of a whole look and of its first question alone, in turns."""
    probe = open_probe(definition(url))
    assert probe is not None
    client = open_node(url, None, 5.0)
    memory: dict[str, object] = {}

    async def look() -> None:
        seen = await probe.observe(memory)
        if not isinstance(seen, Reading):
            raise SystemExit(f"{url} does not answer: {seen}")
        memory.update(seen.memory)

    await _awake(client.dag_info)
    await each(look, 20)
    whole, alone = [], []
    for _ in range(rounds):
        whole.append(await each(look, count))
        alone.append(await each(client.dag_info, count))
    await probe.close()
    await client.close()
    return statistics.median(whole), statistics.median(alone)


async def _awake(ask: Callable[[], Awaitable[object]]) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            await ask()
        except Exception:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.2)
        else:
            return


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="./dev bench look", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=100, help="looks of a round")
    own = Path.home() / ".cargo/bin/kaspad"
    parser.add_argument("--kaspad", default=shutil.which("kaspad") or (own.exists() and str(own)))
    options = parser.parse_args(argv)
    with ExitStack() as stack:
        urls = stack.enter_context(made_up())
        if options.kaspad:
            urls |= stack.enter_context(kaspad(options.kaspad))
        print(f"{'CPU ms':30}{'look':>8}{'question':>10}{'ratio':>8}  goal")
        for name, url in urls.items():
            whole, alone = asyncio.run(measure(url, options.rounds, options.count))
            print(f"{name:30}{whole:8.2f}{alone:10.2f}{whole / alone:8.2f}  <= 3")


if __name__ == "__main__":
    if sys.argv[1:2] == ["node"]:
        asyncio.run(serve())
    else:
        main()
