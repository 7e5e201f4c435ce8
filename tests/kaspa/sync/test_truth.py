"""What is shown of recorded real syncs, against what really happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest

from benchmarks.replay import CAUGHT_UP, Recording, Seen, Way, reading_of, watch
from benchmarks.truth import EXCERPTS, Truth, judge, recordings, ways
from kaspad_taskd.base.jsontext import dumps
from kaspad_taskd.core.model import Health, Status
from kaspad_taskd.core.observation import Reading
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.sync import gate
from kaspad_taskd.kaspa.sync.position import locate
from kaspad_taskd.kaspa.sync.settling import SPAN_S

RUST = ("ibd-rust-sync", "ibd-rust-proof", "ibd-rust-catchup")
ALL = (*RUST, "ibd-go-simnet")
WAYS = {
    "2 s": Way(2),
    "2 s, log": Way(2, log=True),
    "10 s": Way(10),
    "10 s, later": Way(10, offset=7),
    "10 s, log": Way(10, log=True),
    "10 s, reference": Way(10, reference=True),
    "2 s, restarts": Way(2, restart=7),
}


@cache
def recording(name: str) -> Recording:
    return next(each for each in recordings(EXCERPTS) if each.name == name)


@cache
def seen(name: str, way: str) -> list[Seen]:
    return list(watch(recording(name), WAYS[way]))


def truth(name: str, way: str) -> Truth:
    return judge(recording(name), seen(name, way), WAYS[way].pace)


every = pytest.mark.parametrize("name", ALL)
each_way = pytest.mark.parametrize("way", WAYS)


@every
@each_way
def test_nothing_is_shown_that_was_not_so(name: str, way: str) -> None:
    """No early "complete", no falling progress, no early 100 %, no stall, no epoch, no guess."""
    told = truth(name, way)
    wrong = (told.early, told.falls, told.hundreds, told.stalls, told.missed, told.epochs)
    assert (*wrong, told.phase, told.untold) == (0, 0, 0, 0, 0, 0, 0, 0)


@every
def test_the_gate_passes_in_no_sample_that_is_behind(name: str) -> None:
    """Whenever a look falls, it is complete only within 60 blocks of the tip."""
    passed = 0
    for sample in recording(name).samples:
        if "error" in sample:
            continue
        look = reading_of(sample)
        if gate.passes(look, locate(look), 60.0):
            passed += 1
            assert Recording.behind(sample) <= CAUGHT_UP, sample["t"]
    assert passed > 0


@pytest.mark.parametrize("name", RUST)
@each_way
def test_it_completes_soon(name: str, way: str) -> None:
    """After it has caught up, complete comes as soon as looks have spanned more than a pause."""
    delay = truth(name, way).delay
    assert delay is not None
    assert 0 <= delay <= max(2 * WAYS[way].pace, SPAN_S + WAYS[way].pace) + 2


@pytest.mark.parametrize(
    ("name", "pace", "phases"),
    [
        ("ibd-rust-sync", "2 s", "negotiating headers blocks confirming"),
        ("ibd-rust-proof", "2 s", "negotiating proof headers state_download blocks confirming"),
        ("ibd-rust-proof", "2 s, log", "proof headers smt utxo blocks confirming"),
    ],
)
def test_phases_come_in_their_order(name: str, pace: str, phases: str) -> None:
    """The phases as the node's own log tells them; a later pass may show its headers again."""
    shown: list[str] = []
    for look in seen(name, pace):
        phase = look.task.phase
        if phase is not None and phase not in shown:
            shown.append(phase)
    assert shown == phases.split()


def test_a_catch_up_keeps_to_the_phases_of_its_log() -> None:
    """The pruning point moves, the download breaks off, scores fall to 0: no phase is made up."""
    shown = {look.task.phase for look in seen("ibd-rust-catchup", "2 s, log")} - {None}
    known = {"headers", "trusted_bodies", "state_download", "utxo", "utxoindex", "blocks"}
    assert shown <= known | {"negotiating", "connecting", "confirming", "smt"}
    assert {"headers", "utxo", "blocks"} <= shown


