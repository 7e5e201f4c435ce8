"""How fast headers come, as later passes are reckoned with; and a whole way's time left."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from kaspad_taskd.core.model import Task
from kaspad_taskd.core.reason import EtaReason
from kaspad_taskd.kaspa.sync.judge import MEASURED_S
from kaspad_taskd.kaspa.sync.reading import NodeReading
from tests.kaspa.sync.node import BPS, following, run, watched

BEHIND = 100_000
CHUNK = 1_024
EVERY = 4.0
"""Seconds that a chunk of headers takes."""
HEADERS = CHUNK / EVERY
BLOCKS = 150.0


def syncing(second: float, headers: float, blocks: float = 0) -> NodeReading:
    """A node at that second that was `BEHIND` at 0, and has got so much since."""
    score = following(0, behind=BEHIND).virtual_daa_score + int(blocks)
    age = (BEHIND + BPS * second - blocks) / BPS
    known = 1_100_000
    return following(
        second,
        age=age,
        virtual_daa_score=score,
        sink_daa_score=score,
        block_count=known + int(blocks),
        header_count=known + int(max(headers, blocks)),
        header_counts=int(max(headers, blocks)),
        body_counts=int(blocks),
        is_synced=False,
        ibd_peers=1,
        ibd_peer="p",
    )


def headers_at(second: float) -> float:
    """Chunk by chunk."""
    return CHUNK * (second // EVERY)


def speed(looks: Iterable[NodeReading]) -> float:
    """Headers a second as the memory has them after these looks."""
    memory = run(looks)[-1].memory
    assert memory["headers_s"] >= MEASURED_S
    return float(memory["headers_n"] / memory["headers_s"])


@pytest.mark.parametrize("pace", [0.5, 1.0, 2.0, 5.0, 10.0])
def test_headers_come_as_fast_as_they_do(pace: float) -> None:
    """A thousand every four seconds, however often somebody looks."""
    looks = [syncing(n * pace, headers_at(n * pace)) for n in range(int(100 / pace))]
    assert speed(looks) == pytest.approx(HEADERS, rel=0.1)


@pytest.mark.parametrize("pace", [0.5, 2.0, 10.0])
@pytest.mark.parametrize("stood", [30.0, 120.0])
def test_a_freeze_is_no_slower_speed(pace: float, stood: float) -> None:
    """Neither its first twenty seconds nor the rest of it: the line stood."""
    moving = [n * pace for n in range(int(60 / pace))]
    frozen = [moving[-1] + n * pace for n in range(1, int(stood / pace))]
    after = [frozen[-1] + n * pace for n in range(1, int(60 / pace))]
    looks = [syncing(second, headers_at(second)) for second in moving]
    looks += [syncing(second, headers_at(moving[-1])) for second in frozen]
    shift = frozen[-1] - moving[-1]
    looks += [syncing(second, headers_at(second - shift)) for second in after]
    assert speed(looks) == pytest.approx(HEADERS, rel=0.1)


@pytest.mark.parametrize("gap", [40.0, 100.0, 600.0])
def test_a_gap_tells_no_speed(gap: float) -> None:
    """While nobody looked the headers may have ended: their average over it is no speed."""
    looks = [syncing(n * 2.0, headers_at(n * 2.0)) for n in range(30)]
    begin, end = looks[-1], headers_at(60.0)
    after = (begin.at_ms - looks[0].at_ms) / 1000 + gap
    looks += [syncing(after + n * 2.0, end, 500 + BLOCKS * 2 * n) for n in range(30)]
    assert speed(looks) == pytest.approx(HEADERS, rel=0.1)
    looks[30:] = [syncing(after, end + CHUNK)]
    assert speed(looks) == pytest.approx(HEADERS, rel=0.1)


def test_headers_of_a_later_pass_count_too() -> None:
    """Their phase may be too short to be seen; their speed is that of the passes to come."""
    looks = [syncing(n * 2.0, headers_at(n * 2.0)) for n in range(20)]
    top = headers_at(38.0)
    ends = 40 + top / BLOCKS
    looks += [
        syncing(second, top, min(top, BLOCKS * (second - 40)))
        for second in range(40, int(ends) + 4, 2)
    ]
    before = run(looks)[-1].memory
    begin = int(ends) + 6
    looks += [syncing(begin + n * 2.0, top + headers_at(n * 2.0), top) for n in range(6)]
    after = run(looks)[-1].memory
    assert after["headers_n"] > before["headers_n"]
    assert after["headers_n"] / after["headers_s"] == pytest.approx(HEADERS, rel=0.2)


def way(pace: float) -> list[NodeReading]:
    """Headers up to the tip, then blocks: a pass of a long way."""
    seconds, lasts = 0.0, BEHIND / HEADERS
    looks = []
    while seconds < lasts + 120:
        blocks = max(0.0, BLOCKS * (seconds - lasts))
        looks.append(syncing(seconds, min(BEHIND, headers_at(seconds)), blocks))
        seconds += pace
    return looks


def left(task: Task, second: float) -> float:
    """What the time left of this way should be: a pass, then what grew meanwhile."""
    lasts = BEHIND / HEADERS
    this = lasts + BEHIND / BLOCKS - second
    both = 1 / (1 / HEADERS + 1 / BLOCKS)
    return this + BPS * (this + second) / (both - BPS)


@pytest.mark.parametrize("pace", [1.0, 2.0, 10.0])
def test_time_left_is_told_early_and_right(pace: float) -> None:
    """Half a minute of blocks is enough, and it is right within 5 %."""
    looks = way(pace)
    begun = BEHIND / HEADERS
    told = 0
    for look, task in zip(looks, watched(looks), strict=True):
        second = (look.at_ms - looks[0].at_ms) / 1000
        if second > begun + 15 + 2 * pace:
            assert task.live.eta == pytest.approx(left(task, second), rel=0.05), second
            told += 1
        elif second < begun:
            assert task.live.eta is None
            assert task.live.eta_reason is EtaReason.WARMING_UP
    assert told
