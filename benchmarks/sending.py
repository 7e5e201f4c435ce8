"""One message: what a child that sends it costs, beside Apprise's own command line and curl.

Run it by `./dev bench sending`. Wall time is that of `send()`, from the call to its outcome, the
start of the process included; it grows with what else the machine does. CPU is that of the child,
and memory its peak (VmHWM). A server of our own answers at once, or takes a mail. The system's
Python (Debian's Apprise) is tried beside this one, where it has one.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from benchmarks.process import quantile
from kaspad_taskd.notify.model import How, Item, Kind, Message, Outcome, Target
from kaspad_taskd.notify.sending import sender
from tests.notify.servers import Http, Smtp

SYSTEM = "/usr/bin/python3"
MESSAGE = Message(
    "5f-1", "phone", 1_795_000_000_000, Kind.TROUBLE,
    tuple(Item(Kind.TROUBLE, f"task:{n}", f"Node {n}", "behind") for n in range(10)),
    "10 nodes are behind", "Node: behind by 14 min: no peers.\n" * 10, "https://h.example/",
)  # fmt: skip
WEIGHED = """
import importlib.util, os, pathlib
spec = importlib.util.spec_from_file_location("child", {child!r})
child = importlib.util.module_from_spec(spec)
spec.loader.exec_module(child)
end = os._exit
def weigh(code):
    pathlib.Path({told!r}).write_text(pathlib.Path("/proc/self/status").read_text())
    end(code)
os._exit = weigh
child.main()
"""
"""The child, which tells its peak before it ends."""
Way = Callable[[], None]
Spent = tuple[float, float]
"""Seconds of wall time, and of CPU in the child."""


def target(url: str, how: How = How.APPRISE) -> Target:
    return Target("phone", "phone", how, url, "key")


def sends(to: Target) -> Way:
    """Our way: fails loudly where it is not delivered."""

    def once() -> None:
        outcome: Outcome = sender.send(to, MESSAGE)
        if not outcome.delivered:
            raise SystemExit(f"{to.name}: {outcome}")

    return once


def runs(*command: str) -> Way:
    """Another program, which does the same once."""

    def once() -> None:
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)

    return once


def peak_mib(way: Way, scratch: Path) -> float:
    """MiB of memory that our child had at most."""
    program, told = scratch / "weighed.py", scratch / "told"
    program.write_text(WEIGHED.format(child=str(sender.CHILD), told=str(told)))
    with mock.patch.object(sender, "CHILD", program):
        way()
    fields = dict(line.split(":", 1) for line in told.read_text().splitlines())
    return int(fields["VmHWM"].split()[0]) / 1024


@contextmanager
def python(path: str) -> Iterator[None]:
    """Let our child be run by another Python."""
    with mock.patch.object(sys, "executable", path):
        yield


def apprise_of(path: str) -> str:
    """The version that a Python has, "" for none."""
    command = [path, "-I", "-c", "import apprise; print(apprise.__version__)"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def show(name: str, spent: list[Spent], peak: float | None = None) -> None:
    wall, cpu = ([1000 * each[at] for each in spent] for at in (0, 1))
    times = f"p50 {statistics.median(wall):5.0f} ms   p95 {quantile(wall, 0.95):5.0f} ms"
    weight = "" if peak is None else f"   peak {peak:5.1f} MiB"
    print(f"{name:40} {times}   CPU {statistics.median(cpu):5.0f} ms{weight}", flush=True)


def timed(way: Way, rounds: int) -> list[Spent]:
    way()  # what a first run reads from the disk is not what is asked here
    spent = []
    for _ in range(rounds):
        began, used = time.perf_counter(), children_seconds()
        way()
        spent.append((time.perf_counter() - began, children_seconds() - used))
    return spent


def children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ours(http: Http, smtp: Smtp, rounds: int, scratch: Path) -> None:
    mail = f"mailto://127.0.0.1:{smtp.port}?from=a@b.example&to=c@d.example"
    for path in dict.fromkeys((sys.executable, SYSTEM)):
        version = apprise_of(path)
        if not version:
            print(f"{path} has no Apprise: not measured")
            continue
        with python(path):
            for url in (f"json://127.0.0.1:{http.port}", mail):
                way = sends(target(url))
                name = f"Apprise {version}, {url.partition(':')[0]}"
                show(name, timed(way, rounds), peak_mib(way, scratch))
    way = sends(target(f"http://127.0.0.1:{http.port}/hook", How.WEBHOOK))
    show("webhook, signed", timed(way, rounds), peak_mib(way, scratch))
    command = Target("phone", "phone", How.COMMAND, command=("true",))
    show("command (true)", timed(sends(command), rounds))


def others(http: Http, rounds: int) -> None:
    program = Path(sys.executable).parent / "apprise"
    if program.exists():
        words = (str(program), "-b", MESSAGE.text, f"json://127.0.0.1:{http.port}")
        show("beside: apprise's command line, json", timed(runs(*words), rounds))
    if shutil.which("curl"):
        words = ("curl", "-sfd", MESSAGE.text, f"http://127.0.0.1:{http.port}/hook")
        show("beside: curl", timed(runs(*words), rounds))


def main(argv: list[str]) -> int:
    """Measure it."""
    parser = argparse.ArgumentParser(prog="benchmarks sending", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args(argv).rounds
    with tempfile.TemporaryDirectory() as scratch, Http() as http, Smtp() as smtp:
        ours(http, smtp, rounds, Path(scratch))
        others(http, rounds)
    return 0
