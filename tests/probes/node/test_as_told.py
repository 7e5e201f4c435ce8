"""What a node says, and what its task tells people: over the wire, in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kaspad_taskd import words
from kaspad_taskd.core.model import Health, Status, Task
from kaspad_taskd.core.reason import Reason
from tests.fakes.house import EPOCH
from tests.fakes.node import SYSTEM_ID
from tests.fakes.told_node import BPS, TIP, Says, Tells, ToldGrpc, ToldWrpc, watching

pytestmark = pytest.mark.looptime

doors = pytest.mark.parametrize("door", [ToldGrpc, ToldWrpc])


def now_ms() -> int:
    """The house's wall clock."""
    return EPOCH + int(asyncio.get_running_loop().time() * 1000)


def at_tip(second: float, **other: Any) -> Says:
    """A node that follows the network."""
    moved = round(second * BPS)
    values = {
        "score": TIP + moved, "counts": 5_000 + moved, "rx": 1_000_000 + round(second * 20_000),
        **other,
    }  # fmt: skip
    return Says(now_ms=now_ms(), **values)


def hints(task: Task) -> dict[str, str]:
    """What is said to be wrong, and what to do, by code."""
    found = task.live.hints
    return {each.code: " ".join(map(str, words.hint(each.code, each.params))) for each in found}


def everything(task: Task) -> str:
    """All sentences that people read of it."""
    note = words.note(task.reason, task.live.params) if task.reason else ""
    return " ".join([note, *hints(task).values()])


# A download that begins and ends


