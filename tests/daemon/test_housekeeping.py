"""What the daemon warns of by itself: a backup that is too old, and that is made then."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kaspad_taskd.daemon.garbage import MUCH, RARELY, Garbage, made_to_stay
from kaspad_taskd.daemon.housekeeping import Housekeeping
from tests.api.house import ApiHouse, api_house

AGE = 120.0


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[ApiHouse]:
    async with api_house(tmp_path) as built:
        yield built


def keeping(house: ApiHouse, longest: float | None) -> Housekeeping:
    """The housekeeping of a house, as far as backups go."""
    nothing: Any = SimpleNamespace()
    return Housekeeping(
        house.engine, house.board, nothing, nothing, nothing, Path("/nowhere/rpc.sock"),
        lambda: None, nothing, lambda: longest,
    )  # fmt: skip


async def standing(house: ApiHouse) -> list[str]:
    """The codes of the warnings that stand."""
    await asyncio.sleep(1)
    return [each["code"] for each in (await house.ask("getWarnings"))["warnings"]]


@pytest.mark.looptime
async def test_no_backup_and_an_old_one_are_warned_of_until_there_is_another(
    house: ApiHouse,
) -> None:
    """Once, however often it is looked; a backup takes the warning away."""
    keeper = keeping(house, AGE)
    for _ in range(3):
        keeper.see_backup()
    (one,) = (await house.ask("getWarnings"))["warnings"]
    assert (one["code"], one["note"]) == ("backup-old", "No backup of the state has been made.")
    await house.engine.durable(house.engine.commit(backup=house.engine.now()))
    keeper.see_backup()
    assert await standing(house) == []
    await asyncio.sleep(AGE + 1)
    keeper.see_backup()
    assert await standing(house) == ["backup-old"]


@pytest.mark.looptime
async def test_without_the_setting_no_backup_is_missed(house: ApiHouse) -> None:
    """It is off by default, and a reload that takes it out takes the warning along."""
    keeping(house, AGE).see_backup()
    assert await standing(house) == ["backup-old"]
    keeping(house, None).see_backup()
    assert await standing(house) == []


class Thing:
    """May hold another one, or itself."""

    other: object = None


def seen(*pieces: int, tasks: int = 0) -> list[int]:
    """At which looks garbage was collected where there were so many pieces, a million first."""
    found: list[int] = []
    there = [1_000_000]
    garbage = Garbage(lambda: there[-1], lambda: found.append(len(there) - 2))
    for each in pieces:
        there.append(each)
        garbage.see(tasks)
    return found


def test_garbage_is_looked_for_where_there_is_much_more_than_there_was() -> None:
    """At the next look, by ten seconds; what stays as much is left in peace for ever."""
    assert seen(*[1_000_000, 1_003_000] * 100) == []
    assert seen(1_000_000, 1_031_999, 1_032_000) == [2]
    assert seen(1_000_000, 900_000, 932_000) == [2]


def test_where_more_tasks_live_more_may_come() -> None:
    """The windows of ten thousand fill in the first minutes, and nothing has gone."""
    assert seen(1_000_000, 1_780_000, 2_031_999, 2_032_000, tasks=10_000) == [3]


def test_less_is_looked_for_more_rarely() -> None:
    """After ten minutes; and where nothing is counted, always then."""
    assert seen(*[1_004_000] * (RARELY + 1)) == [RARELY - 1]
    assert seen(*[0] * (RARELY + 1)) == [RARELY - 1]


def test_garbage_of_a_crowd_is_found() -> None:
    """The real count of memory sees what real circles hold, and a real collection frees them."""
    made: list[weakref.ref[Thing]] = []
    garbage = Garbage()

    def crowd() -> None:
        for _ in range(MUCH):
            one = Thing()
            one.other = one
        made.append(weakref.ref(one))

    gc.disable()
    try:
        crowd()
        assert made[0]() is not None
        garbage.see(0)
        assert made[0]() is None
    finally:
        gc.enable()


def test_what_is_made_to_stay_is_not_walked_and_goes_when_it_is_let_go() -> None:
    """Later circles are found as ever; garbage is looked for again even where it failed."""
    with made_to_stay():
        assert not gc.isenabled()
        kept = [Thing() for _ in range(3)]
    assert gc.isenabled()
    gone = weakref.ref(kept[0])
    assert not any(each is kept for each in gc.get_objects())
    del kept[0]
    assert gone() is None
    with pytest.raises(LookupError), made_to_stay():
        raise LookupError
    assert gc.isenabled()
    circle = Thing()
    circle.other, gone = circle, weakref.ref(circle)
    del circle
    gc.collect()
    assert gone() is None
    gc.unfreeze()
