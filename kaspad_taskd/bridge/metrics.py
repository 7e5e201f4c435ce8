"""`/metrics`: the task table in numbers, in OpenMetrics 1.0 or Prometheus' text format 0.0.4."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from kaspad_taskd.api.context import Api
from kaspad_taskd.api.listed import PAGE
from kaspad_taskd.bridge.counts import BOUNDS, Counts
from kaspad_taskd.bridge.family import Family, label
from kaspad_taskd.bridge.fanout import Fanout
from kaspad_taskd.core.attention import AttentionCode, ServiceState
from kaspad_taskd.core.model import Health, Status, Task
from kaspad_taskd.core.runway import FREE, RUNWAY
from kaspad_taskd.core.seen import COUNTED
from kaspad_taskd.core.switch import Side
from kaspad_taskd.version import __version__


async def families(api: Api, counts: Counts, fanout: Fanout, clients: int) -> list[Family]:
    """Return all metrics of this moment; those of tasks are made a page at a time."""
    tasks = api.engine.tasks()
    counts.forget_all_but(task.id for task in tasks)
    before = [*_daemon(api, counts, tasks), *_doors(fanout, clients)]
    found = {each.name: each for each in _of(api, counts, tasks[:PAGE])}
    for start in range(PAGE, len(tasks), PAGE):
        await asyncio.sleep(0)
        for each in _of(api, counts, tasks[start : start + PAGE]):
            found[each.name].samples += each.samples
    return [*before, *found.values(), *_services(api)]


def _of(api: Api, counts: Counts, tasks: Sequence[Task]) -> Iterator[Family]:
    yield from _tasks(tasks)
    yield from _records(api, tasks)
    yield from _disks(tasks)
    yield from _looks(counts, tasks)


def _one(name: str, kind: str, says: str, value: float, labels: str = "") -> Family:
    made = Family(name, kind, says)
    made.add(value, labels)
    return made


def _daemon(api: Api, counts: Counts, tasks: Sequence[Task]) -> Iterator[Family]:
    build = f"{label('version', __version__)},{label('python', platform.python_version())}"
    yield _one("build", "info", "The version that runs.", 1, build)
    says = "When the daemon started."
    yield _one("start_time_seconds", "gauge", says, round(counts.began, 3))
    durable = api.engine.problem is None
    yield _one("store_durable", "gauge", "Whether changes are saved (0: none is made).", durable)
    standing = len(api.engine.warnings.open())
    yield _one("warnings", "gauge", "Warnings that nobody has acknowledged.", standing)
    yield _one("events", "counter", "Events on record, since the first start.", api.engine.seq)
    commits = Family("commit_seconds", "histogram", "From a change to its place on disk.")
    for bound, count in zip((*BOUNDS, "+Inf"), accumulate(counts.commits), strict=True):
        commits.add(count, f'le="{bound}"', "_bucket")
    commits.add(sum(counts.commits), end="_count")
    commits.add(counts.commit_seconds, end="_sum")
    yield commits
    number = Family("tasks", "gauge", "Tasks on record by status.")
    statuses = [task.status for task in tasks]
    for status in Status:
        number.add(statuses.count(status), f'status="{status.value}"')
    yield number


def _doors(fanout: Fanout, clients: int) -> Iterator[Family]:
    yield _one("bridge_clients", "gauge", "Browsers and programs on the bridge.", clients)
    says = "Events and progress told to everybody on the bridge."
    yield _one("bridge_messages", "counter", says, fanout.told)
    yield _one("bridge_deliveries", "counter", "The same, times the clients.", fanout.delivered)


def _tasks(tasks: Iterable[Task]) -> Iterator[Family]:
    progress = Family("task_progress_ratio", "gauge", "Share of the whole way known to be done.")
    left = Family("task_eta_seconds", "gauge", "Estimated time left; absent while unknown.")
    rate = Family("task_rate", "gauge", "Units a second; absent while unknown.")
    behind = Family("task_behind_seconds", "gauge", "How far behind the present it is.")
    moved = Family("task_last_moved_timestamp_seconds", "gauge", "When it last moved.")
    attempt = Family("task_attempt", "gauge", "Which attempt this is.")
    status = Family("task_status", "stateset", "Status of a task that is live or kept watch on.")
    health = Family("task_health", "stateset", "Health of what a task watches.")
    for task in tasks:
        live, labels = task.live, _labels(task)
        progress.add(task.percent / 100, labels)
        attempt.add(task.attempt, labels)
        if task.open:
            status.states(Status, task.status, labels)
        if not task.watched:
            continue
        health.states(Health, task.health, labels)
        if live.eta is not None and task.status is Status.IN_PROGRESS:
            left.add(live.eta, labels)
        if live.rate is not None:
            unit = live.detail.unit if live.detail is not None else None
            rate.add(live.rate, f"{labels},{label('unit', unit or '')}")
        if live.behind is not None:
            behind.add(live.behind, labels)
        if live.last_moved is not None:
            moved.add(live.last_moved / 1000, labels)
    yield from (progress, left, rate, behind, moved, attempt, status, health)


def _records(api: Api, tasks: Iterable[Task]) -> Iterator[Family]:
    """As they are on disk: what was told is not taken back after a kill, so no counter falls."""
    says = "Seconds in each state since it is kept watch on; unknown: nobody looked."
    spent = Family("task_state_seconds", "counter", says)
    for task in tasks:
        record = api.engine.records.durable.get(task.id)
        if record is None:
            continue
        ms = {**{each.value: getattr(record.total, each) for each in COUNTED},
              Health.UNKNOWN.value: record.unknown}  # fmt: skip
        for state, value in ms.items():
            spent.add(value / 1000, f"{_labels(task)},{label('state', state)}")
    yield spent


def _disks(tasks: Iterable[Task]) -> Iterator[Family]:
    free = Family("task_disk_free_bytes", "gauge", "Free on the disk of its data_dir.")
    says = "Until that disk is full, as it fills now; absent while unknown."
    runway = Family("task_disk_runway_seconds", "gauge", says)
    for task in tasks:
        if not task.watched or not task.definition.checker.get("dataDir"):
            continue
        for family, fact in ((free, FREE), (runway, RUNWAY)):
            value = task.live.metadata.get(fact)
            if isinstance(value, int):
                family.add(value, _labels(task))
    yield from (free, runway)


def _labels(task: Task) -> str:
    known = task.definition
    return ",".join(
        (label("task", task.id), label("type", known.type), label("service", known.service))
    )


def _looks(counts: Counts, tasks: Iterable[Task]) -> Iterator[Family]:
    looks = Family("look_seconds", "summary", "Looks at a task and the seconds they took.")
    failed = Family("look_failures", "counter", "Looks that brought no reading.")
    for task in tasks:
        found = counts.looks.get(task.id)
        if found is not None:
            labels = _labels(task)
            looks.add(found.count, labels, "_count")
            looks.add(found.seconds, labels, "_sum")
            failed.add(found.failed, labels)
    yield from (looks, failed)


def _services(api: Api) -> Iterator[Family]:
    points = Family("service_points", "stateset", "The node that a switched service points to.")
    state = Family("service_state", "stateset", "How what runs it is, as systemd says.")
    wrong = Family(
        "service_attention", "stateset", "What of it needs somebody now; all 0: nothing."
    )
    links = Family(
        "service_connections", "gauge", "To the local node; absent where nobody can tell."
    )
    seen = Family("service_last_seen_timestamp_seconds", "gauge", "When it was looked at last.")
    for name, declared in api.switcher.services.items():
        labels, known = label("service", name), api.switcher.watching.known(name)
        attention = api.engine.attentions.of(name)
        side = api.switcher.hands.pointing(name, declared).side
        points.states((*(each.value for each in Side), "unknown"), side or "unknown", labels)
        wrong.states(AttentionCode, attention.code if attention else "", labels)
        if known is None:
            continue
        state.states(ServiceState, known.sight.state, labels)
        seen.add(known.sight.at / 1000, labels)
        if known.sight.connections is not None:
            links.add(known.sight.connections, labels)
    yield from (points, state, wrong, links, seen)
