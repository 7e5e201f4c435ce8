"""Keeping watch over what is complete: the looks, what is told, what is kept, what follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import copy
from typing import Any

import pytest

from kaspad_taskd.core.ageing import SureTime
from kaspad_taskd.core.fact import Event, EventName
from kaspad_taskd.core.inputs import Pause, Redefine, Start
from kaspad_taskd.core.model import (
    Definition,
    Health,
    OnComplete,
    Origin,
    Status,
    Task,
    Watch,
)
from kaspad_taskd.core.observation import Following, Reading, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.switch import Side
from kaspad_taskd.engine.follow import News, Progress
from kaspad_taskd.engine.roster import KEPT_MS
from kaspad_taskd.store.memory import MemoryStore
from tests.fakes.hands import World, service
from tests.fakes.house import EPOCH, House, definition, house

pytestmark = pytest.mark.looptime
NODE = {"url": "grpc://localhost:16110"}
GONE = Unreachable(Reason.REFUSED)


class Chain:
    """What a node on it says: in sync, or not, with a new block at each look."""

    def __init__(self) -> None:
        self.score = 0

    def says(self, complete: bool = True, **more: Any) -> Reading:
        self.score += 300
        told = Following(str(self.score), self.score, 10.0, True)
        return Reading(**{"complete": complete, "following": told, "behind": 0.5, **more})


def watching(**more: Any) -> Definition:
    known = {"type": "node-sync", "keep_watching": True, "origin": Origin.API, "checker": NODE}
    return definition(**{**known, **more})


class InSync:
    """A probe's answers in sync, made anew for each look."""

    def __init__(self, built: House, task_id: str = "work") -> None:
        self.chain, self.probe = Chain(), built.probe(task_id)
        self.probe.default = self.chain.says()

    def now(self, complete: bool = True, **more: Any) -> None:
        self.probe.default = self.chain.says(complete, **more)

    async def through(self, seconds: float, complete: bool = True) -> None:
        """Let time pass, with a new block every second."""
        for _ in range(round(seconds)):
            self.now(complete)
            await asyncio.sleep(1)


async def complete(built: House, **more: Any) -> InSync:
    """A task that has just completed and is kept watch on."""
    node = InSync(built)
    await built.roster.register(watching(**more))
    await node.through(1)
    assert built.task("work").watch is Watch.ON
    return node


async def told(built: House, *names: EventName) -> list[Event]:
    events = await built.store.events(0, 999)
    return [each for each in events if each.fact.name in names]


async def healths(built: House) -> list[str]:
    return [each.fact.data["health"] for each in await told(built, EventName.HEALTH)]


async def test_looks_go_on_at_the_pace_of_watching() -> None:
    """Every 30 s after the end, whatever the interval was; the same connection is kept."""
    async with house() as built:
        node = await complete(built, interval=1.0)
        looks = node.probe.looks
        await node.through(300)
        assert node.probe.looks - looks == 10
        assert node.probe.closed == 0
        assert 0 < (built.monitors.due_in("work") or 0) <= 30
        task = built.task("work")
        assert (task.status, task.health) == (Status.COMPLETE, Health.OK)
        assert built.now() - (task.live.last_checked or 0) <= 30_000


async def test_who_asks_gets_a_look_at_once() -> None:
    """Not the answer of half a minute ago."""
    async with house() as built:
        node = await complete(built)
        await node.through(10)
        node.probe.default = GONE
        await built.monitors.check("work")
        assert built.task("work").health is Health.UNREACHABLE


async def test_each_change_is_an_event_and_no_other_comes_after_the_end() -> None:
    """Unreachable, behind, well again; the status is nobody's news."""
    async with house() as built:
        node = await complete(built)
        node.probe.default = GONE
        await asyncio.sleep(90)
        await node.through(180, complete=False)
        await node.through(90)
        assert await healths(built) == ["unreachable", "behind", "ok"]
        end = (await told(built, EventName.COMPLETE))[0]
        after = await built.store.events(end.seq, 999)
        assert {each.fact.name for each in after} == {EventName.NODE_READY, EventName.HEALTH}


async def test_state_is_told_at_each_change_and_every_half_minute() -> None:
    """So that nobody shows the lag of yesterday; never more than that."""
    async with house() as built:
        node = await complete(built)
        news: list[News] = []
        await built.listen(news)
        await node.through(301)
        steady = [each.task for each in news if isinstance(each, Progress)]
        assert 9 <= len(steady) <= 11
        assert {(task.status, task.percent) for task in steady} == {(Status.COMPLETE, 100.0)}
        news.clear()
        node.probe.default = GONE
        await asyncio.sleep(31)
        seen = [each.task.health for each in news if isinstance(each, Progress)]
        assert Health.UNREACHABLE in seen