@pytest.mark.parametrize("name", RUST)
def test_phases_do_not_flicker(name: str) -> None:
    """Headers come 1 024 at a time, seconds apart: the phase stands in between."""
    phases = [look.task.phase for look in seen(name, "2 s") if look.task.phase is not None]
    changes = sum(one != two for one, two in pairwise(phases))
    assert changes <= 10


@every
@pytest.mark.parametrize("every_k", [1, 3, 7])
def test_a_restart_of_the_daemon_changes_nothing(name: str, every_k: int) -> None:
    """Task and memory through their JSON before every k-th look: the same progress and end."""

    def told(look: Seen) -> tuple[object, ...]:
        task = look.task
        return look.second, task.status, task.percent, task.phase, task.pass_number, task.reason

    plain = [told(look) for look in seen(name, "2 s")]
    again = [told(look) for look in watch(recording(name), Way(2, restart=every_k))]
    assert again == plain


def test_passes_are_counted() -> None:
    """100 % of a pass is not the end: the next one begins, and it is said."""
    passes = [look.task.pass_number for look in seen("ibd-rust-sync", "2 s")]
    assert passes == sorted(passes)
    assert passes[-1] in (2, 3)


@every
@each_way
def test_the_memory_is_small(name: str, way: str) -> None:
    """What is kept with the task stays within 4 KiB."""
    for look in seen(name, way):
        if isinstance(look.observation, Reading):
            assert len(dumps(look.observation.memory)) <= 4096


TROUBLE: tuple[str, ...] = (
    "ibd-rust-away-10",
    "ibd-rust-cut-off",
    "ibd-rust-frozen-headers",
    "ibd-rust-slow-line",
    "ibd-rust-away-30",
    "ibd-rust-away-1",
    "ibd-rust-crash-loop",
    "ibd-rust-gossip",
    "ibd-rust-ahead-2",
    "ibd-rust-ahead-10",
    "ibd-rust-lost",
    "ibd-rust-behind-10",
    "ibd-rust-frozen-blocks",
)
"""Recordings of what goes wrong with a node (docs/truth.md)."""
KINDS = ("early", "falls", "hundreds", "stalls", "missed", "epochs", "phase", "untold")
GROUPS = ("looks", "log", "reference", "restarts", "stopped", "gossip")
CUT_OFF = frozenset({"ibd-rust-cut-off", "ibd-rust-behind-10"})
"""In these nobody at all reaches the node: no gossip to be laid over."""
NEVER = frozenset(
    f"ibd-rust-{name}" for name in ("crash-loop", "ahead-2", "ahead-10", "behind-10", "slow-line")
)
"""In these there is no end to be shown: the node never catches up, or its clock is wrong."""

RESTARTED = ("missed", "restarts")
"""Patience begins anew with the daemon: restarted within `stall_after` it never tells."""


def group(way: str) -> str:
    """To which group a way of `ways()` belongs: by the last that is said of it."""
    return way.rpartition(", ")[2] if ", " in way else "looks"


@cache
def troubled(name: str, way: str) -> Truth:
    """What is wrong where each end begins another watch."""
    found = dict(ways())[way]
    return judge(
        recording(name), list(watch(recording(name), replace(found, again=True))), found.pace
    )


def cases() -> Iterator[tuple[str, str, str]]:
    """Each recording, group of ways and kind of wrong."""
    for name in TROUBLE:
        for among in GROUPS:
            if among == "gossip" and name in CUT_OFF:
                continue
            for kind in KINDS:
                if (kind, among) != RESTARTED:
                    yield name, among, kind


@pytest.mark.parametrize(("name", "among", "kind"), list(cases()))
def test_nothing_wrong_is_shown_of_a_node_in_trouble(name: str, among: str, kind: str) -> None:
    """Whatever happens to it and however it is watched: the same zeros."""
    watched = [way for way, _ in ways() if group(way) == among]
    wrong = {way: getattr(troubled(name, way), kind) for way in watched}
    assert {way: count for way, count in wrong.items() if count} == {}


