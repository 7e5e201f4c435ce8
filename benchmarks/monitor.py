"""Many tasks: the whole daemon with looks that cost nothing, beside bare sleeps, in turns.

Run it by `./dev bench monitor`. Each look moves its task by what is shown, so each is a durable
change (the real store, WAL and FULL) and an event to one subscribed client, a process of its own;
measured once more with a browser's WebSocket at the bridge in that client's place.
What is beside it is the floor: an asyncio loop with as many tasks that sleep as long and do nothing
else. A look is late by what lies between it and the one before beyond the interval, its own commit
included. Machines differ and are noisy: only the ratios within one run count.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import crowd
from benchmarks.monitor_parts import WATCH, command, register
from benchmarks.process import HERE, cpu_seconds, daemon, of, quantile, rss_mib, take_before
from tests.fakes.bridged import free_port

LOADS = ((1000, 1.0), (10_000, 10.0))
"""Tasks, and seconds between looks: 1,000 looks a second each."""


@dataclass
class Found:
    """What rounds brought, by what it is."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, **values: float) -> None:
        for name, value in values.items():
            self.values.setdefault(name, []).append(value)

    def middle(self, name: str) -> float:
        return statistics.median(self.values[name])


@contextmanager
def part(name: str, *arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    """Run a part whose results are wanted; it is killed if they were not taken."""
    ours = [*command(name), *map(str, arguments)]
    process = subprocess.Popen(ours, stdout=subprocess.PIPE, env=of(HERE))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def results(process: subprocess.Popen[bytes]) -> Iterator[tuple[float, float]]:
    """Yield the pairs (moment, value) that a part prints when it ends."""
    told, _ = process.communicate(timeout=60)
    return zip(*json.loads(told), strict=True)


def window(pid: int, interval: float, seconds: float) -> tuple[float, float, float]:
    """Let it run in, then measure; return both ends of the time, and the CPU seconds within."""
    time.sleep(3 + interval)
    before, began = cpu_seconds(pid), time.monotonic()
    time.sleep(max(seconds, interval))
    return began, time.monotonic(), cpu_seconds(pid) - before


def within(pairs: Iterator[tuple[float, float]], began: float, ended: float) -> list[float]:
    """The values of that time."""
    return [value for at, value in pairs if began <= at < ended]


def judge(
    found: Found, late: Sequence[float], span: float, cpu: float, load: tuple[int, float]
) -> None:
    """Add what a process did."""
    count, interval = load
    if len(late) < count * (span / interval - 2):
        raise SystemExit(f"only {len(late)} looks in {span:.0f} s: some tasks are forgotten")
    found.add(
        cpu=cpu / len(late) * 1000,
        core=cpu / span * 100,
        p50=quantile(late, 0.5) * 1000,
        p99=quantile(late, 0.99) * 1000,
        done=interval / (interval + statistics.mean(late)) * 100,
    )


def floor(found: Found, load: tuple[int, float], seconds: float) -> None:
    """Measure bare sleeps once."""
    with part("sleep", *load) as process:
        began, ended, cpu = window(process.pid, load[1], seconds)
        found.add(rss=rss_mib(process.pid))
        process.terminate()
        late = within(results(process), began, ended)
    judge(found, late, ended - began, cpu, load)


def copied(mirror: Path, count: int) -> None:
    """Wait until the copies of what was registered are written: that is no part of looking."""
    until = time.monotonic() + 180
    while sum(1 for _ in mirror.glob("*.toml")) < count:
        if time.monotonic() > until:
            raise SystemExit(f"{mirror} has not got its {count} copies within 3 minutes")
        time.sleep(0.5)


def ours(
    found: Found, load: tuple[int, float], seconds: float, directory: str, build: Path = HERE
) -> None:
    """Measure the daemon once, with one client."""
    with tempfile.TemporaryDirectory(dir=directory) as place:
        told = Path(place) / "looks"
        with (
            told.open("w+b") as looks,
            daemon(Path(place), WATCH, looks, build=build) as started,
        ):
            with part("follow", started.path) as client:
                register(started.path, *load)
                copied(Path(place) / "tasks.d", load[0])
                began, ended, cpu = window(started.pid, load[1], seconds)
                found.add(rss=rss_mib(started.pid))
                started.process.send_signal(signal.SIGTERM)
                ages = within(results(client), began, ended)
            started.process.wait(30)
        late = within(zip(*json.loads(told.read_bytes()), strict=True), began, ended)
    judge(found, late, ended - began, cpu, load)
    found.add(
        told=len(ages) / len(late) * 100,
        told50=quantile(ages, 0.5) * 1000,
        told99=quantile(ages, 0.99) * 1000,
    )


def browsed(found: Found, load: tuple[int, float], seconds: float, directory: str) -> None:
    """Measure the daemon once with a browser in the client's place."""
    port = free_port()
    with tempfile.TemporaryDirectory(dir=directory) as place:
        bridge = f"127.0.0.1:{port}"
        with (
            daemon(Path(place), WATCH, subprocess.DEVNULL, bridge) as started,
            part("browse", port) as client,
        ):
            register(started.path, *load)
            copied(Path(place) / "tasks.d", load[0])
            began, ended, _ = window(started.pid, load[1], seconds)
            started.process.send_signal(signal.SIGTERM)
            ages = within(results(client), began, ended)
    due = load[0] * (ended - began) / load[1]
    found.add(
        seen=len(ages) / due * 100,
        seen50=quantile(ages, 0.5) * 1000,
        seen99=quantile(ages, 0.99) * 1000,
    )


def registered(found: Found, directory: str, count: int = 1000) -> None:
    """Register tasks, kill the daemon at the last answer, count what its next start has."""
    with tempfile.TemporaryDirectory(dir=directory) as place:
        with daemon(Path(place), WATCH, subprocess.DEVNULL) as started:
            found.add(seconds=register(started.path, count, 60.0))
            started.process.kill()
            started.process.wait()
        with daemon(Path(place), WATCH, subprocess.DEVNULL) as started:
            found.add(kept=len(started.call("getAllTasks")))


def table(load: tuple[int, float], mine: Found, sleeps: Found) -> Iterator[str]:
    """The lines of one load's result; a ratio is ours to the floor."""
    count, interval = load
    many = count > 1000
    yield f"{count} tasks every {interval:g} s{'':13}{'daemon':>10}{'sleeps':>10}{'ratio':>8}  goal"
    rows = (
        ("CPU s per 1,000 looks", "cpu", "" if many else "<= 0.1"),
        ("CPU, % of a core", "core", "<= 15" if many else ""),
        ("late, p50 ms", "p50", ""),
        ("late, p99 ms", "p99", "< 50"),
        ("looks done of those due, %", "done", ""),
        ("memory, MiB", "rss", "" if many else "<= 60"),
    )
    for label, name, goal in rows:
        a, b = mine.middle(name), sleeps.middle(name)
        yield f"{label:36}{a:10.3f}{b:10.3f}{a / b:8.2f}  {goal}"
    for label, name, goal in (
        ("value to client, p50 ms", "told50", ""),
        ("value to client, p99 ms", "told99", "" if many else "<= 20"),
        ("looks told to the client, %", "told", ""),
        ("value to browser, p50 ms", "seen50", ""),
        ("value to browser, p99 ms", "seen99", "" if many else "<= 20"),
        ("of those due told to it, %", "seen", ""),
    ):
        yield f"{label:36}{mine.middle(name):10.3f}{'':20}{goal}"


def beside(options: argparse.Namespace, builds: Mapping[str, Path]) -> Iterator[str]:
    """The CPU of looks by each build, in turns."""
    load = LOADS[0]
    spent: dict[str, list[float]] = {name: [] for name in builds}
    for _ in range(options.rounds):
        for name, build in builds.items():
            found = Found()
            ours(found, load, options.seconds, options.directory, build)
            spent[name].append(found.middle("cpu"))
    now = statistics.median(spent["now"])
    for name, values in spent.items():
        middle = statistics.median(values)
        yield f"{f'CPU s per 1,000 looks, {name}':44}{middle:10.3f}{now / middle:10.2f}  <= 0.7"


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(prog="./dev bench monitor", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="a measurement takes")
    parser.add_argument("--directory", help="on the disk to measure (default: where /tmp is)")
    take_before(parser)
    options = parser.parse_args(argv)
    builds = {"now": HERE} | ({"before": options.before} if options.before else {})
    print("\n".join(crowd.table(options.rounds, builds)), end="\n\n")
    if options.before:
        print("\n".join(beside(options, builds)), end="\n\n")
    registering = Found()
    both = {load: (Found(), Found()) for load in LOADS}
    for _ in range(options.rounds):
        registered(registering, options.directory)
        for load, (mine, sleeps) in both.items():
            ours(mine, load, options.seconds, options.directory)
            browsed(mine, load, options.seconds, options.directory)
            floor(sleeps, load, options.seconds)
    for load, found in both.items():
        print("\n".join(table(load, *found)), end="\n\n")
    spent, kept = registering.middle("seconds"), min(registering.values["kept"])
    print(f"{'1000 durable registrations, s':36}{spent:10.3f}{'':20}<= 0.5")
    print(f"{'of them there after kill -9':36}{kept:10.0f}{'':20}1000")


if __name__ == "__main__":
    main()