def toggling(turn_s: float, kb: int, behind_s: int = 2040, peers: int = 8) -> Tells:
    """Half an hour behind, and peer after peer begins a download that ends at once."""

    def tells(second: float) -> Says:
        turn = int(second // turn_s)
        return Says(
            TIP - behind_s * BPS, now_ms(), behind_s + second, False, peers,
            turn % peers if turn % 2 else None, rx=1_000_000 + kb * 1000 * turn,
        )  # fmt: skip

    return tells


@doors
@pytest.mark.parametrize(
    ("turn_s", "kb", "behind_s", "interval"),
    [(2.0, 40, 2040, 1.0), (5.0, 60, 90_000, 2.0)],
)
async def test_downloads_that_end_at_once_are_no_movement(
    door: type[Any], turn_s: float, kb: int, behind_s: int, interval: float
) -> None:
    """Stalled, though phases flip and some kB come each time; a proof is not made up from it."""
    tells = toggling(turn_s, kb, behind_s)
    async with watching(tells, door, interval=interval, stall_after=10.0) as node:
        await node.until(9.0)
        assert {task.health for task in node.seen} == {Health.OK}
        await node.until(16.0)
        known = len(node.seen) - 1
        await node.until(60.0)
    assert {task.health for task in node.seen[known:]} == {Health.STALLED}
    assert {task.phase for task in node.seen} <= {"connecting", "negotiating"}


# A clock that is wrong


def skewed(off_s: float, **other: Any) -> Tells:
    """At the tip on a host whose clock is ahead by so much (behind: negative)."""
    told: dict[str, Any] = {
        "age": off_s + 0.3, "offsets": round(off_s * 1000), "synced": abs(off_s) < 660, **other,
    }  # fmt: skip
    return lambda second: at_tip(second, **told)


@doors
@pytest.mark.parametrize("off_s", [120.0, 66.0, 86_400.0, -90.0, -300.0])
@pytest.mark.parametrize("connected_s", [60, 3_600])
async def test_a_wrong_clock_is_said_and_nothing_is_complete(
    door: type[Any], off_s: float, connected_s: int
) -> None:
    """The node has the newest block, by a clock that all its peers call wrong."""
    tells = skewed(off_s, connected_ms=connected_s * 1000)
    async with watching(tells, door) as node:
        await node.until(60.0)
    assert node.task.status is Status.IN_PROGRESS
    (code,) = hints(node.task)
    assert code == "clock-skew"
    assert node.task.reason is Reason.CLOCK_SKEW
    assert "timedatectl" in everything(node.task)
    way = "ahead" if off_s > 0 else "behind"
    assert way in everything(node.task)
    assert Status.COMPLETE not in {task.status for task in node.seen}


# A node that keeps more than others do


async def test_what_a_node_keeps_changes_no_percent() -> None:
    """An archive and a node that keeps 30 days are as far as a pruned one."""
    shown = []
    for blocks in (1_200_000, 26_000_000, 300_000_000):

        def tells(second: float, blocks: int = blocks) -> Says:
            late = 3_600 - second * 20
            return at_tip(
                second, score=TIP - round(late * BPS), age=late, synced=False, ibd=0,
                blocks=blocks, ahead=9_000,
            )  # fmt: skip

        async with watching(tells) as node:
            await node.until(30.0)
        shown.append([(task.phase, task.percent, task.live.shown) for task in node.seen])
    assert shown[0] == shown[1] == shown[2]
    assert shown[0][-1][0] == "blocks"


# A node that ends again and again


def flapping(up_s: float, down_s: float, system: str | None = SYSTEM_ID) -> Tells:
    """A fresh node that ends amid its proof, and is started anew, its counters from 0."""

    def tells(second: float) -> Says | None:
        life, into = divmod(second, up_s + down_s)
        if into >= up_s:
            return None
        return Says(
            1_312_860, now_ms(), 5 * 365 * 86_400, False, 1, 0, blocks=0, counts=0,
            rx=round(5_000 + 400_000 * into), disk=round(1_000 * into),
            connected_ms=round(into * 1000), p2p_id=f"5b1c7c3e-0c55-4d0a-9d2a-{round(life):012}",
            system_id=system,
        )  # fmt: skip

    return tells


@doors
@pytest.mark.parametrize(
    ("up_s", "down_s", "interval"),
    [(6.0, 3.0, 1.0), (20.0, 10.0, 2.0), (2.0, 1.0, 0.25)],
)
@pytest.mark.parametrize("system", [SYSTEM_ID, None])
async def test_a_node_that_ends_again_and_again_is_told_so(
    door: type[Any], up_s: float, down_s: float, interval: float, system: str | None
) -> None:
    """By its third start, whether it is up or down just then; no other program is suspected."""
    turn = up_s + down_s
    async with watching(flapping(up_s, down_s, system), door, interval=interval) as node:
        await node.until(3 * turn + 5.0)
        known = len(node.seen)
        await node.until(5 * turn)
    for task in node.seen[known:]:
        assert task.reason is Reason.CRASH_LOOP, (task.reason, task.health)
        came_to = "checking the proof" if up_s >= 20 else "connecting"
        assert f"the step it came to: {came_to}." in hints(task)["crash-loop"]
        assert "another program" not in everything(task)
        assert "address and the port" not in everything(task)


# Headers in staging live as long as the connection that brings them


@doors
@pytest.mark.parametrize("anew", [True, False])
async def test_a_peer_that_is_back_before_the_next_look_took_the_headers_along(
    door: type[Any], anew: bool
) -> None:
    """The only peer, its identity the same; each look is of a moment with a download."""

    def tells(second: float) -> Says:
        connected = second + 60 if second < 65 or not anew else second - 62
        return Says(
            1_312_860, now_ms(), 5 * 365 * 86_400, False, 1, 0, blocks=0,
            counts=3_000 + round(500 * second), rx=round(1_000_000 + 50_000 * second),
            connected_ms=round(connected * 1000),
        )  # fmt: skip

    async with watching(tells, door, interval=10.0, stall_after=600.0) as node:
        await node.until(120.0)
    assert node.task.phase == "headers"
    assert node.task.epoch.number == (2 if anew else 1)


# Several nodes behind one name


def pool(every: float, behind_s: int, names: bool = True, nodes: int = 2) -> Tells:
    """Another node answers every so often: the first at the tip, others behind it."""

    def tells(second: float) -> Says:
        which = int(second // every) % nodes
        late = which * behind_s
        return at_tip(
            second, score=TIP + round(second * BPS) - late * BPS, age=late + 0.3, synced=late < 600,
            p2p_id=f"5b1c7c3e-0c55-4d0a-9d2a-{which:012}",
            system_id=f"{which:064x}" if names else None,
        )  # fmt: skip

    return tells


@doors
@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize(("every", "behind_s", "nodes"), [(4.0, 7200, 2), (5.0, 86_400, 3)])
async def test_nodes_that_take_turns_lose_no_data(
    door: type[Any], names: bool, every: float, behind_s: int, nodes: int
) -> None:
    """Another answered: no epoch, no restart, and it is said."""
    async with watching(pool(every, behind_s, names, nodes), door) as node:
        await node.until(130.0)
    assert {task.epoch.number for task in node.seen} == {1}
    assert Reason.CRASH_LOOP not in {task.reason for task in node.seen}
    assert "several-nodes" in hints(node.task)


# Another protocol on the port


@pytest.mark.parametrize(("door", "asked"), [(ToldGrpc, "ws"), (ToldWrpc, "grpc")])
async def test_a_crossed_port_fails_after_a_minute_and_keeps_its_cure(
    door: type[Any], asked: str
) -> None:
    """Refused while it may pass; then it has failed, and what to write is still said."""
    async with watching(at_tip, door, scheme=asked) as node:
        await node.until(58.0)
        assert {task.status for task in node.seen} == {Status.IN_PROGRESS}
        assert {task.reason for task in node.seen} == {Reason.WRONG_PROGRAM}
        await node.until(64.0)
    assert node.task.status is Status.ERROR
    right = "grpc" if door is ToldGrpc else "ws"
    assert f"Write {right}://" in hints(node.task)["other-protocol"]
