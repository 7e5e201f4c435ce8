"""A fleet: what a thousand hosts cost hub, engine and relay, and when a browser sees a change.

Run it by `./dev bench fleet` (needs redis-server; node and npm for one of the others). A writer
lays hosts into a real redis-server as their relays do, by the relay's own rules, each over its own
connection: 5 tasks a host, each with a new `sync:progress` every 2 s, gathered for 0.4 s from the
first change on. A real hub serves; one client looks at all hosts, one at the first of them. A
change is as old as the moment at which its task moved. Rows for 10, 100 and 1,000 hosts at their
own pace, and at the same number of changes a second whatever the hosts, which is what growth is
measured by. A real relay follows a real daemon of five tasks. Then, over a redis-server too, what
others tell of the same changes: python-socketio's own Redis manager, and node's socket.io with its
Redis adapter; all three once more with ten clients on all hosts. Machines differ and are noisy: see
the CPU of each process, not of the machine.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.util import find_spec
from typing import Any

from benchmarks.fleet_parts import (
    Scene,
    as_installed,
    ask,
    hub,
    node_server,
    python_server,
    relay,
    scene,
    told,
)
from benchmarks.fleet_sides import EVENTS, PAST, TASKS
from benchmarks.process import cpu_seconds, rss_mib
from tests.fakes.node_packages import Missing

WARM_S = 3.0
HOSTS = (10, 100, 1000)
CROWD = 10
"""Clients on all hosts, where they are several."""
PACE_S = 2.0
"""Seconds between two changes of a task."""
RELAY_S = 20.0
HUB_CPU, HUB_MIB = 60.0, 150.0
SERVER_CPU, SERVER_MIB = 25.0, 250.0
"""Memory without the past of tasks, which is added."""
RELAY_CPU, RELAY_MIB = 0.3, 36.0
GROWTH = 1.5
COLD_S = 2.0
STARTS = 3
"""Starts while the hosts go on changing, of which the middle one is shown."""
LATE_MS = 1000.0
HUB = "kaspad-taskd-hub"
PYTHON, NODE = 0.5, 1.0
"""The hub's CPU for a change to that of others."""


@dataclass
class Row:
    """What was measured with so many hosts; CPU in percent of a core, times in ms.

    Attributes:
        changes: that were written a second; `seen`: by clients of all hosts, by each of them.
        serving: of the process that has the browsers; `sending`: of who publishes.
    """

    hosts: float
    changes: float
    seen: float
    serving: float
    serving_mib: float
    engine: float
    engine_mib: float
    sending: float
    p50: float
    p99: float
    one_p50: float
    one_p99: float
    kib: float
    cold: float = 0.0
    cold_cpu: float = 0.0

    @property
    def each(self) -> float:
        """Microseconds of the serving process' CPU for a change that its browsers were told."""
        return self.serving * 1e4 / max(1.0, self.seen)

    @property
    def engine_each(self) -> float:
        """Microseconds of the engine's for a change."""
        return self.engine * 1e4 / max(1.0, self.changes)

    def line(self, name: str = "") -> str:
        """It, as a row of the table."""
        return (
            f"| {name or f'{self.hosts:,.0f}'} | {self.changes:,.0f} | {self.seen:,.0f} | "
            f"{self.serving:.1f} | {self.each:.0f} | {self.serving_mib:.0f} | {self.engine:.1f} | "
            f"{self.engine_each:.0f} | {self.engine_mib:.0f} | {self.p50:.0f} / {self.p99:.0f} | "
            f"{self.one_p50:.0f} / {self.one_p99:.0f} | {self.kib:.0f} |"
        )


HEAD = (
    " changes/s | seen/s | hub % | us a change | MiB | engine % | us a change | MiB | all hosts: "
    f"p50 / p99 ms | one host: p50 / p99 ms | KiB/s |\n{'|---' * 12}|"
)


def middle(rows: Sequence[Row]) -> Row:
    """Return the medians."""
    names = [each.name for each in fields(Row)]
    return Row(**{name: statistics.median(getattr(row, name) for row in rows) for name in names})


def measure(found: Scene, serving: int, looking: Any, seconds: float) -> Row:
    """Let it go on for a while."""
    time.sleep(WARM_S)
    ask(looking)
    wrote, began = ask(found.writer)["changes"], time.monotonic()
    pids = (serving, found.engine, found.writer.pid)
    before = [cpu_seconds(each) for each in pids]
    time.sleep(seconds)
    used = [cpu_seconds(each) - was for each, was in zip(pids, before, strict=True)]
    took = time.monotonic() - began
    seen, wrote = ask(looking), ask(found.writer)["changes"] - wrote
    cpu = [100 * each / took for each in used]
    every, one = seen["all"], seen["one"]
    told_to = every["changes"] * seen["clients"]
    return Row(
        found.hosts, wrote / took, told_to / took, cpu[0], rss_mib(serving), cpu[1],
        rss_mib(found.engine), cpu[2], every["p50"], every["p99"], one["p50"], one["p99"],
        every["bytes"] / took / 1024,
    )  # fmt: skip


