"""`/metrics`: read by the strict parsers of Prometheus' own library."""

from __future__ import annotations

import asyncio
import gzip
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import parser
from prometheus_client.openmetrics import parser as strict

from kaspad_taskd.bridge.counts import BOUNDS, CountedStore, Counts
from kaspad_taskd.bridge.family import JOINED, Family, body, label, wants_openmetrics
from kaspad_taskd.core.attention import AttentionCode, ServiceState, Sight
from kaspad_taskd.core.observation import Disk, Reading
from kaspad_taskd.core.record import Change, Outcome
from tests.bridge.house import Bridged, bridged, until
from tests.fakes.hands import service
from tests.fakes.house import ScriptedProbe

OPEN = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}


def read(said: str) -> dict[str, Any]:
    """Families by name, as the strict parser has them."""
    return {each.name: each for each in strict.text_string_to_metric_families(said)}  # type: ignore[no-untyped-call]


def text(families: Sequence[Family]) -> str:
    """What a scrape gets of them."""
    return b"".join(body(families, openmetrics=True, packed=False)).decode()


def value(found: dict[str, Any], sample: str, **labels: str) -> Any:
    """The one sample with this name and (at least) these labels, or None."""
    every = [each for family in found.values() for each in family.samples]
    fitting = [
        each.value
        for each in every
        if each.name == f"kaspad_taskd_{sample}" and labels.items() <= each.labels.items()
    ]
    assert len(fitting) <= 1, fitting
    return fitting[0] if fitting else None


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Bridged]:
    async with bridged(tmp_path) as built:
        yield built


async def test_everything_is_read_by_the_strict_parser(house: Bridged) -> None:
    """With tasks in every status, and names that have to be escaped."""
    for status, act in (
        ("in-progress", None),
        ("paused", "pauseTask"),
        ("complete", "completeTask"),
        ("cancelled", "cancelTask"),
    ):
        await house.add(status)
        if act is not None:
            await house.house.ask(act, taskId=status)
    await house.add("failed")
    await house.house.ask("errorTask", taskId="failed", error="x")
    async with house.http.get(f"{house.base}/metrics", headers=OPEN) as answer:
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1")
        found = read(await answer.text())
    assert {name: family.type for name, family in found.items()} == {
        "kaspad_taskd_build": "info",
        "kaspad_taskd_start_time_seconds": "gauge",
        "kaspad_taskd_store_durable": "gauge",
        "kaspad_taskd_warnings": "gauge",
        "kaspad_taskd_events": "counter",
        "kaspad_taskd_commit_seconds": "histogram",
        "kaspad_taskd_tasks": "gauge",
        "kaspad_taskd_bridge_clients": "gauge",
        "kaspad_taskd_bridge_messages": "counter",
        "kaspad_taskd_bridge_deliveries": "counter",
        "kaspad_taskd_task_progress_ratio": "gauge",
        "kaspad_taskd_task_attempt": "gauge",
        "kaspad_taskd_task_status": "stateset",
        "kaspad_taskd_task_health": "stateset",
    }
    for status in ("in-progress", "paused", "complete", "error", "cancelled"):
        assert value(found, "tasks", status=status) == 1
    assert value(found, "task_progress_ratio", task="complete") == 1
    assert value(found, "task_status", task="paused", kaspad_taskd_task_status="paused") == 1
    assert value(found, "task_status", task="paused", kaspad_taskd_task_status="pending") == 0
    assert value(found, "task_status", task="complete", kaspad_taskd_task_status="complete") is None
    assert value(found, "events_total") == house.house.engine.seq


async def test_a_task_in_numbers(house: Bridged) -> None:
    """What its look brought, in base units; what is not known is absent."""
    reading = Reading(position=25.0, start=0.0, target=100.0, unit="blocks")
    house.house.probe("sync").default = reading
    await house.add("sync", type="http-json")
    await house.house.ask("checkTaskStatus", taskId="sync")
    found = read((await house.get("/metrics", **OPEN))[1])
    task = house.house.task("sync")
    assert value(found, "task_progress_ratio", task="sync", type="http-json") == task.percent / 100
    health = {"task": "sync", "kaspad_taskd_task_health": "ok"}
    assert value(found, "task_health", **health) == 1
    assert value(found, "task_eta_seconds", task="sync") == task.live.eta
    assert value(found, "task_behind_seconds", task="sync") is None
    moved = value(found, "task_last_moved_timestamp_seconds", task="sync")
    assert moved == pytest.approx((task.live.last_moved or 0) / 1000)


