"""Recorded real nodes, watched on after they have caught up, and played past their end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest

from benchmarks.replay import Recording, Way, observe
from benchmarks.truth import EXCERPTS, recordings
from kaspad_taskd.core.fact import EventName, Fact
from kaspad_taskd.core.inputs import Attach, Look, Start
from kaspad_taskd.core.model import Definition, Health, Status, Task
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.transition import step
from kaspad_taskd.kaspa.sync import memory as memories
from kaspad_taskd.kaspa.sync.clock import Clock
from kaspad_taskd.kaspa.sync.following import following
from kaspad_taskd.kaspa.sync.hints import Aside
from kaspad_taskd.kaspa.sync.judge import judge
from kaspad_taskd.kaspa.sync.position import locate
from kaspad_taskd.kaspa.sync.reading import NodeReading
from kaspad_taskd.store.codec import task_of, task_text
from tests.kaspa.sync.host import OLD, Host, rare
from tests.kaspa.sync.node import NOW, offsets, watched
from tests.kaspa.sync.node import following as a_node

CAUGHT_UP = ("ibd-rust-sync", "ibd-rust-proof", "ibd-rust-away-10", "ibd-rust-away-30",
             "ibd-rust-gossip", "ibd-rust-frozen-blocks")  # fmt: skip
BPS = 10


@cache
def recording(name: str) -> Recording:
    return next(each for each in recordings(EXCERPTS) if each.name == name)


@dataclass
class Watched:
    """A task that looks at samples, and all that was told of it."""

    definition: Definition
    task: Task
    told: list[Fact]

    @classmethod
    def begin(cls, now: int, **given: Any) -> Watched:
        known = Definition("node", "node-sync", "node", keep_watching=True, **given)
        task, told = step(Task(known, now), known, Start(), now)
        return cls(known, task, told)

    def look(self, sample: dict[str, Any], now: int) -> None:
        memory = memories.from_json(json.loads(json.dumps(self.task.live.memory)))
        seen = observe(sample, memory, Way())
        self.task, facts = step(self.task, self.definition, Look(self.task.attempt, seen), now)
        self.told += facts

    def restart(self, now: int) -> None:
        self.task = task_of(task_text(self.task), self.definition)
        self.task, _ = step(self.task, self.definition, Attach(), now)

    def health(self) -> Health:
        return self.task.health

    @property
    def healths(self) -> list[str]:
        return [each.data["health"] for each in self.told if each.name is EventName.HEALTH]


def played(name: str, pace: float, **given: Any) -> Iterator[tuple[Watched, dict[str, Any], int]]:
    """A recording, looked at every `pace` seconds, whatever the task has come to."""
    found = recording(name)
    watched, second = Watched.begin(found.begin_ms, interval=pace, **given), 0.0
    while (sample := found.at(second)) is not None:
        now = found.begin_ms + round(1000 * sample["t"])
        watched.look(sample, now)
        yield watched, sample, now
        second = sample["t"] + pace


def later(sample: dict[str, Any], seconds: float, blocks: int) -> dict[str, Any]:
    """The node of a sample so many seconds later, with so many blocks more (0: its peer froze)."""
    passed, made = round(seconds * 1000), round(blocks / BPS * 1000)
    peers = [
        {**peer, "timeConnected": peer["timeConnected"] + passed} if "timeConnected" in peer
        else peer for peer in sample.get("peerInfo", ())
    ]  # fmt: skip
    metrics = sample["metrics"]
    bandwidth = metrics.get("bandwidthMetrics", {})
    received = bandwidth.get("grpcP2pBytesRx", 0) + blocks * 500
    more = {name: sample[name] + blocks
            for name in ("virtualDaaScore", "blockCount", "headerCount", "sinkDaaScore")
            if sample.get(name) is not None}  # fmt: skip
    aged = {name: sample[name] + made for name in ("pastMedianTime", "sinkTimestamp")
            if sample.get(name) is not None}  # fmt: skip
    return {
        **sample, **more, **aged,
        "t": sample["t"] + seconds,
        "unix_ms": sample["unix_ms"] + passed,
        "sink": f"{sample.get('sink', '')}+{blocks}",
        "peerInfo": peers,
        "metrics": {
            **metrics,
            "serverTime": metrics["serverTime"] + passed,
            "bandwidthMetrics": {**bandwidth, "grpcP2pBytesRx": received},
        },
    }  # fmt: skip


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("name", CAUGHT_UP)
def test_a_node_whose_peers_freeze_is_behind_then_stalled_and_well_again(
    name: str, restarts: bool
) -> None:
    """Past the end of the recording: 5 min in sync, 15 min without a block, and back."""
    *_, (watched, last, now) = played(name, 5.0)
    assert watched.task.status is Status.COMPLETE
    blocks, second, frozen = 0, 0.0, (300.0, 1200.0)
    while second < 1500:
        second += 30
        blocks += 0 if frozen[0] < second <= frozen[1] else 30 * BPS
        if restarts and second % 210 == 0:
            watched.restart(now + round(second * 1000))
        watched.look(later(last, second, blocks), now + round(second * 1000))
        if second == 1140 and not restarts:
            assert (watched.health(), watched.task.status) == (Health.STALLED, Status.COMPLETE)
        if second == frozen[1]:  # all that was missed comes at once
            blocks += 900 * BPS
    first = watched.healths[-2:] if restarts else watched.healths[-3:]
    assert first == (["behind", "ok"] if restarts else ["behind", "stalled", "ok"])
    behind = next(each for each in watched.told if each.data.get("health") == "behind")
    lasted = (behind.at - now) / 1000 - frozen[0]
    assert 150 <= lasted <= (390 if restarts else 240)
    assert abs(behind.data["behind"] - lasted) <= 10
    assert behind.data["reason"] in (Reason.NETWORK_STANDS_STILL, Reason.CUT_OFF, None)
    complete = [each for each in watched.told if each.name is EventName.COMPLETE]
    assert len(complete) == 1
    assert watched.task.attempt == 1


def test_a_line_that_passes_nothing_for_a_while() -> None:
    """The recorded node is cut off for 75 s, which is nothing yet, and then for 120 s."""
    seen = [(sample["t"], watched.task, watched)
            for watched, sample, _ in played("ibd-rust-cut-off", 5.0, watch_interval=5.0,
                                             behind_after=30.0)]  # fmt: skip
    watched = seen[-1][2]
    assert watched.healths == ["unreachable", "ok", "behind", "ok"]  # it was not yet started
    bad = [second for second, task, _ in seen if task.health is Health.BEHIND]
    assert 235 <= bad[0] <= 250
    assert bad[-1] <= 300
    assert watched.task.status is Status.COMPLETE


def test_a_node_that_was_away_for_half_an_hour_relapses_where_that_is_much() -> None:
    """By the headers that it lacks while it downloads; otherwise it is behind."""
    for relapse_after, attempts in ((3600.0, 1), (600.0, 2)):
        found = recording("ibd-rust-away-30")
        first = next(each for each in found.samples if "error" not in each and each["peers"])
        watched = Watched.begin(found.begin_ms, relapse_after=relapse_after, interval=5.0)
        done = complete_before(watched, first)
        for second in range(5, int(found.times[-1]), 5):
            sample = found.at(float(second))
            assert sample is not None
            watched.look(sample, done + second * 1000)
        starts = [each.data for each in watched.told if each.name is EventName.START]
        assert len(starts) == attempts
        if attempts == 2:
            assert starts[1]["because"] == "far-behind"
            assert watched.task.status is Status.COMPLETE
        else:
            assert watched.healths[:1] == ["behind"]


def complete_before(watched: Watched, sample: dict[str, Any]) -> int:
    """Let the node of a sample have been in sync before; returns the moment of that."""
    at = sample["unix_ms"] - 1_900_000
    for second in range(0, 60, 5):
        young = later(
            {**sample, "sinkTimestamp": at, "pastMedianTime": at - 132_000, "unix_ms": at,
             "headerCount": sample["blockCount"], "isSynced": True, "syncStatus": True,
             "ibdPeers": 0, "peers": 1, "sink": "young"}, second, 0,
        )  # fmt: skip
        young = {**young, "sinkTimestamp": at + second * 1000,
                 "virtualDaaScore": sample["virtualDaaScore"] - 600 + second * BPS,
                 "sinkDaaScore": sample["virtualDaaScore"] - 600 + second * BPS}  # fmt: skip
        watched.look(young, at + second * 1000)
    assert watched.task.status is Status.COMPLETE
    return int(at + 60_000)


def test_what_it_lacks_is_told_by_scores_and_only_of_a_download() -> None:
    """The newest header, or a reference that is further; an old block alone says nothing."""
    look = replace(a_node(0), ibd_peers=1, header_count=a_node(0).block_count + 72_000)
    assert following(look, locate(look), Clock()).lacks == 7_200.0
    far = locate(look, look.virtual_daa_score + 144_000)
    assert following(look, far, Clock()).lacks == 14_400.0
    old = replace(a_node(0), sink_timestamp=1)
    assert following(old, locate(old), Clock()).lacks is None
    assert following(old, locate(old), Clock(600.0)).clock_off


@dataclass
class Watching:
    """A node on watch, on a host whose clock is set; the daemon notices a jump, or does not."""

    host: Host = field(default_factory=lambda: Host(other=OLD))
    told: list[Fact] = field(default_factory=list)
    moved: float = 0.0

    def __post_init__(self) -> None:
        known = Definition("node", "node-sync", "node", keep_watching=True, interval=30.0)
        self.task, _ = step(Task(known, NOW), known, Start(), NOW)
        self.look(4)
        assert self.task.status is Status.COMPLETE
        self.told.clear()

    def look(self, count: int = 1) -> Watching:
        for _ in range(count):
            seen = self.host.look()
            self.give(Look(self.task.attempt, seen))
        return self

    def give(self, given: Look | Attach) -> None:
        now = NOW + round((self.host.second + self.moved) * 1000)
        self.task, facts = step(self.task, self.task.definition, given, now)
        self.told += facts

    def jump(self, seconds: float, noticed: bool) -> Watching:
        self.host.ahead += seconds
        if noticed:
            self.moved += seconds
            self.give(Attach(jumped=True))
        return self


@pytest.mark.parametrize("noticed", [True, False])
@pytest.mark.parametrize("pace", [10.0, 30.0, 120.0])
@pytest.mark.parametrize("ahead", [90.0, 300.0, 7_200.0])
def test_a_clock_that_goes_wrong_does_not_put_a_node_behind(
    ahead: float, pace: float, noticed: bool
) -> None:
    """No peer has told the time lately: the node itself does, by what its score lacks. And back."""
    built = Watching()
    built.host.pace = pace
    built.jump(ahead, noticed).look(40)
    assert (built.task.health, built.task.reason) == (Health.OK, Reason.CLOCK_SKEW)
    assert [hint.code for hint in built.task.live.hints] == ["clock-skew"]
    assert built.task.live.behind is None
    built.jump(-ahead, noticed).look(6)
    assert (built.task.health, built.task.reason) == (Health.OK, None)
    assert built.told == []


def test_over_a_restart_the_clock_is_as_wrong_as_before() -> None:
    """What witnesses agreed on is kept with the task."""
    built = Watching().jump(300.0, noticed=True).look(10)
    built.task = task_of(task_text(built.task), built.task.definition)
    built.give(Attach())
    built.host.memory = memories.from_json(json.loads(json.dumps(built.task.live.memory)))
    assert built.look(20).task.health is Health.OK
    assert built.told == []


def test_with_a_wrong_clock_a_node_that_stops_is_not_known_to_be_well() -> None:
    """Its cable was pulled, too: nothing is known of it, and nothing is told but that."""
    built = Watching().jump(300.0, noticed=True).look(10)
    halt = built.host.second
    for _ in range(20):
        late = built.host.second + 30 - halt
        built.host.age, built.host.behind = 0.5 + late, round(10 * late)
        built.look()
    assert built.task.health is Health.UNKNOWN
    assert [fact.data["health"] for fact in built.told] == ["unknown"]
    assert built.task.status is Status.COMPLETE


def test_a_node_that_really_stays_late_is_behind_with_a_hint_at_most() -> None:
    """One witness, that its age stands, is not two: its score lacks what the age says."""
    built = Watching()
    built.host.age, built.host.behind = 300.0, 3_000
    built.look(8)
    assert built.task.health is Health.BEHIND
    assert built.told[-1].data["behind"] == 300.0


@pytest.mark.parametrize("interval", [2.0, 5.0, 10.0])
@pytest.mark.parametrize("seed", range(2))
def test_where_blocks_are_rare_a_clock_that_goes_wrong_puts_no_node_behind(
    interval: float, seed: int
) -> None:
    """300 s off from one look to the next, no reference, and peers that told the time long ago."""
    known = Definition("node", "node-sync", "node", keep_watching=True, interval=10.0)
    task, _ = step(Task(known, NOW), known, Start(), NOW)
    told: list[Fact] = []
    for n, look in enumerate(rare(interval, 300.0, seed, 200, 30.0, since=60), 10):
        memory = memories.from_json(json.loads(json.dumps(task.live.memory)))
        seen = judge(look, memory, Aside(steady=n * 30_000))
        task, facts = step(task, known, Look(task.attempt, seen), NOW + n * 30_000)
        told += facts
    assert (task.health, task.reason) == (Health.OK, Reason.CLOCK_SKEW)
    assert [fact.data["health"] for fact in told if fact.name is EventName.HEALTH] == []
    assert task.live.behind is None


IDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "two hosts": ({"p2p_id": "a", "system_id": "one"}, {"p2p_id": "b", "system_id": "two"}),
    "one host": ({"p2p_id": "a", "system_id": "one"}, {"p2p_id": "b", "system_id": "one"}),
    "old nodes": ({"p2p_id": "a", "system_id": None}, {"p2p_id": "b", "system_id": None}),
}
LACKS = 72_000


def late(second: float, **other: Any) -> NodeReading:
    """A node that downloads, and lacks two hours."""
    return a_node(second, 7_200.0, LACKS, ibd_peers=1, ibd_peer="p", is_synced=False,
                  header_count=1_200_000 + LACKS, peer_clocks=offsets(0.1, connected=86_400),
                  **other)  # fmt: skip


def attempts(looks: list[NodeReading]) -> int:
    """How many there were; the first looks complete the task."""
    tasks = watched(looks, keep_watching=True, interval=10.0, watch_interval=10.0)
    assert tasks[5].status is Status.COMPLETE
    return tasks[-1].attempt


@pytest.mark.parametrize("turn", [1, 2, 5])
@pytest.mark.parametrize("who", IDS)
def test_two_nodes_in_turn_behind_one_name_are_no_relapse(who: str, turn: int) -> None:
    """One is in sync, the other two hours behind: scores go down and up, and nothing was lost."""
    one, other = IDS[who]
    one = {**one, "peer_clocks": offsets(0.1, connected=86_400)}
    looks = [
        late(n * 10.0, **other) if n > 9 and n // turn % 2 else a_node(n * 10.0, **one)
        for n in range(120)
    ]
    assert attempts(looks) == 1


@pytest.mark.parametrize("who", IDS)
def test_another_node_that_stays_and_lacks_hours_is_a_relapse_in_the_end(who: str) -> None:
    """Whoever answers under the name from now on has to sync: that lasts, and is told."""
    one, other = IDS[who]
    looks = [a_node(n * 10.0, **one) if n < 10 else late(n * 10.0, **other) for n in range(90)]
    assert attempts(looks) == 2


@pytest.mark.parametrize("who", IDS)
def test_the_same_node_that_lacks_hours_relapses_at_once(who: str) -> None:
    """It was away, and is started anew or not: nobody else answers."""
    ids = IDS[who][0]
    for known in (ids, {**ids, "p2p_id": "new"}):
        looks = [a_node(n * 10.0, **ids) for n in range(10)]
        looks += [replace(late(7_300 + n * 10.0, **known), peer_clocks=()) for n in range(3)]
        assert attempts(looks) == 2
