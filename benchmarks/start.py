"""Starting and standing by: the daemon and its command line beside others, in turns, in one run.

Run it by `./dev bench start`. A start is from exec to READY=1, as systemd sees it, and what it took
of the CPU until then. What is beside it (express and socket.io from npm, supervisor from PyPI) is
fetched into a scratch directory, or the one that `--others` names; `--before` is a checkout of an
earlier version. Machines differ and are noisy: only the ratios within one run count.
"""

from __future__ import annotations

import argparse
import compileall
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

from benchmarks import look, others, rpc_servers
from benchmarks.monitor import copied
from benchmarks.monitor_parts import WATCH, enter, register, wanted
from benchmarks.process import (
    DAEMON,
    HERE,
    Started,
    cpu_seconds,
    daemon,
    of,
    rss_mib,
    take_before,
)
from kaspad_taskd.client import Client

MANY = 1000
PATIENCE = 30.0
START = {
    "daemon before": "<= 0.55",
    f"daemon, {MANY} tasks": "<= 300 ms more",
    "node, express + socket.io": "<= 1.0",
}
QUESTION = {"python, import socket, json": "<= 1.15", "supervisorctl status": "< 1"}
ANY_PORT = "127.0.0.1:0"
"""Where the bridge listens."""
TASKCTL = str(Path(sys.executable).parent / "kaspad-taskctl")
Cost = tuple[float, float]
"""Seconds by the clock, and of the CPU."""
Way = Callable[[], Cost]
"""Does it once and returns what it took."""


