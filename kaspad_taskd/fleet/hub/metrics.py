"""`/metrics` of a hub: all hosts in numbers; of what is not heard, that it is not heard."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from kaspad_taskd.bridge.family import Family, label
from kaspad_taskd.fleet.host import Host, Verdict
from kaspad_taskd.fleet.hub.moments import is_heard
from kaspad_taskd.fleet.mirror import Mirror
from kaspad_taskd.version import __version__

Json: TypeAlias = Any

STATUSES: Final = ("pending", "in-progress", "paused", "complete", "cancelled", "error")
HEALTHS: Final = ("ok", "unknown", "stalled", "unreachable", "behind")
HOSTS: Final = 20
"""Hosts that are counted before others have their turn."""


async def families(mirror: Mirror, now: float, clients: int) -> list[Family]:
    """Return all metrics of this moment.

    Args:
        mirror: the fleet.
        now: monotonic time (s).
        clients: browsers of this hub.
    """
    made = _Fleet()
    for at, host in enumerate(list(mirror)):
        made.add(host, now)
        if at % HOSTS == HOSTS - 1:
            await asyncio.sleep(0)
    return [*_own(mirror, clients), *made.families]


def _own(mirror: Mirror, clients: int) -> Iterable[Family]:
    build = Family("build", "info", "The version that runs.")
    build.add(1, f"{label('version', __version__)},{label('python', platform.python_version())}")
    read = Family("engine_read", "gauge", "Whether a server of the fleet is read.")
    for line in mirror.lines.values():
        read.add(line.fault is None, label("server", line.name))
    seen = Family("bridge_clients", "gauge", "Browsers and programs at this hub.")
    seen.add(clients)
    return (build, read, seen)


class _Fleet:
    """The metrics of hosts, and of tasks of those that are heard."""

    def __init__(self) -> None:
        self.verdict = Family("host_verdict", "stateset", "How a host is, in a word.")
        self.tasks = Family("tasks", "gauge", "Tasks of a host by status.")
        self.ill = Family("tasks_in_trouble", "gauge", "Tasks of a host that need somebody.")
        self.wrong = Family("service_attentions", "gauge", "Services of a host that need somebody.")
        says = "Share of the whole way known to be done."
        self.progress = Family("task_progress_ratio", "gauge", says)
        self.left = Family("task_eta_seconds", "gauge", "Time left; absent while unknown.")
        self.behind = Family("task_behind_seconds", "gauge", "How far behind the network it is.")
        self.status = Family("task_status", "stateset", "Where a task is in its life.")
        self.health = Family("task_health", "stateset", "How what is watched is doing.")

    @property
    def families(self) -> list[Family]:
        return list(vars(self).values())

    def add(self, host: Host, now: float) -> None:
        """Count a host; of one that is not heard only that."""
        of = label("host", host.name)
        self.verdict.states(Verdict, host.verdict, of)
        if not is_heard(host, now) or not host.answers:
            return
        self.ill.add(sum(shown.ill for shown in host.tasks.values()), of)
        self.wrong.add(sum(bool(each.get("attention")) for each in host.services or ()), of)
        tasks = [shown.task() for shown in host.tasks.values()]
        for status in STATUSES:
            number = sum(task["status"] == status for task in tasks)
            self.tasks.add(number, f"{of},{label('status', status)}")
        for task in tasks:
            self._add(task, of)

    def _add(self, task: Json, of: str) -> None:
        known = (("task", task["id"]), ("type", task["type"]), ("service", task["service"]))
        labels = ",".join((of, *(label(name, str(value)) for name, value in known)))
        self.status.states(STATUSES, task["status"], labels)
        self.health.states(HEALTHS, task["health"], labels)
        self.progress.add((task.get("progress") or 0) / 100, labels)
        eta = task.get("estimatedTimeRemaining")
        if eta is not None and task["status"] == "in-progress":
            self.left.add(eta, labels)
        if task.get("behind") is not None:
            self.behind.add(task["behind"], labels)