def ours(hosts: int, changes: float, seconds: float, clients: int = 1) -> Row:
    """So many hosts that change so often, the hub, and who looks at all of them."""
    with scene("write", hosts, changes, clients) as found:
        with hub(found) as started:
            told(started.looking)
            row = measure(found, started.pid, started.looking, seconds)
        starts = sorted(_start(found) for _ in range(STARTS if clients == 1 else 1))
        row.cold, row.cold_cpu = starts[len(starts) // 2]
        return row


def _start(found: Scene) -> tuple[float, float]:
    """Seconds from exec until a client that waits for the hub has all tasks, and CPU of them."""
    with hub(found) as started:
        return told(started.looking)["at"] - started.began, cpu_seconds(started.pid)


def others(hosts: int, changes: float, seconds: float, clients: int = 1) -> dict[str, Row]:
    """The same changes by others."""
    rows = {}
    for name, kind, server in (
        ("python-socketio", "emit", python_server),
        ("node socket.io", "node", node_server),
    ):
        try:
            with scene(kind, hosts, changes, clients) as found, server(found) as started:
                rows[name] = measure(found, started.pid, started.looking, seconds)
        except Missing as why:
            print(f"{name}: not measured: {why}")
    return rows


def run(hosts: Sequence[int], seconds: float, rounds: int) -> bool:
    """Measure, print; returns whether all goals are reached."""
    most, rate = hosts[-1], hosts[-1] * TASKS / PACE_S
    own: dict[int, list[Row]] = {count: [] for count in hosts}
    same: dict[int, list[Row]] = {count: [] for count in hosts[:-1]}
    beside: dict[str, list[Row]] = {}
    crowd: dict[str, list[Row]] = {}
    for _ in range(rounds):
        for count in hosts:
            own[count].append(ours(count, count * TASKS / PACE_S, seconds))
            if count != most:
                same[count].append(ours(count, rate, seconds))
        for name, row in others(most, rate, seconds).items():
            beside.setdefault(name, []).append(row)
        crowd.setdefault(HUB, []).append(ours(most, rate, seconds, CROWD))
        for name, row in others(most, rate, seconds, CROWD).items():
            crowd.setdefault(name, []).append(row)
    found = [middle(each) for each in own.values()]
    grown = [*(middle(each) for each in same.values()), found[-1]]
    peers = {name: middle(each) for name, each in beside.items()}
    many = {name: middle(each) for name, each in crowd.items()}
    show(found, grown, peers, many)
    return judge(found[-1], grown, peers, relay(TASKS, PACE_S, RELAY_S))


def show(
    found: Sequence[Row],
    grown: Sequence[Row],
    peers: Mapping[str, Row],
    many: Mapping[str, Row],
) -> None:
    """Print the tables."""
    print(f"{TASKS} tasks a host, each changes every {PACE_S:g} s; {EVENTS} events a host")
    print("with hiredis\n" if find_spec("hiredis") else "without hiredis\n")
    print(f"| hosts |{HEAD}", *(row.line() for row in found), sep="\n")
    print("\nas many changes a second, whatever the hosts\n")
    print(f"| hosts |{HEAD}", *(row.line() for row in grown), sep="\n")
    print("\nbeside, of the same changes (hub: who has the browsers)\n")
    print(f"| server |{HEAD}", found[-1].line(HUB), sep="\n")
    print(*(row.line(name) for name, row in peers.items()), sep="\n")
    print(*(row.line(f"{name}, {CROWD} clients") for name, row in many.items()), sep="\n")
    for name, row in {"writer (all relays)": found[-1], **peers}.items():
        sent = row.sending * 1e4 / max(1.0, row.changes)
        print(f"{name}: sender {row.sending:.0f} % of a core, {sent:.0f} us a change")
    print("starts, s (of it CPU): ", *(f"{r.cold:.2f} ({r.cold_cpu:.2f})" for r in found))


def judge(
    row: Row, same: Sequence[Row], peers: Mapping[str, Row], one: tuple[float, float]
) -> bool:
    """Compare with the goals."""

    def growth(of: Callable[[Row], float]) -> float:
        return of(same[-1]) / of(same[0])

    goals = [
        ("all hosts: a change to the browser, p99 ms", row.p99, LATE_MS),
        ("a host's page: a change to the browser, p99 ms", row.one_p99, LATE_MS),
        ("hub, % of a core", row.serving, HUB_CPU),
        ("hub, MiB", row.serving_mib, HUB_MIB),
        ("engine, % of a core", row.engine, SERVER_CPU),
        ("engine, MiB", row.engine_mib, SERVER_MIB + row.hosts * TASKS * PAST / 2**20),
        ("relay, % of a core", one[0], RELAY_CPU),
        ("relay, MiB", one[1], RELAY_MIB),
        (f"a hub that starts has {row.hosts * TASKS:,.0f} tasks, s", row.cold, COLD_S),
        ("hub, growth of CPU a change", growth(lambda each: each.each), GROWTH),
        ("engine, growth of CPU a change", growth(lambda each: each.engine_each), GROWTH),
    ]
    for name, least in (("python-socketio", PYTHON), ("node socket.io", NODE)):
        if name in peers:
            goals.append((f"CPU a change, to {name}", row.each / peers[name].each, least))
    print()
    for name, found, goal in goals:
        print(f"{'good' if found <= goal else 'MISSED'}  {name}: {found:.2f} (goal {goal:.4g})")
    return all(found <= goal for _, found, goal in goals)


def main(argv: list[str]) -> int:
    """Measure a fleet; 1 where a goal is missed."""
    parser = argparse.ArgumentParser("bench fleet", description=__doc__)
    parser.add_argument("--hosts", type=int, nargs="+", default=HOSTS, help="(10 100 1000)")
    parser.add_argument("--seconds", type=float, default=15.0, help="measured each (15)")
    parser.add_argument("--rounds", type=int, default=1, help="whose medians are shown (1)")
    options = parser.parse_args(argv)
    as_installed()
    return int(not run(tuple(options.hosts), options.seconds, options.rounds))
