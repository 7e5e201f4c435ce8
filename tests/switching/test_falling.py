"""Services that leave a node that is lost or behind, and come back: in virtual hours and days."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise

import pytest

from kaspad_taskd.core.attention import AttentionCode, ServiceState, Sight
from kaspad_taskd.core.fallback import PublicLook, PublicState, Why
from kaspad_taskd.core.inputs import Pause, Redefine, Start
from kaspad_taskd.core.model import Health, Origin, Status, Task
from kaspad_taskd.core.observation import Following, Reading, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.switch import Side, Switch, SwitchReason, SwitchState
from kaspad_taskd.store.memory import MemoryStore
from kaspad_taskd.switching.declared import watching_task
from kaspad_taskd.switching.hands import Bad
from tests.fakes.hands import World, service
from tests.fakes.house import EPOCH, House, definition
from tests.switching.test_kills import MortalStore, die

pytestmark = pytest.mark.looptime
LOCAL, PUBLIC = Side.LOCAL, Side.PUBLIC
GONE = Unreachable(Reason.REFUSED)
FALLS = service(fallback="public")
MINUTE, HOUR = 60.0, 3600.0


class Calm(House):
    """A house whose followers are reminded rarely: hours go by sooner."""

    async def _pulse(self) -> None:
        while True:
            await asyncio.sleep(60)
            self.board.pulse()


class Node:
    """A node on watch, in the state of a word, with new blocks as long as there are any."""

    def __init__(self, built: House) -> None:
        self.built, self.score, self.word = built, 1000, "ok"
        built.probe("node").default = self.says()

    def says(self) -> Reading | Unreachable:
        if self.word == "gone":
            return GONE
        self.score += 0 if self.word == "still" else 300
        off = self.word == "clock"
        told = Following(str(self.score), self.score, 10.0, True, clock_off=off)
        return Reading(complete=self.word == "ok", following=told, behind=840.0)

    async def be(self, word: str, minutes: float, step: float = 15.0) -> None:
        """Let time pass in this state."""
        self.word, left = word, minutes * MINUTE
        while left > 0:
            self.built.probe("node").default = self.says()
            await asyncio.sleep(min(step, left))
            left -= step


async def register(built: House) -> Node:
    node = Node(built)
    known = definition(
        "node", type="node-sync", keep_watching=True, origin=Origin.API, confirmations=1,
        checker={"url": "grpc://localhost:16110"},
    )  # fmt: skip
    await built.roster.register(known)
    return node


@asynccontextmanager
async def home(
    store: MemoryStore | None = None, **more: object
) -> AsyncIterator[tuple[House, Node]]:
    """A service on the local node, where it was brought when that had completed."""
    async with next_day(store or MemoryStore(_now), World()) as (built, node):
        built.services["kasia"] = replace(FALLS, **more)  # type: ignore[arg-type]
        node = await register(built)
        await node.be("ok", 1)
        assert where(built) is LOCAL
        yield built, node


def _now() -> int:
    return EPOCH + int(asyncio.get_running_loop().time() * 1000)


def where(built: House) -> Side:
    file, runs = built.hands.world.where("kasia")
    assert file is runs
    return file


def flips(built: House) -> list[Switch]:
    return [each for each in reversed(built.engine.switches.of("kasia")) if each.by == "fallback"]


def why(built: House) -> Why | None:
    return built.switcher.falling.state("kasia").verdict.why


@pytest.mark.parametrize("word", ["gone", "bad", "still"])
async def test_it_goes_to_the_public_node_and_comes_back(word: str) -> None:
    """After ten minutes, and after thirty in sync; by the same switch, told as a fallback's."""
    async with home() as (built, node):
        await node.be(word, 9)
        assert where(built) is LOCAL
        await node.be(word, 16)
        assert where(built) is PUBLIC
        (fell,) = flips(built)
        assert (fell.state, fell.to, fell.task_id) == (SwitchState.DONE, PUBLIC, "node")
        task = built.task("node")
        assert fell.because["health"] == str(task.health)
        await node.be("ok", 29)
        assert where(built) is PUBLIC
        await node.be("ok", 4)
        assert where(built) is LOCAL
        assert [each.to for each in flips(built)] == [PUBLIC, LOCAL]
        assert built.hands.public_looks == 1