async def test_a_pause_ends_the_looks_and_is_told() -> None:
    """Nobody looks, not even who asks; with the resumption a look comes at once."""
    async with house() as built:
        node = await complete(built)
        news: list[News] = []
        await built.listen(news)
        await built.engine.act("work", Pause())
        await asyncio.sleep(1)
        looks = node.probe.looks
        await built.monitors.check("work")
        await asyncio.sleep(600)
        assert node.probe.looks == looks
        assert (built.task("work").status, built.task("work").watch) == (
            Status.COMPLETE, Watch.PAUSED,
        )  # fmt: skip
        assert [each.task.watch for each in news if isinstance(each, Progress)] == [Watch.PAUSED]
        node.now()
        await built.engine.act("work", Start())
        await asyncio.sleep(0.1)
        assert node.probe.looks == looks + 1
        assert await healths(built) == ["unknown", "ok"]


async def test_a_pace_that_is_changed_counts_at_once() -> None:
    """The next look does not wait for the old pace."""
    async with house() as built:
        node = await complete(built, watch_interval=3600.0)
        looks = node.probe.looks
        await node.through(5)
        assert node.probe.looks == looks
        await built.engine.act("work", Redefine(watching(watch_interval=20.0)))
        await node.through(101)
        assert 5 <= node.probe.looks - looks <= 6


async def test_a_watch_that_is_no_more_wanted_ends_at_once() -> None:
    """The definition says so; its probe is let go."""
    async with house() as built:
        node = await complete(built)
        await built.engine.act("work", Redefine(watching(keep_watching=False)))
        looks = node.probe.looks
        await node.through(120)
        assert (node.probe.looks, node.probe.closed) == (looks, 1)
        assert built.monitors.due_in("work") is None


async def test_the_disk_has_its_peace() -> None:
    """What only a look brought goes to it every 5 min; of what is in progress, every half."""
    async with house() as built:
        node = await complete(built)
        await asyncio.gather(*built.engine.flush(all_of_it=True))
        written = 0
        for _ in range(20):
            await node.through(60)
            written += len(built.engine.flush())
        assert 3 <= written <= 5


# -- over starts


@pytest.mark.parametrize("killed", [False, True])
async def test_a_watch_goes_on_over_starts(killed: bool) -> None:
    """A behind node is behind after it, and nothing is told twice."""
    store = MemoryStore(lambda: EPOCH + int(asyncio.get_running_loop().time() * 1000))
    async with house(store) as built:
        node = await complete(built)
        await node.through(200, complete=False)
        assert built.task("work").health is Health.BEHIND
        if killed:
            store = copied(store)
    async with house(store) as again:
        node = InSync(again)
        assert again.task("work").health is Health.BEHIND
        node.now(complete=False)
        await node.through(100, complete=False)
        assert await healths(again) == ["behind"]
        await node.through(40)
        assert await healths(again) == ["behind", "ok"]


def copied(store: MemoryStore) -> MemoryStore:
    """What a kill leaves: what was committed by now, and nothing that was only in memory."""
    left = MemoryStore(lambda: EPOCH + int(asyncio.get_running_loop().time() * 1000))
    for name, value in vars(store).items():
        if name not in ("_now", "_queue", "_settled"):
            setattr(left, name, copy(value))
    return left


async def test_a_change_that_cannot_be_written_is_neither_shown_nor_lost() -> None:
    """The disk is full as a node falls: it is told when it can be, once."""
    async with house() as built:
        node = await complete(built)
        node.probe.default = GONE
        for _ in range(120):
            built.store.fail_next("the disk is full")
            await asyncio.sleep(1)
        assert built.task("work").health is Health.OK
        await asyncio.sleep(130)
        assert built.task("work").health is Health.UNREACHABLE
        assert await healths(built) == ["unreachable"]


# -- what is old


async def test_a_watched_task_does_not_go_by_age() -> None:
    """Neither by somebody's cleaning up nor after 30 days; who says so clears it."""
    async with house() as built:
        node = await complete(built)
        await built.roster.register(definition("ended", origin=Origin.API))
        built.probe("ended").default = Reading(complete=True)
        await node.through(20)
        assert built.task("ended").status is Status.COMPLETE
        built.engine.sure = _old(built)
        await built.roster.expire(built.engine.sure)
        assert [task.id for task in built.engine.tasks()] == ["work"]
        assert await built.roster.cleanup(0) == 0
        await built.engine.act("work", Pause())
        assert await built.roster.cleanup(0) == 0
        assert await built.roster.cleanup(0, watched=True) == 1
        assert built.engine.tasks() == []


def _old(built: House) -> SureTime:
    return SureTime(built.now() + 2 * KEPT_MS, ran=2 * KEPT_MS, calm=KEPT_MS)


# -- relapse


