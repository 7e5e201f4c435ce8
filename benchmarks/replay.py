"""Replays recordings of real syncs through the real rules: kaspa.sync, then core.step."""

from __future__ import annotations

import gzip
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import Any

from kaspad_taskd.core.inputs import Attach, Look, Start
from kaspad_taskd.core.model import Definition, Status, Task
from kaspad_taskd.core.observation import Observation, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.transition import step
from kaspad_taskd.kaspa.sync import memory as memories
from kaspad_taskd.kaspa.sync.hints import Aside, unreachable
from kaspad_taskd.kaspa.sync.judge import judge
from kaspad_taskd.kaspa.sync.lines import understand
from kaspad_taskd.kaspa.sync.memory import Memory
from kaspad_taskd.kaspa.sync.phase import BLOCKS_PER_SECOND, GOSSIP_BYTES
from kaspad_taskd.kaspa.sync.reading import NodeReading, PeerClock
from kaspad_taskd.kaspa.sync.story import fold
from kaspad_taskd.store.codec import task_of, task_text

CAUGHT_UP = 60
"""Behind by at most so many blocks: the recordings' own measure of "caught up"."""
STOPPED_AT = 0.4
GOSSIPING = 8
PATIENCE_S = 60.0
"""The recordings are minutes, not hours: they are watched with this `stall_after`."""


@dataclass(frozen=True)
class Recording:
    """A recorded sync: samples and log lines by second, and what the truth was."""

    name: str
    times: list[float]
    samples: list[dict[str, Any]]
    logs: list[tuple[float, str]]
    begin_ms: int
    events: list[tuple[float, str]]

    @cached_property
    def caught_up(self) -> float | None:
        """The second of the first sample at most CAUGHT_UP blocks behind, None if there is none."""
        return next(
            (
                float(sample["t"])
                for sample in self.samples
                if "error" not in sample and self.behind(sample) <= CAUGHT_UP
            ),
            None,
        )

    @property
    def way(self) -> float:
        """Seconds until it had caught up, or to the end of the recording."""
        return self.times[-1] if self.caught_up is None else self.caught_up

    @staticmethod
    def behind(sample: dict[str, Any]) -> int:
        """Blocks between the syncing node and the one it syncs from."""
        return int(sample["referenceVirtualDaaScore"]) - int(sample["virtualDaaScore"])

    def at(self, second: float) -> dict[str, Any] | None:
        """The first sample at that second or later."""
        index = bisect_left(self.times, second)
        return self.samples[index] if index < len(self.samples) else None


def load(path: Path) -> Recording:
    """Read a recording, .jsonl or .jsonl.gz."""
    data = path.read_bytes()
    text = gzip.decompress(data) if path.suffix == ".gz" else data
    rows = [json.loads(line) for line in text.splitlines()]
    samples = [row for row in rows if "log" not in row and "event" not in row]
    first = next(row for row in samples if "unix_ms" in row)
    return Recording(
        path.name.removesuffix(".gz").removesuffix(".jsonl"),
        [row["t"] for row in samples],
        samples,
        [(row["t"], row["log"]) for row in rows if "log" in row],
        first["unix_ms"] - round(1000 * first["t"]),
        [(row["t"], row["event"]) for row in rows if "event" in row],
    )


def reading_of(sample: dict[str, Any]) -> NodeReading:
    """Return a sample as `kaspa.read` would have: absent counters of a node with metrics are 0."""
    metrics = sample.get("metrics")
    groups = metrics or {}

    def counter(group: str, name: str) -> int | None:
        return int(groups.get(group, {}).get(name, 0)) if metrics else None

    process = groups.get("processMetrics") or {}
    server = sample.get("serverInfo") or {}
    peers = [peer for peer in sample.get("peerInfo", ()) if "id" in peer]
    return NodeReading(
        at_ms=sample["unix_ms"],
        network=sample["networkName"].removeprefix("kaspa-"),
        block_count=sample["blockCount"],
        header_count=sample["headerCount"],
        virtual_daa_score=sample["virtualDaaScore"],
        past_median_time=sample["pastMedianTime"],
        pruning_point=sample["pruningPointHash"],
        sink=sample.get("sink") or "",
        difficulty=sample.get("difficulty"),
        is_synced=sample.get("syncStatus", sample["isSynced"]),
        has_transitional_check="syncStatus" in sample,
        peers=sample["peers"],
        ibd_peers=sample["ibdPeers"],
        ibd_peer=next((peer["id"] for peer in peers if peer.get("isIbdPeer")), ""),
        peer_clocks=tuple(
            PeerClock(peer.get("timeOffset", 0), peer["timeConnected"])
            for peer in peers
            if "timeConnected" in peer
        ),
        header_counts=counter("consensusMetrics", "headerCounts"),
        body_counts=counter("consensusMetrics", "bodyCounts"),
        chain_block_counts=counter("consensusMetrics", "chainBlockCounts"),
        p2p_rx_bytes=counter("bandwidthMetrics", "grpcP2pBytesRx"),
        disk_write_bytes=process.get("diskIoWriteBytes"),
        server_time_ms=groups.get("serverTime"),
        sink_timestamp=sample.get("sinkTimestamp"),
        sink_daa_score=sample.get("sinkDaaScore"),
        p2p_id=sample.get("p2pId"),
        system_id=sample.get("systemId"),
        server_version=server.get("serverVersion"),
        has_utxo_index=server.get("hasUtxoIndex"),
        protocol="rust" if metrics else "go",
    )


