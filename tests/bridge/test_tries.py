"""Wrong tokens are answered later and later, right ones from the same address too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from kaspad_taskd.bridge import tries
from kaspad_taskd.bridge.refused import Refused
from kaspad_taskd.bridge.tries import LONGEST, QUIET, REMEMBERED, WAITING, Tries

pytestmark = pytest.mark.looptime


def right() -> bool:
    return True


def wrong() -> bool:
    return False


async def timed(
    known: Tries, is_right: Callable[[], bool], address: str = "a"
) -> tuple[Any, float]:
    """The outcome of a try, and the seconds it took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        found: Any = await known.judge(address, is_right)
    except Refused as refused:
        found = refused
    return found, loop.time() - began


async def test_each_wrong_one_waits_twice_as_long_up_to_a_minute() -> None:
    """From a second on; another address is none of this one's business."""
    known = Tries()
    took = [await timed(known, wrong) for _ in range(9)]
    assert took == [(False, seconds) for seconds in (1, 2, 4, 8, 16, 32, 60, 60, 60)]
    assert await timed(known, right, "b") == (True, 0)


async def test_a_right_one_waits_like_a_wrong_one_and_clears_the_address() -> None:
    """So that neither time nor answer tells before the wait is over which one it was."""
    mine, other = Tries(), Tries()
    for known in (mine, other):
        for _ in range(3):
            await known.judge("a", wrong)
    one, two = await asyncio.gather(timed(mine, right), timed(other, wrong))
    assert (one, two) == ((True, 8), (False, 8))
    assert await timed(mine, right) == (True, 0)
    assert await timed(mine, wrong) == (False, 1)


@pytest.mark.parametrize("is_right", [right, wrong])
async def test_what_waits_tells_nothing_to_those_beside_it(is_right: Callable[[], bool]) -> None:
    """A try counts when it comes, right or wrong: the next one's wait is the same."""
    known = Tries()
    await known.judge("a", wrong)
    first = asyncio.create_task(timed(known, is_right))
    await asyncio.sleep(0)
    assert await timed(known, wrong) == (False, 4)
    assert (await first)[1] == 2


@pytest.mark.parametrize("is_right", [right, wrong])
async def test_the_ninth_that_would_wait_is_refused_at_once(is_right: Callable[[], bool]) -> None:
    """With when to come again: as soon as one of the eight has its answer."""
    known = Tries()
    waiting = [asyncio.create_task(timed(known, wrong)) for _ in range(WAITING)]
    await asyncio.sleep(0)
    refused, took = await timed(known, is_right)
    assert (refused.status, refused.retry_after, took) == (429, 1, 0)
    assert await timed(known, right, "b") == (True, 0)
    await asyncio.sleep(1)
    assert await timed(known, is_right) == (is_right(), LONGEST)
    assert [found for found, _ in await asyncio.gather(*waiting)] == [False] * WAITING


async def test_nobody_waits_longer_than_a_minute() -> None:
    """However many were wrong before."""
    known = Tries()
    for _ in range(40):
        assert (await timed(known, wrong))[1] <= LONGEST
    assert await timed(known, right) == (True, LONGEST)


async def test_a_quiet_address_is_as_good_as_new() -> None:
    """Ten minutes after its last try."""
    known = Tries()
    for _ in range(8):
        await known.judge("a", wrong)
    await asyncio.sleep(QUIET - 1)
    assert (await timed(known, right))[1] == LONGEST
    await known.judge("a", wrong)
    await asyncio.sleep(QUIET)
    assert await timed(known, right) == (True, 0)


async def test_as_many_addresses_are_remembered_as_there_is_room_for() -> None:
    """The one that has been quiet longest is forgotten first; one that waits stays."""
    known = Tries()
    first = asyncio.create_task(timed(known, wrong, "first"))
    await asyncio.sleep(0)
    for number in range(REMEMBERED + 10):
        known._remember(f"n{number}", tries._Known())
    assert len(known._known) == REMEMBERED
    assert (await first)[0] is False
    assert "first" in known._known
    assert "n0" not in known._known


async def test_all_addresses_together_have_a_bound() -> None:
    """Of tries that wait; a right one from a clean address still passes."""
    known = Tries()
    many = [
        asyncio.create_task(timed(known, wrong, f"n{number}"))
        for number in range(tries.ALL_WAITING)
    ]
    await asyncio.sleep(0)
    refused, took = await timed(known, wrong, "one-more")
    assert (refused.status, took) == (429, 0)
    assert await timed(known, right, "clean") == (True, 0)
    await asyncio.gather(*many)


async def test_one_who_gives_up_leaves_its_place() -> None:
    """But it has counted."""
    known = Tries()
    gone = asyncio.create_task(timed(known, wrong))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert not known._known["a"].ends
    assert await timed(known, right) == (True, 2)
