"""What follows a node's sync: its services in order, then one announcement."""

from __future__ import annotations

import asyncio

import pytest

from kaspad_taskd.core.fact import Event, EventName
from kaspad_taskd.core.inputs import Complete, Retry
from kaspad_taskd.core.switch import Side, SwitchState
from kaspad_taskd.engine import cursor
from kaspad_taskd.store.memory import MemoryStore
from kaspad_taskd.switching.declared import same_node
from tests.fakes.hands import service
from tests.fakes.house import House, definition, house

pytestmark = pytest.mark.looptime
NODE = {"url": "grpc://localhost:16110"}


async def add(built: House, *names: str, **given: object) -> None:
    for name in names:
        built.services[name] = service()
    await built.roster.register(definition("node", type="node-sync", checker=NODE, **given))


async def complete(built: House, seconds: float = 30) -> list[Event]:
    """Complete the node; returns the announcements so far."""
    await built.engine.act("node", Complete())
    return await announced(built, seconds)


async def announced(built: House, seconds: float = 30) -> list[Event]:
    await asyncio.sleep(seconds)
    events = await built.store.events(0, 999)
    return [each for each in events if each.fact.name is EventName.NODE_READY]


async def test_services_are_switched_in_the_order_of_the_settings() -> None:
    """One after the other, then the announcement; one of another node is left alone."""
    async with house() as built:
        built.services["far"] = service(node="grpc://10.0.0.1:16110")
        await add(built, "z", "a")
        ready = await complete(built)
        assert [each.fact.data["switched"] for each in ready] == [["z", "a"]]
        restarts = [each for each in built.hands.done if each.startswith("apply")]
        assert restarts == ["apply local z", "apply local a"]


async def test_without_auto_switch_it_is_only_told() -> None:
    """At once, with nobody switched."""
    async with house() as built:
        await add(built, "kasia", auto_switch=False)
        ready = await complete(built, 0.1)
        assert [(each.fact.data["switched"], each.fact.data["failed"]) for each in ready] == [
            ([], [])
        ]
        assert built.hands.done == []


async def test_a_held_service_is_left_where_it_is() -> None:
    """And said so, with the reason; the others are switched. Let go, the next one brings it."""
    async with house() as built:
        await add(built, "kasia", "ski")
        await built.switcher.hold("kasia", hold=True)
        (ready,) = await complete(built)
        assert ready.fact.data["switched"] == ["ski"]
        assert ready.fact.data["failed"] == []
        assert ready.fact.data["skipped"] == [{"service": "kasia", "reason": "held"}]
        assert built.hands.world.where("kasia") == (Side.PUBLIC, Side.PUBLIC)
        await built.switcher.hold("kasia", hold=False)
        await built.engine.act("node", Retry())
        ready = (await complete(built))[-1]
        assert ready.fact.data["switched"] == ["kasia", "ski"]
        assert "skipped" not in ready.fact.data


async def test_what_people_alone_switch_is_not_named() -> None:
    """`auto = false`: neither switched nor skipped; its task does not list it."""
    async with house() as built:
        await add(built, "ski")
        built.services["kasia"] = service(auto=False)
        (ready,) = await complete(built)
        assert (ready.fact.data["switched"], ready.fact.data["failed"]) == (["ski"], [])
        assert "skipped" not in ready.fact.data
        assert built.hands.world.where("kasia") == (Side.PUBLIC, Side.PUBLIC)


async def test_who_is_there_already_counts_without_a_restart() -> None:
    """A second attempt of the node: announced again, nothing touched."""
    async with house() as built:
        await add(built, "kasia")
        await complete(built)
        await built.engine.act("node", Retry())
        ready = await complete(built)
        assert [each.fact.data["switched"] for each in ready] == [["kasia"], ["kasia"]]
        assert built.hands.world.restarts == [Side.LOCAL]


async def test_what_somebody_decides_meanwhile_stands() -> None:
    """Their switch to the public node is awaited, and is no failure of ours."""
    async with house() as built:
        await add(built, "kasia", "ski")
        await built.switcher.switch("kasia", Side.LOCAL)
        await built.switcher.idle("kasia")
        await built.switcher.switch("kasia", Side.PUBLIC)
        ready = await complete(built)
        assert [(each.fact.data["switched"], each.fact.data["failed"]) for each in ready] == [
            (["ski"], [])
        ]
        assert built.hands.world.where("kasia") == (Side.PUBLIC, Side.PUBLIC)


async def test_somebodys_own_switch_to_the_node_is_awaited() -> None:
    """It is there then, by whoever's hand."""
    async with house() as built:
        await add(built, "kasia")
        await built.switcher.switch("kasia", Side.LOCAL)
        ready = await complete(built)
        assert [each.fact.data["switched"] for each in ready] == [["kasia"]]
        assert built.hands.world.restarts == [Side.LOCAL]


async def test_a_switch_that_is_turned_round_has_failed() -> None:
    """The node's own, cancelled by somebody."""
    async with house() as built:
        await add(built, "kasia")
        await built.engine.act("node", Complete())
        await asyncio.sleep(1.7)
        await built.switcher.switch("kasia", Side.PUBLIC)
        ready = await announced(built)
        assert [each.fact.data["failed"] for each in ready] == [["kasia"]]
        last = built.engine.switches.last("kasia")
        assert last is not None
        assert last.state is SwitchState.UNDONE


async def test_a_full_disk_delays_it() -> None:
    """The switch begins, and the announcement comes, when there is room again."""
    async with house() as built:
        await add(built, "kasia")
        await built.engine.act("node", Complete())
        built.store.fail_next("the disk is full")
        await asyncio.sleep(cursor.PATIENCE + 20)
        events = [each.fact.name for each in await built.store.events(0, 999)]
        assert events.count(EventName.NODE_READY) == 1
        assert events[-1] is EventName.NODE_READY


async def test_a_state_of_before_announces_nothing_again() -> None:
    """It kept how far it had come under other names."""
    store: MemoryStore | None = None
    async with house() as built:
        await add(built)
        await complete(built, 1)
        store = built.store
    store._cursors = {"reactions": 1, "node-ready": len(store._journal) - 1}
    async with house(store) as built:
        await asyncio.sleep(1)
        events = [each.fact.name for each in await built.store.events(0, 999)]
    assert events.count(EventName.NODE_READY) == 1


@pytest.mark.parametrize(
    ("url", "same"),
    [("grpc://localhost:16110", True), ("grpc://127.0.0.1:16110", True),
     ("grpc://[::1]:16110", True),
     ("grpc://localhost:16210", False), ("ws://localhost:16110", False),
     ("grpc://node.example:16110", False)],
)  # fmt: skip
def test_a_node_is_its_address(url: str, same: bool) -> None:
    """Loopback is one host, whatever it is called."""
    assert same_node(url, "grpc://localhost:16110") is same