async def test_a_disk_in_numbers(house: Bridged) -> None:
    """Of a task that names a directory alone; what is not known is absent."""
    disk = Disk(free=5 << 30, total=9 << 30, growth=1e6, seconds=5300.0)
    house.house.probe("a").default = Reading(position=1.0, target=9.0, disk=disk)
    house.house.probe("b").default = Reading(position=1.0, metadata={"diskFree": 7})
    await house.add("a", type="http-json", checker={"dataDir": "/srv"})
    await house.add("b", type="http-json")
    for task in "ab":
        await house.house.ask("checkTaskStatus", taskId=task)
    found = read((await house.get("/metrics", **OPEN))[1])
    assert value(found, "task_disk_free_bytes", task="a", type="http-json") == 5 << 30
    assert value(found, "task_disk_runway_seconds", task="a") == 5300
    assert value(found, "task_disk_free_bytes", task="b") is None


async def test_what_is_kept_watch_on_has_a_health_and_no_time_left(house: Bridged) -> None:
    """So that the alerts that there are hold for it, too; one that merely ended has none."""
    for task_id, keep in (("kept", True), ("ended", False)):
        house.house.probe(task_id).default = Reading(complete=True, behind=2.5)
        await house.add(task_id, type="http-json", confirmations=1, keep_watching=keep)
    await until(lambda: all(each.ended_at for each in house.house.engine.tasks()))
    found = read((await house.get("/metrics", **OPEN))[1])
    health = {"kaspad_taskd_task_health": "ok"}
    assert value(found, "task_health", task="kept", **health) == 1
    assert value(found, "task_behind_seconds", task="kept") == 2.5
    assert value(found, "task_eta_seconds", task="kept") is None
    status = {"kaspad_taskd_task_status": "complete"}
    assert value(found, "task_status", task="kept", **status) == 1
    assert value(found, "task_health", task="ended", **health) is None


async def test_seconds_in_each_state_are_counters_of_what_is_on_disk(house: Bridged) -> None:
    """Five a task that is kept watch on; what a kill could take is not told, so none falls."""
    house.house.probe("kept").default = Reading(complete=True)
    await house.add("kept", type="http-json", confirmations=1, keep_watching=True)
    await house.add("other", type="http-json")
    engine = house.house.engine
    await until(lambda: bool(house.house.task("kept").watched_since))
    assert value(read((await house.get("/metrics", **OPEN))[1]), "task_state_seconds_total") is None
    since = house.house.now()
    await until(lambda: house.house.now() > since + 50)
    await asyncio.gather(*engine.flush(all_of_it=True))
    found = read((await house.get("/metrics", **OPEN))[1])
    kept = engine.records.durable["kept"]
    states = [each.labels["state"] for each in found["kaspad_taskd_task_state_seconds"].samples]
    assert states == ["ok", "behind", "stalled", "unreachable", "unknown"]
    assert kept.total.ok >= 50
    ok = value(found, "task_state_seconds_total", task="kept", service="kept", state="ok")
    assert ok == kept.total.ok / 1000
    assert found["kaspad_taskd_task_state_seconds"].type == "counter"


async def test_the_old_format_for_who_does_not_ask(house: Bridged) -> None:
    """Read by the parser of the text format, the same samples, packed where that is taken."""
    await house.add("job")
    await house.house.ask("pauseTask", taskId="job")
    async with house.http.get(f"{house.base}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert answer.headers["Content-Encoding"] == "gzip"
        body = await answer.text()
    assert "# EOF" not in body
    found = {each.name: each for each in parser.text_string_to_metric_families(body)}
    assert {each.type for each in found.values()} <= {"gauge", "counter", "histogram", "summary"}
    assert found["kaspad_taskd_build_info"].samples[0].value == 1
    assert value(found, "events_total") == 3


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [("", False), ("*/*", False), ("text/plain", False),
     ("application/openmetrics-text", True),
     ("text/html;q=0.1, Application/OpenMetrics-Text; version=1.0.0", True)],
)  # fmt: skip
def test_openmetrics_is_for_who_asks(accept: str, wanted: bool) -> None:
    """By the media type alone."""
    assert wants_openmetrics(accept) is wanted


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=40))
def test_any_label_comes_back_as_it_was(said: str) -> None:
    """Quotes, backslashes, newlines and all."""
    family = Family("x", "gauge", "An x.")
    family.add(1.5, label("name", said))
    found = read(text([family]))
    assert found["kaspad_taskd_x"].samples[0].labels == {"name": said}


@given(st.floats(allow_nan=False, allow_infinity=False, width=64) | st.integers(0, 2**53))
def test_any_number_comes_back_as_it_was(number: float) -> None:
    """Whole ones without a point."""
    family = Family("x", "gauge", "An x.")
    family.add(number)
    assert read(text([family]))["kaspad_taskd_x"].samples[0].value == number


