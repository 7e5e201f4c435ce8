"""Which node answered: the same, one started anew, or another behind the same name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.sync import hints
from kaspad_taskd.kaspa.sync import memory as memories
from kaspad_taskd.kaspa.sync.identity import Loop, loop
from kaspad_taskd.kaspa.sync.memory import Memory
from kaspad_taskd.kaspa.sync.reading import NodeReading
from kaspad_taskd.kaspa.sync.story import Story
from tests.kaspa.sync.node import NOW, completes, following, run

LOW = 72_000
"""Blocks: two hours, far beyond what may be lost without an epoch."""


def epochs(looks: list[NodeReading]) -> list[str]:
    return [each.epoch for each in run(looks) if each.epoch is not None]


def low(second: float, **other: Any) -> NodeReading:
    return following(second, 7200, LOW, is_synced=False, **other)


def test_another_node_behind_the_same_name_has_lost_nothing() -> None:
    """Its own id, or one that comes back: a restart never brings one back."""
    by_system = [
        following(n * 4) if n % 2 else low(n * 4, system_id="other", p2p_id="b") for n in range(40)
    ]
    assert epochs(by_system) == []
    assert "several-nodes" in [hint.code for hint in run(by_system)[-1].hints]
    by_p2p = [
        replace(following(n * 4), system_id=None)
        if n % 2
        else low(n * 4, system_id=None, p2p_id="b")
        for n in range(40)
    ]
    assert epochs(by_p2p) == []


@pytest.mark.parametrize("turn", [1, 3, 10])
def test_two_nodes_of_one_host_lose_nothing_once_both_are_known(turn: int) -> None:
    """They share a system id; a p2p id that comes back is another node, held to its own best."""
    looks = [
        following(n * 2) if n // turn % 2 else low(n * 2, p2p_id="b") for n in range(2, 20 * turn)
    ]
    known = [each.epoch for each in run(looks)][3 * turn :]
    assert set(known) == {None}


def test_another_node_that_stays_has_lost_nothing_either() -> None:
    """Each node is held against its own best."""
    looks = [following(0), *(low(10.0 * n, system_id="other", p2p_id="b") for n in range(1, 40))]
    assert epochs(looks) == []
    assert epochs([*looks, low(500, system_id="other", p2p_id="b", virtual_daa_score=10**8,
                               sink_daa_score=10**8)]) == ["db-reset"]  # fmt: skip


def test_the_same_node_started_anew_and_far_lower_has_lost_its_data() -> None:
    """A new p2p id with the same system id is a restart."""
    assert epochs([following(0), low(10, p2p_id="b")]) == ["db-reset"]


def test_a_node_that_does_not_say_who_it_is_gets_two_minutes() -> None:
    """The lower score has to last; another node may be gone again by then."""
    nameless: dict[str, Any] = {"system_id": None, "p2p_id": None}
    looks = [following(0, **nameless), *(low(10.0 * n, **nameless) for n in range(1, 14))]
    assert epochs(looks[:12]) == []
    assert epochs(looks) == ["db-reset"]
    assert epochs([*looks[:12], following(130, **nameless), low(140, **nameless)]) == []


def life(begin: float, p2p: str, seconds: int = 6) -> list[NodeReading]:
    """A fresh node amid its proof, its counters from 0, for some seconds."""
    return [
        replace(
            low(begin + second), p2p_id=p2p, virtual_daa_score=1_312_860, sink_daa_score=0,
            ibd_peers=1, peers=1, block_count=0, header_count=0, header_counts=0,
            p2p_rx_bytes=5_000 * second,
        )
        for second in range(1, seconds + 1)
    ]  # fmt: skip


@pytest.mark.parametrize("ids", [("a", "b", "c", "d"), ("", "", "", "")])
def test_a_node_that_ends_again_and_again_is_said_by_its_third_start(ids: tuple[str, ...]) -> None:
    """By its ids, or where it tells none by counters that begin anew."""
    looks: list[NodeReading] = []
    for n, each in enumerate(ids):
        looks += [replace(look, p2p_id=each or None) for look in life(9.0 * n, each)]
        last = run(looks)[-1]
        memory = memories.from_json(last.memory)
        assert (last.reason is Reason.CRASH_LOOP) == (n >= 2)
        down = hints.unreachable(memory, {}, looks[-1].at_ms + 2_000)
        assert [hint.code for hint in down] == (["crash-loop"] if n >= 2 else [])
    assert last.params == {"count": 3, "phase": "negotiating"}


def test_an_operators_restarts_are_no_loop() -> None:
    """Two in an hour, each running for long; and a loop that is over is not said for ever."""
    looks = [
        *(following(60.0 * n, p2p_id="a") for n in range(10)),
        *(following(60.0 * n, p2p_id="b") for n in range(10, 30)),
        *(following(60.0 * n, p2p_id="c") for n in range(30, 40)),
    ]
    assert {each.reason for each in run(looks)} == {None}
    ended = [each for n, name in enumerate("abcd") for each in life(9.0 * n, name)]
    memory = memories.from_json(run(ended)[-1].memory)
    assert loop(memory, NOW + 60_000)
    assert loop(memory, NOW + 3_000_000) is None


def test_restarts_of_others_do_not_count() -> None:
    """Nodes of a pool that take turns are no crash loop."""
    looks = [following(4.0 * n, system_id="ab"[n % 2], p2p_id="ab"[n % 2]) for n in range(40)]
    assert Reason.CRASH_LOOP not in {each.reason for each in run(looks)}
    assert not completes(looks)


def test_the_log_tells_starts_that_no_look_saw() -> None:
    """Three within minutes are a loop; the same of a node that somebody stops are none."""
    starts = (NOW - 60_000, NOW - 40_000, NOW - 20_000)
    panicked = Memory(story=Story(starts=starts, death="panic"))
    assert loop(panicked, NOW) == Loop(2, None)
    assert hints.gone(panicked, Reason.REFUSED, NOW) is Reason.CRASH_LOOP
    assert [each.code for each in hints.unreachable(panicked, {}, NOW)][-1] == "crash-loop"
    full = Memory(story=Story(starts=starts, death="no-space"))
    assert hints.gone(full, Reason.REFUSED, NOW) is Reason.DISK_FULL
    stopped = Memory(story=Story(starts=starts, death="stopped"))
    assert hints.gone(stopped, Reason.REFUSED, NOW) is Reason.REFUSED