ENOUGH = 12
"""Looks of the last half from which on the time left is measured."""
HALF, FIFTH, TOLD = 0.15, 0.10, 0.40
"""The goals: median errors over the last half and the last fifth, and at how many looks."""
LESS = {
    "ibd-rust-away-10": (0.18, 0.40),
    "ibd-rust-away-30": (0.15, 0.15),
    "ibd-rust-frozen-blocks": (0.15, 0.13),
    "ibd-rust-frozen-headers": (0.15, 0.20),
    "ibd-rust-gossip": (0.30, 0.35),
    "ibd-rust-lost": (0.15, 0.13),
    "ibd-rust-sync": (0.17, 0.10),
}
"""What is reached of them where they are missed: docs/truth.md says why."""
UNKNOWN = frozenset({"ibd-rust-ahead-2", "ibd-rust-ahead-10"})
"""Their clocks are wrong, so nobody knows the tip."""


@pytest.mark.parametrize("name", [*RUST, *(name for name in TROUBLE if name not in UNKNOWN)])
def test_the_time_left_is_about_right(name: str) -> None:
    """However it is watched, over the last half and the last fifth (docs/truth.md)."""
    half, fifth = LESS.get(name, (HALF, FIFTH))
    wrong = []
    for way, _ in ways():
        told = troubled(name, way)
        if told.looks < ENOUGH:
            continue
        near = told.half is not None and told.half <= half + 0.005
        nearer = told.fifth is not None and told.fifth <= fifth + 0.005
        if not (near and nearer and told.told >= TOLD):
            wrong.append((way, told.half, told.fifth, told.told))
    assert wrong == []


def told_between(name: str, way: str, begin: float, end: float) -> list[Seen]:
    looks = watch(recording(name), dict(ways())[way])
    return [look for look in looks if begin <= look.second <= end]


@pytest.mark.parametrize("way", ["0.5 s", "2 s", "10 s", "10 s, gossip"])
def test_a_frozen_peer_is_a_standstill_until_another_one_sends(way: str) -> None:
    """Frozen at 21 s, given up at 141 s, whatever the others gossip; patience is 60 s."""
    frozen = told_between("ibd-rust-frozen-headers", way, 105, 140)
    assert {look.task.health for look in frozen} == {Health.STALLED}
    assert {
        look.task.health for look in told_between("ibd-rust-frozen-headers", way, 175, 290)
    } == {Health.OK}


@pytest.mark.parametrize("way", ["0.5 s", "2 s", "10 s"])
def test_a_crash_loop_is_named_while_it_lasts(way: str) -> None:
    """Killed every 9 s: from the seventh life on at the latest, at each answer and between."""
    looks = told_between("ibd-rust-crash-loop", way, 60, 165)
    assert all("crash-loop" in [hint.code for hint in look.task.live.hints] for look in looks)


AHEAD = ("ibd-rust-ahead-2", "ibd-rust-ahead-10")


@pytest.mark.parametrize(
    ("name", "way"),
    [(name, way) for name in AHEAD for way in ("0.5 s", "2 s", "10 s", "10 s, gossip")],
)
def test_a_clock_that_is_ahead_is_named_and_tells_nothing(name: str, way: str) -> None:
    """At the tip from 21 s on: within a minute it is said, and no lag is shown any more."""
    looks = told_between(name, way, 85, 300)
    assert {look.task.reason for look in looks} == {Reason.CLOCK_SKEW}
    assert {look.task.live.behind for look in looks} == {None}


@pytest.mark.parametrize("way", ["0.5 s", "2 s", "10 s", "2 s, log", "2 s, reference"])
def test_a_clock_that_is_behind_completes_nothing(way: str) -> None:
    """Its newest block is young by it, it says that it is synced, and it is 6 000 behind."""
    looks = told_between("ibd-rust-behind-10", way, 0, 300)
    assert {look.task.status for look in looks} == {Status.IN_PROGRESS}
    assert looks[-1].task.health is Health.STALLED


def test_a_clock_that_is_behind_is_named_where_the_log_tells() -> None:
    """Blocks too far in its future: without a peer nothing else tells it."""
    looks = told_between("ibd-rust-behind-10", "2 s, log", 70, 300)
    assert {look.task.reason for look in looks} == {Reason.CLOCK_SKEW}
