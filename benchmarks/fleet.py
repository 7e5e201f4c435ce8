"""A fleet: what a thousand hosts in Redis cost their reader and the server, and how late it is.

Run it by `./dev bench fleet` (needs redis-server). A writer lays hosts into a real redis-server as
their relays do, by the relay's own rules, each over its own connection: 5 tasks a host, each with a
new `sync:progress` every 2 s, gathered for half a second. A reader follows them as a hub does; the
listener is in its process. Rows for 10, 100 and 1,000 hosts at their own pace, and at the same
number of changes a second whatever the hosts, which is what growth is measured by. Then a reader
that starts: the time until it knows all 5,000 tasks. Machines differ and are noisy: see the CPU of
each process, not of the machine.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import AF_UNIX, socket
from typing import Any

from benchmarks.fleet_sides import EVENTS, PAST, TASKS
from benchmarks.process import PATIENCE, cpu_seconds, rss_mib

WARM_S = 4.0
HOSTS = (10, 100, 1000)
PACE_S = 2.0
"""Seconds between two changes of a task."""
READER_CPU, READER_MIB = 60.0, 150.0
SERVER_CPU, SERVER_MIB = 25.0, 250.0
"""Memory without the past of tasks, which is added."""
GROWTH = 1.5
COLD_S = 2.0


@dataclass
class Row:
    """What was measured with so many hosts; CPU in percent of a core, times in ms."""

    hosts: int
    changes: float
    reader_cpu: float
    reader_mib: float
    server_cpu: float
    server_mib: float
    p50: float
    p99: float

    def each(self, cpu: float) -> float:
        """Microseconds of CPU a change."""
        return cpu / 100 * 1e6 / max(1.0, self.changes)

    def line(self) -> str:
        """It, as a row of the table."""
        return (
            f"| {self.hosts:,} | {self.changes:,.0f} | {self.reader_cpu:.1f} | "
            f"{self.each(self.reader_cpu):.0f} | {self.reader_mib:.0f} | {self.server_cpu:.1f} | "
            f"{self.each(self.server_cpu):.0f} | {self.server_mib:.0f} | {self.p50:.0f} | "
            f"{self.p99:.0f} |"
        )


HEAD = (
    "| hosts | changes/s | reader % | us a change | MiB | server % | us a change | MiB | p50 ms | "
    "p99 ms |\n|---|---|---|---|---|---|---|---|---|---|"
)


@contextmanager
def server(directory: Path) -> Iterator[tuple[int, str]]:
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
            yield process.pid, f"unix:{path}"
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
def side(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a writer or a reader; it ends when its input does."""
    command = [sys.executable, "-m", "benchmarks.fleet_sides", *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(PATIENCE)


def told(process: subprocess.Popen[str]) -> Any:
    """Return the next line that it says, as JSON."""
    assert process.stdout is not None
    return json.loads(process.stdout.readline() or "null")


def ask(process: subprocess.Popen[str]) -> Any:
    """Ask it what it has seen since the last time."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return told(process)


def measure(place: str, pid: int, hosts: int, changes: float, seconds: float) -> Row:
    """Let so many hosts change so often while a reader follows."""
    with side("write", place, str(hosts), str(changes)) as writer:
        told(writer)
        with side("read", place, str(hosts)) as reader:
            told(reader)
            time.sleep(WARM_S)
            ask(reader)
            pids, began = (reader.pid, pid), time.monotonic()
            before = [cpu_seconds(each) for each in pids]
            time.sleep(seconds)
            used = [cpu_seconds(each) - was for each, was in zip(pids, before, strict=True)]
            took = time.monotonic() - began
            seen = ask(reader)
            cpu = [100 * each / took for each in used]
            return Row(
                hosts, seen["changes"] / took, cpu[0], rss_mib(reader.pid),
                cpu[1], rss_mib(pid), seen["p50"], seen["p99"],
            )  # fmt: skip


def cold(place: str, hosts: int) -> tuple[float, float]:
    """Return the seconds until a reader that starts knows all, and how much CPU it takes (s)."""
    with side("read", place, str(hosts)) as reader:
        known = told(reader)
        return known["took"], known["cpu"]


def run(hosts: tuple[int, ...], seconds: float) -> bool:
    """Measure, print; returns whether all goals are reached."""
    most = hosts[-1]
    rate = most * TASKS / PACE_S
    own, same, starts = [], [], []
    for count in hosts:
        with tempfile.TemporaryDirectory() as name, server(Path(name)) as (pid, place):
            own.append(measure(place, pid, count, count * TASKS / PACE_S, seconds))
            if count == most:
                starts = [cold(place, count) for _ in range(3)]
        if count == most:
            same.append(own[-1])
            continue
        with tempfile.TemporaryDirectory() as name, server(Path(name)) as (pid, place):
            same.append(measure(place, pid, count, rate, seconds))
    print(f"{TASKS} tasks a host, each changes every {PACE_S:g} s; {EVENTS} events a host\n")
    print(HEAD, *(row.line() for row in own), sep="\n")
    print(f"\nthe same {rate:,.0f} changes/s, whatever the hosts\n")
    print(HEAD, *(row.line() for row in same), sep="\n")
    return judge(own[-1], same, min(starts), most)


def judge(row: Row, same: list[Row], start: tuple[float, float], hosts: int) -> bool:
    """Compare with the goals."""
    first, last = same[0], same[-1]
    reader = last.each(last.reader_cpu) / first.each(first.reader_cpu)
    engine = last.each(last.server_cpu) / first.each(first.server_cpu)
    goals = [
        ("reader, % of a core", row.reader_cpu, READER_CPU),
        ("reader, MiB", row.reader_mib, READER_MIB),
        ("server, % of a core", row.server_cpu, SERVER_CPU),
        ("server, MiB", row.server_mib, SERVER_MIB + hosts * TASKS * PAST / 2**20),
        ("reader, growth of CPU a change", reader, GROWTH),
        ("server, growth of CPU a change", engine, GROWTH),
        (f"cold start with {hosts * TASKS:,} tasks, s", start[0], COLD_S),
    ]
    print()
    for name, found, goal in goals:
        print(f"{'good' if found <= goal else 'MISSED'}  {name}: {found:.2f} (goal {goal:.4g})")
    print(f"      of them its own CPU: {start[1]:.2f} s")
    return all(found <= goal for _, found, goal in goals)


def main(argv: list[str]) -> int:
    """Measure a fleet; 1 where a goal is missed."""
    parser = argparse.ArgumentParser("bench fleet", description=__doc__)
    parser.add_argument("--hosts", type=int, nargs="+", default=HOSTS, help="(10 100 1000)")
    parser.add_argument("--seconds", type=float, default=15.0, help="measured each (15)")
    options = parser.parse_args(argv)
    return int(not run(tuple(options.hosts), options.seconds))
