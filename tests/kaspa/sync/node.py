"""Nodes for the rules: looks made by hand, judged in a row with their memory in between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from kaspad_taskd.core.inputs import Look, Start
from kaspad_taskd.core.model import Definition, Status, Task
from kaspad_taskd.core.observation import Reading
from kaspad_taskd.core.transition import step
from kaspad_taskd.kaspa.sync import memory as memories
from kaspad_taskd.kaspa.sync.hints import Aside
from kaspad_taskd.kaspa.sync.judge import judge
from kaspad_taskd.kaspa.sync.memory import Memory
from kaspad_taskd.kaspa.sync.reading import NodeReading, PeerClock

NOW = 1_795_000_000_000
TIP = 130_000_000
BPS = 10


def following(second: float, age: float = 0.5, behind: int = 0, **other: Any) -> NodeReading:
    """A mainnet node that follows the tip, at that second; its newest block is so old by our clock.

    Args:
        second: since NOW.
        age: seconds, by our clock.
        behind: blocks.
        other: fields that are otherwise.
    """
    at = NOW + round(second * 1000)
    score = TIP + round(second * BPS) - behind
    values: dict[str, Any] = {
        "at_ms": at,
        "network": "mainnet",
        "block_count": 1_200_000,
        "header_count": 1_200_000,
        "virtual_daa_score": score,
        "past_median_time": at - round(age * 1000) - 132_000,
        "pruning_point": "pp",
        "sink": "s",
        "is_synced": True,
        "has_transitional_check": True,
        "peers": 8,
        "header_counts": 5_000 + round(second * BPS),
        "body_counts": 5_000 + round(second * BPS),
        "p2p_rx_bytes": 1_000_000 + round(second * 20_000),
        "disk_write_bytes": 1_000_000,
        "server_time_ms": at,
        "sink_timestamp": at - round(age * 1000),
        "sink_daa_score": score,
        "p2p_id": "a",
        "system_id": "5ca1ab1e",
        "server_version": "2.1.0",
        "has_utxo_index": True,
    }
    return NodeReading(**(values | other))


def offsets(seconds: float, peers: int = 8, connected: float = 60) -> tuple[PeerClock, ...]:
    """What so many peers told at their handshakes, so long ago."""
    return (PeerClock(round(seconds * 1000), round(connected * 1000)),) * peers


def standing(at: NodeReading, second: float, **other: Any) -> NodeReading:
    """The same node later, nothing having moved but time."""
    moment = NOW + round(second * 1000)
    return replace(at, at_ms=moment, server_time_ms=moment, **other)


def run(
    looks: Iterable[NodeReading],
    aside: Aside | None = None,
    memory: Memory | None = None,
    reference: int | None = None,
) -> list[Reading]:
    """What each look means, the memory going through its JSON in between.

    `reference`: a reference node is so many blocks ahead of each look.
    """
    kept = (memory or Memory()).to_json()
    readings = []
    for look in looks:
        beside = aside or Aside()
        if reference is not None:
            beside = replace(beside, reference=look.virtual_daa_score + reference)
        readings.append(judge(look, memories.from_json(kept), beside))
        kept = dict(readings[-1].memory)
    return readings


def watched(looks: Sequence[NodeReading], aside: Aside | None = None, **given: Any) -> list[Task]:
    """The task after each look, as the core takes them."""
    definition = Definition(
        **{"id": "n", "type": "node-sync", "service": "n", "stall_after": 60.0, **given}
    )
    task, _ = step(Task(definition, looks[0].at_ms), definition, Start(), looks[0].at_ms)
    tasks = []
    for look in looks:
        memory = memories.from_json(task.live.memory)
        observation = judge(look, memory, aside or Aside())
        task, _ = step(task, definition, Look(task.attempt, observation), look.at_ms)
        tasks.append(task)
    return tasks


def completes(looks: Sequence[NodeReading], aside: Aside | None = None, **given: Any) -> bool:
    """Whether these looks complete the task."""
    return any(task.status is Status.COMPLETE for task in watched(looks, aside, **given))