async def test_by_default_it_stays() -> None:
    """And nobody looks at a public node for it."""
    async with home(fallback="stay") as (built, node):
        await node.be("gone", 120)
        assert where(built) is LOCAL
        assert (flips(built), built.hands.public_looks) == ([], 0)


async def test_a_short_trouble_moves_nobody() -> None:
    """Nor several of them: each begins anew."""
    async with home() as (built, node):
        for _ in range(20):
            await node.be("gone", 8)
            await node.be("ok", 2)
        assert (flips(built), where(built)) == ([], LOCAL)


async def test_one_trouble_may_become_another() -> None:
    """It is the same to the service."""
    async with home() as (built, node):
        await node.be("gone", 6)
        await node.be("bad", 6)
        assert where(built) is PUBLIC


async def test_a_relapse_counts_and_its_end_brings_nobody_back() -> None:
    """It comes back by its own time alone."""
    async with home() as (built, node):
        built.probe("node").default = replace(node.says(), complete=False, epoch="db-reset")  # type: ignore[arg-type]
        await built.monitors.check("node")
        assert built.task("node").because == "db-reset"
        await node.be("bad", 12)
        assert built.task("node").status is Status.IN_PROGRESS
        assert where(built) is PUBLIC
        assert flips(built)[0].because["health"] == "behind"
        await node.be("ok", 5)
        assert built.task("node").status is Status.COMPLETE
        assert where(built) is PUBLIC
        await node.be("ok", 30)
        assert where(built) is LOCAL


async def test_a_wrong_clock_and_a_pause_move_nobody() -> None:
    """Nobody knows how the node is."""
    async with home() as (built, node):
        await node.be("clock", 60)
        assert (flips(built), where(built)) == ([], LOCAL)
        assert why(built) is Why.NODE_UNKNOWN
        await node.be("ok", 2)
        await node.be("gone", 5)
        await built.engine.act("node", Pause())
        await node.be("gone", 60)
        assert why(built) is Why.NODE_UNKNOWN
        await built.engine.act("node", Start())
        await node.be("gone", 9)
        assert flips(built) == []
        await node.be("gone", 3)
        assert where(built) is PUBLIC


async def test_a_network_without_blocks_moves_nobody() -> None:
    """Before something shows that it goes on."""
    async with home() as (built, node):
        built.hands.public_look = PublicLook(PublicState.OPEN)
        await node.be("still", 90)
        assert built.task("node").reason is Reason.NETWORK_STANDS_STILL
        assert (flips(built), why(built)) == ([], Why.STANDS_STILL)
        built.hands.public_look = PublicLook(PublicState.GOOD)
        await node.be("still", 3)
        assert where(built) is PUBLIC


async def test_a_bad_public_node_keeps_it_and_is_asked_again() -> None:
    """It is said so where the service is told to need somebody; when it is good, it goes."""
    async with home() as (built, node):
        facts = {"address": "kaspa.example.org:443"}
        built.hands.public_look = PublicLook(PublicState.SILENT, facts)
        seen = Sight(built.now(), ServiceState.RUNNING, node=False, node_health=Health.UNREACHABLE)
        built.hands.sights["kasia"] = seen
        await node.be("gone", 15)
        assert (flips(built), why(built)) == ([], Why.PUBLIC_SILENT)
        assert 3 <= built.hands.public_looks <= 6
        stood = built.engine.attentions.of("kasia")
        assert stood is not None
        assert stood.code is AttentionCode.NODE_LOST
        assert stood.params["stays"] == "public-silent"
        assert stood.params["public"] == "kaspa.example.org:443"
        built.hands.public_look = PublicLook(PublicState.GOOD)
        await node.be("gone", 2)
        assert where(built) is PUBLIC