async def test_a_relapse_is_a_whole_attempt_whose_end_switches_nothing() -> None:
    """Begun by itself, told as the first; on_complete and node:ready come again."""
    async with house() as built:
        built.services["kasia"] = service()
        node = await complete(built)
        await node.through(30)
        assert built.hands.done.count("apply local kasia") == 1
        await built.switcher.switch("kasia", Side.PUBLIC)
        await built.switcher.idle("kasia")
        node.now(complete=False, epoch="db-reset")
        await built.monitors.check("work")
        task = built.task("work")
        assert (task.status, task.attempt, task.because) == (Status.IN_PROGRESS, 2, "db-reset")
        node.now(complete=False, position=1.0, target=10.0)
        await asyncio.sleep(30)
        await node.through(30)
        assert built.task("work").status is Status.COMPLETE
        starts = [each.fact.data for each in await told(built, EventName.START)]
        assert starts == [{"attempt": 1}, {"attempt": 2, "because": "db-reset"}]
        assert len(await told(built, EventName.COMPLETE)) == 2
        ready = [each.fact.data["switched"] for each in await told(built, EventName.NODE_READY)]
        assert ready == [["kasia"], []]
        assert built.hands.done.count("apply local kasia") == 1


class Program:
    """An `on_complete` that ends at once; how often it was run, over all daemons."""

    pid, runs = 4_000_000, 0

    async def wait(self) -> int:
        return 0


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Program:
    built = Program()

    async def run(*_argv: str, **_how: Any) -> Program:
        built.runs += 1
        return built

    monkeypatch.setattr(asyncio, "create_subprocess_exec", run)
    return built


@asynccontextmanager
async def switching(store: MemoryStore, world: World) -> AsyncIterator[House]:
    """A daemon on this state; what was done to the service outlives it."""
    built = House(store)
    built.services["kasia"] = service()
    built.hands.world = world
    built.start()
    try:
        yield built
    finally:
        await built.stop()


@pytest.mark.parametrize("public", [True, False])
@pytest.mark.parametrize("kill", ["begun", "amid", "complete", "ready"])
async def test_a_kill_amid_a_relapse_leaves_one_end_that_switches_nothing(
    program: Program, kill: str, public: bool
) -> None:
    """on_complete and node:ready come once more; the service stays where somebody put it."""
    store = MemoryStore(lambda: EPOCH + int(asyncio.get_running_loop().time() * 1000))
    asks = OnComplete(("/usr/bin/notify", "{id}"))
    async with switching(store, World()) as built:
        world = built.hands.world
        node = await complete(built, on_complete=asks)
        await node.through(60)
        if public:
            await built.switcher.switch("kasia", Side.PUBLIC)
            await built.switcher.idle("kasia")
        switched = built.engine.switches.last("kasia")
        before = (program.runs, len(await told(built, EventName.NODE_READY)))
        assert before == (1, 1)
        node.now(complete=False, epoch="db-reset")
        await built.monitors.check("work")
        assert (built.task("work").attempt, built.task("work").because) == (2, "db-reset")
        left = copied(store)
        if kill != "begun":
            node.now(complete=False, position=5.0, target=10.0)
            await asyncio.sleep(30)
            left = copied(store)
        if kill in ("complete", "ready"):
            ended = asyncio.Event()
            built.engine.on_swap.append(lambda _old, new: _note(new, ended))
            node.now()
            asyncio.get_running_loop().call_soon(built.monitors._judge_soon, "work")
            await ended.wait()
            if kill == "ready":
                await node.through(30)
            left = copied(store)
        runs = program.runs if kill == "ready" else before[0]
    program.runs = runs
    async with switching(left, world) as again:
        node = InSync(again)
        await node.through(60)
        assert again.task("work").status is Status.COMPLETE
        assert len(await told(again, EventName.COMPLETE)) == 2
        ready = [each.fact.data["switched"] for each in await told(again, EventName.NODE_READY)]
        assert ready == [["kasia"], []]
        assert program.runs == 2
        assert again.engine.switches.last("kasia") == switched
        assert again.hands.pointing("kasia", service()).side is (
            Side.PUBLIC if public else Side.LOCAL
        )
        assert again.hands.done == []


def _note(task: Task | None, ended: asyncio.Event) -> None:
    if task is not None and task.attempt == 2 and task.status is Status.COMPLETE:
        ended.set()


async def test_who_waits_for_it_looks_at_its_status_alone() -> None:
    """`after`: a node that is behind has completed all the same."""
    async with house() as built:
        node = await complete(built)
        await node.through(200, complete=False)
        assert built.task("work").health is Health.BEHIND
        await built.roster.register(definition("next", after=("work",)))
        await asyncio.sleep(0.1)
        assert built.task("next").status is Status.IN_PROGRESS
