"""A host whose clock goes wrong while it looks at a node that follows the tip."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from kaspad_taskd.core.observation import Reading
from kaspad_taskd.kaspa.sync import memory as memories
from kaspad_taskd.kaspa.sync.hints import Aside
from kaspad_taskd.kaspa.sync.judge import judge
from kaspad_taskd.kaspa.sync.memory import Memory
from kaspad_taskd.kaspa.sync.reading import NodeReading
from tests.kaspa.sync.node import NOW, TIP, following, offsets


@dataclass
class Host:
    """A host whose clock is set while it watches a node, which steady time does not notice."""

    ahead: float = 0.0
    second: float = 0.0
    age: float = 0.5
    behind: int = 0
    pace: float = 30.0
    memory: Memory = field(default_factory=Memory)
    other: dict[str, Any] = field(default_factory=dict)

    def look(self, count: int = 1) -> Reading:
        """The newest of so many looks; `ahead`, `age` and `behind` are as they are now."""
        for _ in range(count):
            self.second += self.pace
            seen = following(self.second, self.age + self.ahead, self.behind, **self.other)
            moved = round(self.ahead * 1000)
            told = replace(
                seen, at_ms=seen.at_ms + moved, server_time_ms=seen.at_ms + moved,
                sink_timestamp=seen.at_ms - round(self.age * 1000),
                past_median_time=seen.at_ms - round(self.age * 1000) - 132_000,
            )  # fmt: skip
            aside = Aside(steady=round((1e6 + self.second) * 1000))
            reading = judge(told, memories.from_json(dict(self.memory.to_json())), aside)
            self.memory = memories.from_json(dict(reading.memory))
        return reading


OLD = {"peer_clocks": offsets(0.1, connected=7_200)}
"""Peers that have long been connected: what they told was right then."""


def rare(
    interval: float, off: float, seed: int, looks: int, pace: float, since: int = 0
) -> list[NodeReading]:
    """A network that makes a block every so many seconds, by chance, and a clock that is off.

    Args:
        interval: mean seconds between two blocks.
        off: seconds that the clock is ahead, from the look number `since` on.
        seed: of the chance.
        looks: how many.
        pace: seconds between two looks.
        since: 0: the peers came then, and say so; else they told the time before.
    """
    chance, made = Random(seed), [0.0]
    while made[-1] < looks * pace + 1:
        made.append(made[-1] + chance.expovariate(1 / interval))
    return [_rare(n, n * pace, interval, off if n >= since else 0.0, made,
                  offsets(off, connected=60) if not since else OLD["peer_clocks"])
            for n in range(10, looks)]  # fmt: skip


def _rare(
    n: int, second: float, interval: float, off: float, made: list[float], peers: Any
) -> NodeReading:
    count = bisect_right(made, second)
    at = NOW + round(second * 1000)
    return following(
        second, at_ms=at + round(off * 1000), server_time_ms=at + round(off * 1000),
        network="simnet", virtual_daa_score=TIP + count, sink_daa_score=TIP + count,
        sink_timestamp=NOW + round(made[count - 1] * 1000),
        past_median_time=at - round(1_320 * interval * 1000), peer_clocks=peers, sink=str(count),
    )  # fmt: skip
