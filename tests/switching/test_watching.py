"""Services as they are watched: told when something is wrong, and when it is over; by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kaspad_taskd.core.attention import AttentionCode, ServiceState, Sight
from kaspad_taskd.core.fact import EventName
from kaspad_taskd.core.switch import Side, SwitchReason
from kaspad_taskd.store.memory import MemoryStore
from kaspad_taskd.switching.hands import Bad
from kaspad_taskd.switching.watching import EVERY
from tests.fakes.hands import service
from tests.fakes.house import EPOCH, House, house

pytestmark = pytest.mark.looptime
UP, OFF = ServiceState.RUNNING, ServiceState.FAILED


@asynccontextmanager
async def home(store: MemoryStore | None = None, state: ServiceState = UP) -> AsyncIterator[House]:
    async with house(store) as built:
        built.services["kasia"] = service()
        see(built, state)
        await built.switcher.watching.now()
        yield built


def see(built: House, state: ServiceState, **more: Any) -> None:
    facts = {"service": "kasia", "unit": "kasia-indexer.service"}
    built.hands.sights["kasia"] = Sight(built.now(), state, facts=facts, **more)


def code(built: House) -> AttentionCode | None:
    found = built.engine.attentions.of("kasia")
    return None if found is None else found.code


async def told(built: House) -> list[str | None]:
    events = await built.store.events(0, 999)
    return [each.fact.data["code"] for each in events if each.fact.name is EventName.ATTENTION]


async def test_a_service_that_ends_is_told_once_and_again_when_it_works() -> None:
    """Within half a minute, without anybody asking."""
    async with home() as built:
        see(built, OFF)
        await asyncio.sleep(EVERY + 1)
        assert code(built) is AttentionCode.DOWN
        await asyncio.sleep(3 * EVERY)
        see(built, UP)
        await asyncio.sleep(EVERY + 1)
        assert code(built) is None
        assert await told(built) == ["down", None]


async def test_whoever_asks_is_told_what_is_so_then() -> None:
    """What was seen before is not told as if it were seen now; askers share a look."""
    async with home() as built:
        see(built, OFF)
        looks = built.hands.looks
        await asyncio.gather(*(built.switcher.watching.now() for _ in range(20)))
        assert code(built) is AttentionCode.DOWN
        assert built.hands.looks == looks + 1


async def test_the_end_of_a_switch_is_looked_at_at_once() -> None:
    """A service that is down after it is known to be by then."""
    async with home() as built:
        built.hands.bad["verify local"] = Bad(SwitchReason.SERVICE_DIED)
        built.hands.bad["apply public"] = Bad(SwitchReason.RESTART_FAILED)
        see(built, OFF)
        await built.switcher.switch("kasia", Side.LOCAL)
        await built.switcher.idle("kasia")
        await asyncio.sleep(0.01)
        assert code(built) is AttentionCode.DOWN
        assert await told(built) == ["down"]


async def test_another_daemon_goes_on_where_this_one_ended() -> None:
    """It tells nothing twice, and tells the end of what the earlier one told."""
    async with home(state=OFF) as built:
        first = built.engine.attentions.of("kasia")
        await asyncio.sleep(1)
        store = built.store
    async with home(store, state=OFF) as built:
        await asyncio.sleep(1)
        again = built.engine.attentions.of("kasia")
        assert first is not None
        assert again is not None
        assert again.since == first.since
        assert await told(built) == ["down"]
    async with home(store, state=UP) as built:
        await asyncio.sleep(1)
        assert await told(built) == ["down", None]
    async with home(store, state=UP) as built:
        await asyncio.sleep(1)
        assert await told(built) == ["down", None]


async def test_what_the_disk_does_not_take_is_told_later() -> None:
    """It is known at once all the same."""
    async with home() as built:
        await asyncio.sleep(1)
        see(built, OFF)
        built.store.fail_next("disk full")
        await built.switcher.watching.now()
        assert code(built) is AttentionCode.DOWN
        await asyncio.sleep(0.01)
        assert await told(built) == []
        await asyncio.sleep(EVERY + 1)
        assert await told(built) == ["down"]


async def test_a_service_that_is_declared_no_more_needs_nobody() -> None:
    """And one that is declared differently is looked at anew."""
    async with home(state=OFF) as built:
        assert code(built) is AttentionCode.DOWN
        built.services.clear()
        await built.switcher.watching.now()
        assert code(built) is None
        assert built.switcher.watching.known("kasia") is None
        await asyncio.sleep(0.01)
        assert await told(built) == ["down", None]


async def test_nothing_is_asked_where_nothing_is_declared() -> None:
    """A question costs, however little."""
    async with house() as built:
        await asyncio.sleep(10 * EVERY)
        assert built.hands.looks == 0
        assert built.now() > EPOCH