async def test_looks_are_counted_and_forgotten_with_their_task(house: Bridged) -> None:
    """Also those that raise."""
    inner = ScriptedProbe()
    counted = house.counts.probe("sync", inner)
    inner.answers = [RuntimeError("x")]
    with pytest.raises(RuntimeError):
        await counted.observe({})
    assert isinstance(await counted.observe({}), Reading)
    await counted.close()
    assert inner.closed == 1
    await house.add("sync")
    found = read((await house.get("/metrics", **OPEN))[1])
    assert value(found, "look_seconds_count", task="sync") == 2
    assert value(found, "look_failures_total", task="sync") == 1
    await house.house.roster.remove("sync")
    await house.get("/metrics")
    assert house.counts.looks == {}


class Slow:
    """A store that settles when it is told to."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.settled: Callable[[Sequence[Outcome]], None] = lambda _outcomes: None
        self.oldest = 7

    def start(self, settled: Callable[[Sequence[Outcome]], None]) -> None:
        self.settled = settled

    def submit(self, change: Change) -> None:
        if len(self.changes) == 2:
            raise OSError("full")
        self.changes.append(change)


def test_commits_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each from its submission; one that could not be queued is none; the rest is the store's."""
    now = [100.0]
    clock = SimpleNamespace(monotonic=lambda: now[0], time=lambda: now[0])
    monkeypatch.setattr("kaspad_taskd.bridge.counts.time", clock)
    counts, slow = Counts(), Slow()
    told: list[Outcome] = []
    store = CountedStore(slow, counts.commit)  # type: ignore[arg-type]
    assert store.oldest == 7
    store.start(lambda outcomes: told.extend(outcomes))
    change = Change()
    store.submit(change)
    now[0] += 0.03
    store.submit(change)
    with pytest.raises(OSError, match="full"):
        store.submit(change)
    slow.settled([Outcome(change), Outcome(change)])
    assert len(told) == sum(counts.commits) == 2
    assert counts.commit_seconds == pytest.approx(0.03)
    assert (counts.commits[0], counts.commits[bisect_left(BOUNDS, 0.03)]) == (1, 1)


def test_a_thousand_tasks_are_packed_small() -> None:
    """What Prometheus gets each time is a few kilobytes."""
    family = Family("task_progress_ratio", "gauge", "x")
    for number in range(1000):
        family.add(number / 1000, label("task", f"indexer-sync-service-{number}"))
    packed = body([family], openmetrics=True, packed=True)
    assert gzip.decompress(b"".join(packed)).decode() == text([family])
    assert sum(map(len, packed)) < 12_000


def test_many_samples_are_written_in_pieces() -> None:
    """Each is short: while one is put together nobody else has a turn, in no thread."""
    family = Family("task_progress_ratio", "gauge", "x")
    for number in range(10 * JOINED + 1):
        family.add(number, label("task", f"indexer-sync-service-{number}"))
    pieces = body([family], openmetrics=True, packed=False)
    assert max(map(len, pieces)) < len(b"".join(pieces)) / 9
    assert len(read(text([family]))["kaspad_taskd_task_progress_ratio"].samples) == 10 * JOINED + 1


async def test_a_service_in_numbers(house: Bridged) -> None:
    """Where it points, how it is, what is wrong: a series of each code, so that alerts find it."""
    inside = house.house
    inside.services["kasia"] = service()
    facts = {"service": "kasia", "unit": "k.service"}
    up = Sight(inside.now(), ServiceState.RUNNING, connections=3, facts=facts)
    inside.hands.sights["kasia"] = up
    await inside.switcher.watching.now()
    found = read((await house.get("/metrics", **OPEN))[1])
    of = {"service": "kasia"}
    assert value(found, "service_points", kaspad_taskd_service_points="public", **of) == 1
    assert value(found, "service_state", kaspad_taskd_service_state="running", **of) == 1
    assert value(found, "service_connections", **of) == 3
    assert value(found, "service_last_seen_timestamp_seconds", **of) == up.at / 1000
    wrong = found["kaspad_taskd_service_attention"].samples
    assert {each.labels["kaspad_taskd_service_attention"] for each in wrong} == set(AttentionCode)
    assert not any(each.value for each in wrong)
    inside.hands.sights["kasia"] = replace(up, state=ServiceState.FAILED, connections=None)
    await inside.switcher.watching.now()
    found = read((await house.get("/metrics", **OPEN))[1])
    down = {"kaspad_taskd_service_attention": "down", **of}
    assert value(found, "service_attention", **down) == 1
    assert value(found, "service_connections", **of) is None
