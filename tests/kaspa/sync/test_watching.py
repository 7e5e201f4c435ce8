"""Recorded real nodes, watched on after they have caught up, and played past their end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from kaspad_taskd.kaspa.sync.position import locate
from kaspad_taskd.store.codec import task_of, task_text
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