@dataclass(frozen=True)
class Way:
    """How a recording is watched.

    Attributes:
        pace: seconds between looks.
        offset: seconds of the first look.
        log: the node's log is followed too.
        reference: the other node is asked for the tip.
        restart: the daemon is restarted before every k-th look, 0 for never.
        stop: seconds that the daemon stands still for, once, 40 % of the way along.
        gossip: eight more peers relay each block to it.
        again: when the task is complete another one begins: every end that is shown is seen.
    """

    pace: float = 10.0
    offset: float = 0.0
    log: bool = False
    reference: bool = False
    restart: int = 0
    stop: float = 0.0
    gossip: bool = False
    again: bool = False


@dataclass(frozen=True)
class Seen:
    """One look and the task after it."""

    second: float
    sample: dict[str, Any]
    observation: Observation
    task: Task
    events: tuple[str, ...]


def observe(sample: dict[str, Any], memory: Memory, way: Way) -> Observation:
    """Return what a look at this sample brings."""
    if "error" in sample:
        reason = Reason.TIMEOUT if sample["error"] == "timeout" else Reason.REFUSED
        return Unreachable(
            reason,
            hints=unreachable(memory, {}, sample.get("unix_ms", 0)),
            memory=memory.to_json(),
        )
    reference = sample["referenceVirtualDaaScore"] if way.reference else None
    return judge(reading_of(sample), memory, Aside(reference=reference, has_log=way.log))


def begun(recording: Recording, way: Way, now: int) -> tuple[Definition, Task]:
    """Return a task that has just begun."""
    definition = Definition("node", "node-sync", "node", interval=way.pace, stall_after=PATIENCE_S)
    task, _ = step(Task(definition, now), definition, Start(), now)
    return definition, task


def gossiped(sample: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Return the sample of a node to which eight more peers have relayed each block for so long."""
    if "error" in sample:
        return sample
    sample = {**sample, "peers": sample["peers"] + GOSSIPING if sample["peers"] else 0}
    if metrics := sample.get("metrics"):
        counted = metrics.get("bandwidthMetrics", {})
        more = round(GOSSIPING * GOSSIP_BYTES * BLOCKS_PER_SECOND * seconds)
        received = {**counted, "grpcP2pBytesRx": counted.get("grpcP2pBytesRx", 0) + more}
        sample["metrics"] = {**metrics, "bandwidthMetrics": received}
    return sample


def told(recording: Recording, memory: Memory, read: int, sample: dict[str, Any]) -> Memory:
    """Return the memory with the log's lines since the last look in its story."""
    now = recording.begin_ms + round(1000 * sample["t"])
    for at, text in recording.logs[read:]:
        if at > sample["t"]:
            break
        line = understand(text)
        if line is not None:
            memory = replace(memory, story=fold(memory.story, line, now))
    return memory


def watch(recording: Recording, way: Way) -> Iterator[Seen]:
    """Look at a recording as the daemon would; ends when the task or the recording does."""
    definition, task = begun(recording, way, recording.begin_ms)
    second, looks, read, last, gossip_s = way.offset, 0, 0, 0.0, 0.0
    while (sample := recording.at(second)) is not None:
        now = recording.begin_ms + round(1000 * sample["t"])
        if task.status is not Status.IN_PROGRESS:
            if not way.again:
                return
            definition, task = begun(recording, way, now)
        looks += 1
        if way.restart and looks % way.restart == 0:
            task = task_of(task_text(task), definition)
            task, _ = step(task, definition, Attach(), now)
        memory = memories.from_json(json.loads(json.dumps(task.live.memory)))
        if way.log:
            memory = told(recording, memory, read, sample)
            read = bisect_right(recording.logs, sample["t"], key=itemgetter(0))
        gossip_s = (
            0.0 if "error" in sample else gossip_s + (sample["t"] - last) * bool(sample["peers"])
        )
        last = sample["t"]
        answers = gossiped(sample, gossip_s) if way.gossip else sample
        observation = observe(answers, memory, way)
        task, facts = step(task, definition, Look(task.attempt, observation), now)
        events = tuple(str(fact.name) for fact in facts)
        yield Seen(sample["t"], sample, observation, task, events)
        second = sample["t"] + way.pace
        if way.stop and second < recording.way * STOPPED_AT <= second + way.pace:
            second += way.stop
