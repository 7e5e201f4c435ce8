"""Killed before and after every record: the end is on the local node and verified, or back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from kaspad_taskd.core.fact import EventName
from kaspad_taskd.core.inputs import Complete
from kaspad_taskd.core.record import Change
from kaspad_taskd.core.switch import Side, SwitchReason, SwitchState
from kaspad_taskd.store.memory import MemoryStore
from kaspad_taskd.switching.hands import Bad
from tests.fakes.hands import ScriptedHands, World, service
from tests.fakes.house import EPOCH, House, definition

pytestmark = pytest.mark.looptime
ENDS = {
    SwitchState.DONE: (Side.LOCAL, Side.LOCAL),
    SwitchState.UNDONE: (Side.PUBLIC, Side.PUBLIC),
}
RECORDS = 9
"""At least as many records as the longest way has, the node's announcement among them."""


class MortalStore(MemoryStore):
    """Kills its daemon at the n-th record of a switch or an announcement.

    `keep`: whether that record is on the disk when it dies.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        super().__init__(now)
        self.left = -1
        self.keep = False
        self.killed = asyncio.Event()

    def submit(self, change: Change) -> None:
        if self.killed.is_set():
            return  # nobody is there any more
        if change.switches or "switching" in change.cursors:
            self.left -= 1
            if self.left == 0:
                if self.keep:
                    self._apply(change)
                self.killed.set()
                return
        super().submit(change)


def build(store: MortalStore, world: World, bad: dict[str, Bad]) -> House:
    built = House(store)
    built.services["kasia"] = service()
    built.services["ski"] = service()
    built.switcher.hands = built.hands = ScriptedHands(world, bad)
    return built


async def die(built: House) -> None:
    """What a SIGKILL does: nothing of the daemon goes on, nothing is written any more."""
    for task in built._running:
        task.cancel()
    await asyncio.gather(*built._running, return_exceptions=True)


async def live(store: MortalStore, world: World, bad: dict[str, Bad], until: float) -> House:
    """Run a daemon until it is killed, or for so long."""
    built = build(store, world, bad)
    built.start()
    try:
        async with asyncio.timeout(until):
            await store.killed.wait()
    except TimeoutError:
        pass
    return built


def fresh() -> MortalStore:
    loop = asyncio.get_running_loop()
    return MortalStore(lambda: EPOCH + int(loop.time() * 1000))


BAD = {
    "good": {},
    "no-check": {"check": Bad(SwitchReason.NODE_NOT_SYNCED)},
    "no-start": {"apply local": Bad(SwitchReason.RESTART_FAILED)},
    "no-answer": {"verify local": Bad(SwitchReason.NO_ANSWER)},
}
LONG = {"good": 5, "no-check": 2, "no-start": 6, "no-answer": 7}
"""Records that each way has."""


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("number", range(1, RECORDS))
@pytest.mark.parametrize("bad", BAD)
async def test_a_users_switch_ends_one_way_or_the_other(bad: str, number: int, keep: bool) -> None:
    """Killed at every record in turn: never between, never twice."""
    store, world = fresh(), World()
    first = build(store, world, BAD[bad])
    first.start()
    await asyncio.sleep(0.1)
    store.left, store.keep = number, keep
    begin = asyncio.ensure_future(first.switcher.switch("kasia", Side.LOCAL))
    try:
        async with asyncio.timeout(30):
            await store.killed.wait()
    except TimeoutError:
        pass
    assert store.killed.is_set() is (number <= LONG[bad])
    begin.cancel()
    await die(first)
    store.killed.clear()
    store.left = -1
    second = await live(store, world, BAD[bad], 60)
    found = second.engine.switches.last("kasia")
    if found is None:  # it died before the first record: nothing was begun
        assert (number, keep) == (1, False)
        assert world.restarts == []
    else:
        assert world.where("kasia") == ENDS[found.state]
        assert (found.state is SwitchState.DONE) is (bad == "good")
        assert world.restarts.count(Side.LOCAL) <= 1
        assert world.restarts.count(Side.PUBLIC) <= 1
        assert len(await store.decisions()) == (bad == "good")
    await second.stop()


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("number", range(1, 2 * RECORDS))
@pytest.mark.parametrize("bad", ["good", "no-answer"])
async def test_node_ready_comes_once_after_the_last_switch(
    bad: str, number: int, keep: bool
) -> None:
    """Over a kill at every record: with those that were switched, and those that were not."""
    store, world = fresh(), World()
    faults = {f"{act} ski": each for act, each in BAD[bad].items()}
    first = build(store, world, faults)
    first.start()
    await asyncio.sleep(0.1)
    node = definition("node", type="node-sync", checker={"url": "grpc://127.0.0.1:16110"})
    await first.roster.register(node)
    store.left, store.keep = number, keep
    await first.engine.act("node", Complete())
    try:
        async with asyncio.timeout(60):
            await store.killed.wait()
    except TimeoutError:
        pass
    assert store.killed.is_set() is (number <= (11 if bad == "good" else 13))
    await die(first)
    store.killed.clear()
    store.left = -1
    second = await live(store, world, faults, 90)
    await second.stop()
    events = [event.fact for event in store._journal]
    names = [fact.name for fact in events]
    assert names.count(EventName.NODE_READY) == 1
    assert names[-1] is EventName.NODE_READY
    good = bad == "good"
    assert events[-1].data["switched"] == (["kasia", "ski"] if good else ["kasia"])
    assert events[-1].data["failed"] == ([] if good else ["ski"])
    assert names.count(EventName.SWITCH_COMPLETE) == (2 if good else 1)
