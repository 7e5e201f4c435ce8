"""Keeping watch: what 10 complete tasks add to a daemon that stands by, with their record.

Run it by `./dev bench kept`. Two daemons stand by at the same time, each with ten nodes that are in
sync: one keeps watch on them (`keep_watching`, a look every 30 s each), the other does not. Both
have asked the same node before, over gRPC, so the same libraries are loaded. The node is a process
of its own, the tests'; it goes on by ten blocks a second. CPU and memory of each daemon are read
again and again. Machines differ and are noisy: only the difference within one run counts.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.process import DAEMON, Started, cpu_seconds, daemon, rss_mib
from kaspad_taskd.client import Client

TASKS = 10
PATIENCE = 300.0
"""Seconds until all of them must be complete."""
CPU_GOAL = 0.1
"""Percent of a core that keeping watch may add."""
MEMORY_GOAL = 1.0
"""MiB that it may add."""


@contextmanager
def node() -> Iterator[str]:
    """Run a node that is in sync; yields its URL."""
    command = [sys.executable, "-m", "benchmarks.kept", "node"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().decode().strip()
        finally:
            process.terminate()


async def serve() -> None:
    """Be that node until killed."""
    from tests.fakes.told_node import BPS, TIP, Says, ToldGrpc

    began = time.time()

    class InSync(ToldGrpc):
        def says(self) -> Says:
            blocks = int((time.time() - began) * BPS)
            return Says(
                TIP + blocks, round(time.time() * 1000), blocks=1_200_000 + blocks,
                rx=1_000_000 + 1000 * blocks, counts=5_000 + blocks,
            )  # fmt: skip

    async with InSync() as running:
        print(running.url, flush=True)
        await asyncio.Event().wait()


def completed(started: Started, url: str, *, keep: bool) -> None:
    """Register the tasks and wait until all are complete."""
    with Client(str(started.path)) as client:
        for number in range(TASKS):
            client.call(
                "registerTask",
                {
                    "type": "node-sync", "service": f"node-{number}", "checkInterval": 1000,
                    "keepWatching": keep, "config": {"url": url},
                },
            )  # fmt: skip
        end = time.monotonic() + PATIENCE
        while any(task["status"] != "complete" for task in client.call("getAllTasks")):
            if time.monotonic() > end:
                raise SystemExit("the tasks are not complete")
            time.sleep(1)


def turns(
    daemons: Sequence[Started], rounds: int, seconds: float
) -> list[list[tuple[float, float]]]:
    """MiB, and % of a core, of each daemon in each round; all at the same time."""
    found: list[list[tuple[float, float]]] = [[] for _ in daemons]
    for _ in range(rounds):
        began, before = time.monotonic(), [cpu_seconds(each.pid) for each in daemons]
        time.sleep(seconds)
        spent = time.monotonic() - began
        for values, each, cpu in zip(found, daemons, before, strict=True):
            values.append((rss_mib(each.pid), (cpu_seconds(each.pid) - cpu) / spent * 100))
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="./dev bench kept", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0, help="of a round")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as directory, node() as url:
        places = [Path(directory) / name for name in ("without", "with")]
        for place in places:
            place.mkdir()
        quiet = subprocess.DEVNULL
        with (
            daemon(places[0], (DAEMON,), quiet) as without,
            daemon(places[1], (DAEMON,), quiet) as kept,
        ):
            completed(without, url, keep=False)
            completed(kept, url, keep=True)
            time.sleep(35)  # every probe has looked once, and what it needs is there
            found = turns((without, kept), options.rounds, options.seconds)
    before, after = ([statistics.median(each) for each in zip(*one, strict=True)] for one in found)
    print(f"{f'standing by, {TASKS} complete tasks':36}{'MiB':>8}{'CPU %':>8}")
    print(f"{'keep_watching = false':36}{before[0]:8.1f}{before[1]:8.2f}")
    print(f"{'keep_watching = true':36}{after[0]:8.1f}{after[1]:8.2f}")
    print(
        f"{'it adds':36}{after[0] - before[0]:8.1f}{after[1] - before[1]:8.2f}"
        f"  goal < {MEMORY_GOAL:.0f} MiB, < {CPU_GOAL} %"
    )


if __name__ == "__main__" and sys.argv[1:] == ["node"]:
    asyncio.run(serve())
