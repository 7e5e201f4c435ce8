"""Starting and standing by: the daemon and its command line beside others, in turns, in one run.

Run it by `./dev bench start`. A start is from exec to READY=1, as systemd sees it. What is beside
it (express and socket.io from npm, supervisor from PyPI) is fetched into a scratch directory, or
the one that `--others` names. Machines differ and are noisy: only the ratios within one run count.
"""

from __future__ import annotations

import argparse
import compileall
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import kaspad_taskd
from benchmarks import look, others, rpc_servers
from benchmarks.monitor import PART, copied
from benchmarks.monitor_parts import register, wanted
from benchmarks.process import DAEMON, cpu_seconds, daemon, rss_mib
from kaspad_taskd.client import Client

MANY = 1000
ANY_PORT = "127.0.0.1:0"
"""Where the bridge listens."""
TASKCTL = str(Path(sys.executable).parent / "kaspad-taskctl")
Way = Callable[[], float]
"""Does it once and returns the seconds it took."""


def ended(*command: object) -> Way:
    """A command that does its work and ends."""

    def once() -> float:
        began = time.perf_counter()
        subprocess.run([*map(str, command)], stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - began

    return once


def says_ready(command: Sequence[str], socket: Path) -> Way:
    """A server that prints a line once it listens."""

    def once() -> float:
        socket.unlink(missing_ok=True)
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            if not process.stdout.readline():
                raise SystemExit(f"{command[0]} did not start")
            spent = time.perf_counter() - began
            process.kill()
        return spent

    return once


def ready(state: Path, bridge: str = ANY_PORT) -> Way:
    """A daemon on that state, until it says READY=1."""

    def once() -> float:
        with daemon(state, bridge=bridge) as started:
            return started.ready

    return once


def filled(directory: Path) -> Path:
    """Make a state with many tasks."""
    directory.mkdir()
    with daemon(directory, (*PART, "watch"), subprocess.DEVNULL) as started:
        register(started.path, MANY, 3600.0)
        copied(directory / "tasks.d", MANY)
    return directory


def starts(scratch: Path, other: Path) -> dict[str, Way]:
    """What starts, by name."""
    empty = scratch / "empty"
    empty.mkdir()
    found = {
        "daemon": ready(empty),
        "daemon, bridge off": ready(empty, "off"),
        f"daemon, {MANY} tasks": ready(filled(scratch / "many")),
    }
    command = others.express(other, scratch / "express.sock")
    if command is not None:
        found["node, express + socket.io"] = says_ready(command, scratch / "express.sock")
    found["python, import asyncio, sqlite3"] = ended(
        sys.executable, "-c", "import asyncio, sqlite3"
    )
    return found


@contextmanager
def commands(scratch: Path, other: Path) -> Iterator[dict[str, Way]]:
    """What is asked once, by name: the servers it asks run meanwhile."""
    with ExitStack() as stack:
        place = scratch / "asked"
        place.mkdir()
        started = stack.enter_context(daemon(place, (*PART, "watch"), subprocess.DEVNULL))
        register(started.path, 10, 10.0)
        status = (TASKCTL, "--socket", started.path, "status")
        found = {
            "kaspad-taskctl status": ended(*status, "task-0"),
            "python, import socket, json": ended(sys.executable, "-c", "import socket, json"),
        }
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


def turns(ways: Mapping[str, Way], rounds: int) -> dict[str, float]:
    """Each once, then each again...; returns the median seconds of each."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, once in ways.items():
            spent[name].append(once())
    return {name: statistics.median(values) for name, values in spent.items()}


def table(spent: Mapping[str, float], goals: Mapping[str, str]) -> Iterator[str]:
    """The lines of a result: the first is what the others are compared with."""
    first, *_ = spent.values()
    for name, seconds in spent.items():
        yield f"{name:36}{seconds * 1000:8.0f} ms{first / seconds:8.2f}  {goals.get(name, '')}"


def idle(scratch: Path, seconds: float, url: str | None) -> tuple[float, float]:
    """MiB and % of a core of a daemon with 10 tasks every 10 s, nobody asking.

    They look at a node, or at nothing (`url` None).
    """
    place = scratch / f"idle-{url is not None}"
    place.mkdir()
    command = (*PART, "watch") if url is None else (DAEMON,)
    with daemon(place, command, subprocess.DEVNULL, ANY_PORT) as started:
        with Client(str(started.path)) as client:
            for number in range(10):
                params = wanted(number, 10.0)["params"]
                client.call("registerTask", params | ({"config": {"url": url}} if url else {}))
        time.sleep(12)
        before, began = cpu_seconds(started.pid), time.monotonic()
        time.sleep(seconds)
        used = (cpu_seconds(started.pid) - before) / (time.monotonic() - began)
        return rss_mib(started.pid), used * 100


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(prog="./dev bench start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=30.0, help="idling is watched for")
    parser.add_argument("--others", type=Path, help="where other programs are or will be")
    options = parser.parse_args(argv)
    compileall.compile_dir(Path(kaspad_taskd.__file__).parent, quiet=1)  # as an installed one is
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        other = options.others or scratch / "others"
        goals = {f"daemon, {MANY} tasks": "<= 300 ms more", "node, express + socket.io": "<= 1.25"}
        started = turns(starts(scratch, other), options.rounds)
        print(f"{'start to ready':36}{'':11}{'ratio':>8}  goal")
        print("\n".join(table(started, goals)), end="\n\n")
        goals = {"python, import socket, json": "<= 1.5", "supervisorctl status": "< 1"}
        with commands(scratch, other) as asked:
            print(f"{'one question':36}{'':11}{'ratio':>8}  goal")
            print("\n".join(table(turns(asked, options.rounds), goals)), end="\n\n")
        print(f"{'idle, 10 tasks every 10 s':36}{'MiB':>8}{'CPU %':>11}  goal")
        print(idle_line("nothing to ask", idle(scratch, options.seconds, None), "<= 55"))
        with look.made_up() as urls:
            found = idle(scratch, options.seconds, next(iter(urls.values())))
        print(idle_line("a node, gRPC", found, "<= 65"))


def idle_line(name: str, found: tuple[float, float], goal: str) -> str:
    """One line of the last table."""
    return f"{name:36}{found[0]:8.1f}{found[1]:11.2f}  {goal} MiB, < 0.5 %"


if __name__ == "__main__":
    main()