async def test_held_it_stays_and_let_go_it_goes() -> None:
    """Either way; `auto = false` is a hold in the settings."""
    async with home() as (built, node):
        await built.switcher.hold("kasia", hold=True)
        await node.be("gone", 60)
        assert (flips(built), why(built)) == ([], Why.HELD)
        await built.switcher.hold("kasia", hold=False)
        await node.be("gone", 1)
        assert where(built) is PUBLIC
        await built.switcher.hold("kasia", hold=True)
        await node.be("ok", 120)
        assert where(built) is PUBLIC
    async with home() as (built, node):
        built.services["kasia"] = replace(FALLS, auto=False)
        await node.be("gone", 60)
        assert (flips(built), why(built)) == ([], Why.MANUAL)


async def test_what_a_person_put_to_public_stays() -> None:
    """Though the node is in sync for hours."""
    async with home() as (built, node):
        await built.switcher.switch("kasia", PUBLIC)
        await built.switcher.idle("kasia")
        await node.be("ok", 6 * 60, 60)
        assert (flips(built), where(built), why(built)) == ([], PUBLIC, Why.BY_PERSON)


async def test_who_turns_a_return_round_has_decided() -> None:
    """It stays where they want it."""
    async with home() as (built, node):
        await node.be("gone", 12)
        await node.be("ok", 29)
        built.hands.takes["verify local"] = 60.0
        while not built.switcher.busy("kasia"):
            await node.be("ok", 0.1, 5)
        await node.be("ok", 0.5, 5)
        await built.switcher.switch("kasia", PUBLIC)
        await built.switcher.idle("kasia")
        last = flips(built)[-1]
        assert (last.to, last.state, last.reason) == (LOCAL, "undone", SwitchReason.CANCELLED)
        await node.be("ok", 3 * 60, 60)
        assert (where(built), why(built)) == (PUBLIC, Why.BY_PERSON)


async def test_a_day_has_four_of_which_the_last_leads_to_public() -> None:
    """A node that comes and goes: there, back, there, and no further; after a day it is back."""
    async with home() as (built, node):
        for _ in range(8):
            await node.be("gone", 15, 30)
            await node.be("ok", 45, 30)
        assert [each.to for each in flips(built)] == [PUBLIC, LOCAL, PUBLIC]
        assert why(built) is Why.FLIPS
        await node.be("ok", 17 * 60, 300)
        assert [each.to for each in flips(built)] == [PUBLIC, LOCAL, PUBLIC, LOCAL]
        assert where(built) is LOCAL


async def test_one_that_is_undone_counts_and_waits() -> None:
    """It is tried again as late as the first time; after four it stays, and says so."""
    async with home() as (built, node):
        built.hands.bad["check"] = Bad(SwitchReason.HELPER_MISSING, touched=False)
        await node.be("gone", 19)
        assert [each.state for each in flips(built)] == [SwitchState.UNDONE]
        await node.be("gone", 50)
        begun = [each.started_at for each in flips(built)]
        assert len(begun) == 4
        apart = [late - early for early, late in pairwise(begun)]
        assert all(each >= 600_000 for each in apart)
        assert (where(built), why(built)) == (LOCAL, Why.FLIPS)


async def test_one_that_ends_with_neither_node_is_left_to_people() -> None:
    """Nothing is done on top of it."""
    async with home() as (built, node):
        built.hands.bad["verify public"] = Bad(SwitchReason.NO_ANSWER)
        built.hands.bad["verify local"] = Bad(SwitchReason.NO_ANSWER)
        await node.be("gone", 120)
        assert [each.state for each in flips(built)] == [SwitchState.FAILED]
        assert why(built) is Why.UNDO_FAILED


async def test_a_full_disk_delays_it() -> None:
    """What cannot be put on record is not begun."""
    async with home() as (built, node):
        await node.be("gone", 9)
        built.store.fail_next("the disk is full")
        await node.be("gone", 4)
        assert where(built) is PUBLIC
        assert len(flips(built)) == 1


# -- restarts