def ran(pid: int) -> float:
    """Seconds that the threads of a process have run, to the nanosecond."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in threads) / 1e9


def ended(*command: object, build: Path = HERE) -> Way:
    """A command that does its work and ends."""

    def once() -> Cost:
        began = time.perf_counter()
        process = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, env=of(build))
        _, code, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(code)
        if process.returncode != 0:
            raise SystemExit(f"{command[0]} failed")
        return time.perf_counter() - began, used.ru_utime + used.ru_stime

    return once


def says_ready(command: Sequence[str], socket: Path) -> Way:
    """A server that prints a line once it listens."""

    def once() -> Cost:
        socket.unlink(missing_ok=True)
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            if not process.stdout.readline():
                raise SystemExit(f"{command[0]} did not start")
            spent = time.perf_counter() - began, ran(process.pid)
            process.kill()
        return spent

    return once


def ready(state: Path, bridge: str = ANY_PORT, build: Path = HERE) -> Way:
    """A daemon on that state, until it says READY=1."""

    def once() -> Cost:
        with daemon(state, bridge=bridge, build=build) as started:
            return started.ready, ran(started.pid)

    return once


def filled(directory: Path) -> Path:
    """Make a state with many tasks."""
    directory.mkdir()
    with daemon(directory, WATCH, subprocess.DEVNULL) as started:
        register(started.path, MANY, 3600.0)
        copied(directory / "tasks.d", MANY)
    return directory


def starts(scratch: Path, other: Path, before: Path | None) -> dict[str, Way]:
    """What starts, by name."""
    empty = scratch / "empty"
    empty.mkdir()
    found = {"daemon": ready(empty)}
    if before is not None:
        (scratch / "before").mkdir()
        found["daemon before"] = ready(scratch / "before", build=before)
    found["daemon, bridge off"] = ready(empty, "off")
    found[f"daemon, {MANY} tasks"] = ready(filled(scratch / "many"))
    command = others.express(other, scratch / "express.sock")
    if command is not None:
        found["node, express + socket.io"] = says_ready(command, scratch / "express.sock")
    found["python, import asyncio, sqlite3"] = ended(
        sys.executable, "-c", "import asyncio, sqlite3"
    )
    return found


@contextmanager
def commands(scratch: Path, other: Path, before: Path | None) -> Iterator[dict[str, Way]]:
    """What is asked once, by name: the servers it asks run meanwhile."""
    with ExitStack() as stack:
        place = scratch / "asked"
        place.mkdir()
        started = stack.enter_context(daemon(place, WATCH, subprocess.DEVNULL))
        register(started.path, 10, 10.0)
        status = (TASKCTL, "--socket", started.path, "status")
        found = {"kaspad-taskctl status": ended(*status, "task-0")}
        if before is not None:
            found["kaspad-taskctl status before"] = ended(*status, "task-0", build=before)
        found["python, import socket, json"] = ended(sys.executable, "-c", "import socket, json")
        programs = others.supervisor(other)
        if programs is not None:
            socket = scratch / "supervisor.sock"
            run = rpc_servers.supervisord(str(programs / "supervisord"), socket)
            process = stack.enter_context(subprocess.Popen(run, stdout=subprocess.DEVNULL))
            stack.callback(process.terminate)
            while not socket.exists():
                time.sleep(0.05)
            ask = (programs / "supervisorctl", "-s", f"unix://{socket}", "status")
            found["supervisorctl status"] = ended(*ask)
        yield found


def turns(ways: Mapping[str, Way], rounds: int) -> dict[str, Cost]:
    """Each once, then each again...; returns the medians of each."""
    spent: dict[str, list[Cost]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, once in ways.items():
            spent[name].append(once())
    return {
        name: (statistics.median(c for c, _ in each), statistics.median(c for _, c in each))
        for name, each in spent.items()
    }


def table(what: str, spent: Mapping[str, Cost], goals: Mapping[str, str]) -> Iterator[str]:
    """The lines of a result: the first is what the others are compared with."""
    yield f"{what:36}{'ms':>8}{'ratio':>8}{'CPU ms':>8}{'ratio':>8}  goal"
    first, *_ = spent.values()
    for name, cost in spent.items():
        both = (f"{c * 1000:8.0f}{one / c:8.2f}" for one, c in zip(first, cost, strict=True))
        yield f"{name:36}{''.join(both)}  {goals.get(name, '')}"


def idle(place: Path, seconds: float, url: str | None, build: Path) -> tuple[float, float, float]:
    """MiB and % of a core of a daemon with 10 tasks, nobody asking; MiB after a browser has left.

    They look at a node every 10 s, or report and have nothing to say (`url` None).
    """
    place.mkdir()
    with daemon(place, (DAEMON,), subprocess.DEVNULL, ANY_PORT, build) as started:
        with Client(str(started.path)) as client:
            for number in range(10):
                params = wanted(number, 10.0)["params"]
                other = {"config": {"url": url}} if url else {"type": "report", "config": {}}
                client.call("registerTask", params | other)
        time.sleep(12)
        before, began = cpu_seconds(started.pid), time.monotonic()
        time.sleep(seconds)
        used = (cpu_seconds(started.pid) - before) / (time.monotonic() - began)
        alone = rss_mib(started.pid)
        visit(started)
        return alone, used * 100, rss_mib(started.pid)


def visit(started: Started) -> None:
    """Be a browser: the page, its events for a while, gone; and some time passes."""
    host, _, port = started.call("getInfo")["bridge"]["address"].rpartition(":")
    with urlopen(f"http://{host}:{port}/", timeout=PATIENCE) as page:
        page.read()
    with socket.create_connection((host, int(port)), PATIENCE) as browser:
        enter(browser)
        time.sleep(3)
    time.sleep(5)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(prog="./dev bench start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=30.0, help="idling is watched for")
    parser.add_argument("--others", type=Path, help="where other programs are or will be")
    take_before(parser)
    options = parser.parse_args(argv)
    before = options.before
    builds = {"": HERE} if before is None else {"": HERE, " before": before}
    for build in builds.values():
        compileall.compile_dir(build / "kaspad_taskd", quiet=1)  # as an installed one is
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        other = options.others or scratch / "others"
        started = turns(starts(scratch, other, before), options.rounds)
        print("\n".join(table("start to ready", started, START)), end="\n\n")
        with commands(scratch, other, before) as asked:
            asking = turns(asked, options.rounds)
            print("\n".join(table("one question", asking, QUESTION)), end="\n\n")
        with look.made_up() as urls:
            node = next(iter(urls.values()))
            print(f"{'idle, 10 tasks':36}{'MiB':>8}{'CPU %':>8}{'MiB after a browser':>21}")
            for name, url in (("nothing to ask", None), ("a node, gRPC", node)):
                for build, place in builds.items():
                    found = idle(scratch / f"{name}{build}", options.seconds, url, place)
                    print(f"{name + build:36}{found[0]:8.1f}{found[1]:8.2f}{found[2]:21.1f}")
            print(f"{'goals, to before':36}<= 0.65, with a node 0.75; after a browser <= 1.0")


if __name__ == "__main__":
    main()