@asynccontextmanager
async def next_day(store: MemoryStore, world: World) -> AsyncIterator[tuple[House, Node]]:
    """Another daemon on what the last one has left."""
    built = Calm(store)
    built.services["kasia"] = FALLS
    built.hands.world = world
    node = Node(built)
    built.start()
    try:
        yield built, node
    finally:
        await built.stop()


@pytest.mark.parametrize("killed", [False, True])
async def test_a_restart_goes_on_counting(killed: bool) -> None:
    """A minute is lost at the most, there and back."""
    async with home() as (built, node):
        await node.be("gone", 7)
        store, world = built.store, built.hands.world
        await die(built) if killed else await built.stop()
        await asyncio.sleep(5)
        async with next_day(store, world) as (second, other):
            await other.be("gone", 2.5)
            assert flips(second) == []
            await other.be("gone", 3)
            assert where(second) is PUBLIC
            await other.be("ok", 20)
        await asyncio.sleep(5)
        async with next_day(store, world) as (third, other):
            await other.be("ok", 9)
            assert where(third) is PUBLIC
            await other.be("ok", 4)
            assert where(third) is LOCAL


async def test_what_nobody_saw_does_not_count() -> None:
    """A daemon that was stopped for days begins anew, in trouble and in sync."""
    async with home() as (built, node):
        await node.be("gone", 9)
        store, world = built.store, built.hands.world
        await built.stop()
        await asyncio.sleep(3 * 24 * HOUR)
        async with next_day(store, world) as (second, other):
            await other.be("gone", 9)
            assert flips(second) == []
            await other.be("gone", 3)
            assert where(second) is PUBLIC
            await other.be("ok", 25)
        await asyncio.sleep(3 * 24 * HOUR)
        async with next_day(store, world) as (third, other):
            await other.be("ok", 29)
            assert where(third) is PUBLIC
            await other.be("ok", 3)
            assert where(third) is LOCAL


async def test_nothing_follows_before_a_look_of_this_run() -> None:
    """What is on record says how the node was: a look that hangs says nothing of now."""
    async with home() as (built, node):
        built.hands.public_look = PublicLook(PublicState.SILENT)
        await node.be("gone", 12)
        store, world = built.store, built.hands.world
        await built.stop()
        async with next_day(store, world) as (second, other):
            second.hands.public_look = PublicLook(PublicState.SILENT)
            second.probe("node").takes = 3600.0
            await asyncio.sleep(2)
            second.engine.attach(jumped=False)  # the table changes, and nobody has looked
            await asyncio.sleep(2)
            assert (flips(second), why(second)) == ([], Why.NODE_UNKNOWN)
            second.hands.public_look = PublicLook(PublicState.GOOD)
            second.probe("node").takes = 0.0
            await second.monitors.check("node")
            await other.be("gone", 2)
            assert where(second) is PUBLIC


async def test_nothing_follows_where_nobody_looks_any_more() -> None:
    """Whatever the last look saw, minutes ago."""
    async with home() as (built, node):
        built.hands.public_look = PublicLook(PublicState.SILENT)
        await node.be("gone", 12)
        built._running[0].cancel()  # the looks
        await asyncio.sleep(4 * MINUTE)
        built.hands.public_look = PublicLook(PublicState.GOOD)
        await asyncio.sleep(10 * MINUTE)
        assert (flips(built), why(built)) == ([], Why.NODE_UNKNOWN)


async def test_a_clock_that_leaps_counts_nothing() -> None:
    """Ahead by an hour, in the middle of a trouble: it begins anew."""
    leap = 0

    def now() -> int:
        return EPOCH + leap + int(asyncio.get_running_loop().time() * 1000)

    built = Calm(now=now)
    built.services["kasia"] = FALLS
    built.start()
    try:
        node = await register(built)
        await node.be("ok", 1)
        await node.be("gone", 5)
        leap = 3_600_000
        await node.be("gone", 8)
        assert flips(built) == []
        await node.be("gone", 4)
        assert where(built) is PUBLIC
    finally:
        await built.stop()


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("number", range(1, 6))
async def test_killed_at_any_record_it_ends_on_one_side(number: int, keep: bool) -> None:
    """The next daemon goes on with it, or begins it: once."""
    store = MortalStore(_now)
    built = Calm(store)
    built.services["kasia"] = FALLS
    built.start()
    node = await register(built)
    await node.be("ok", 1)
    store.left, store.keep = number, keep
    await node.be("gone", 12)
    assert store.killed.is_set()
    await die(built)
    store.killed.clear()
    store.left = -1
    async with next_day(store, built.hands.world) as (second, other):
        await other.be("gone", 12)
        assert where(second) is PUBLIC
        (only,) = flips(second)
        assert only.state is SwitchState.DONE
        assert built.hands.world.restarts == [LOCAL, PUBLIC]


# -- any history

WORDS = ("ok", "ok", "gone", "bad", "still", "clock", "restart", "kill", "off")


@pytest.mark.parametrize("seed", range(4))
async def test_no_history_breaks_a_promise(seed: int) -> None:
    """At most four a day, each in its time, none for what nobody saw; the last to public."""
    chance, log = random.Random(seed), list[tuple[int, str]]()
    store, world = (
        MemoryStore(_now),
        World(),
    )
    async with next_day(store, world) as (built, _):
        node = await register(built)
        await node.be("ok", 2)
    while len(log) < 30:
        async with next_day(store, world) as (built, node):
            word = "ok"
            while word not in ("restart", "kill", "off"):
                word, minutes = chance.choice(WORDS), chance.choice((1, 8, 12, 35, 60))
                log.append((built.now(), word))
                if word not in ("restart", "kill", "off"):
                    await node.be(word, minutes, 30)
            if word == "kill":
                await die(built)
        if word == "off":
            await asyncio.sleep(chance.choice((1200, 2 * 24 * HOUR)))
    log.append((EPOCH + 10**12, "end"))
    begun = [each for each in store._switches.values() if each.by == "fallback"]
    for each in begun:
        young = [one for one in begun if 0 <= each.started_at - one.started_at < 86_400_000]
        assert len(young) <= 4
        falls = each.to is PUBLIC
        assert falls or len(young) < 4
        span = (10 if falls else 30) * 60_000
        seen = _during(log, each.started_at - span, each.started_at)
        assert seen <= ({"gone", "bad", "still"} if falls else {"ok"}) | {"restart", "kill"}
    assert begun or seed != 0


def _during(log: list[tuple[int, str]], begin: int, end: int) -> set[str]:
    spans = pairwise(log)
    return {word for (at, word), (until, _) in spans if at < end and until > begin}


async def test_looks_at_other_nodes_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand nodes may be watched beside its own: none of their looks goes through them all."""
    async with home() as (built, node):
        other = definition(
            "other", type="node-sync", keep_watching=True, origin=Origin.API, confirmations=1,
            interval=1.0, watch_interval=1.0, checker={"url": "grpc://10.0.0.9:16110"},
        )  # fmt: skip
        built.probe("other").default = Reading(behind=840.0)
        await built.roster.register(other)
        asked: list[str] = []

        def counted(url: str, tasks: Iterable[Task]) -> Task | None:
            asked.append(url)
            return watching_task(url, tasks)

        monkeypatch.setattr("kaspad_taskd.switching.falling.watching_task", counted)
        looks = 2 * 20  # each is seen as it ends, and as what it changed is on disk
        await node.be("gone", 9)
        assert 9 <= len(asked) <= looks
        await node.be("gone", 5)
        assert where(built) is PUBLIC


async def test_a_node_whose_task_is_turned_to_another_is_watched_by_nobody() -> None:
    """The task is of another node now: how its own one is, is not known from then on."""
    async with home() as (built, node):
        await node.be("gone", 9)
        known = built.task("node").definition
        moved = replace(known, checker={"url": "grpc://10.0.0.9:16110"})
        await built.engine.act("node", Redefine(moved))
        await node.be("gone", 5)
        assert where(built) is LOCAL
        assert why(built) is Why.NODE_UNKNOWN
