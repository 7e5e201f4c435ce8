"""What the daemon warns of by itself: a backup that is too old, and that is made then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kaspad_taskd.daemon.housekeeping import (
    COLLECT_AFTER,
    COLLECT_AT_MOST,
    COLLECT_EVERY,
    Housekeeping,
    must_collect,
)
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


def test_garbage_is_collected_in_time_and_not_too_often() -> None:
    """Every ten minutes; before that where a crowd has left much, and then half a minute apart."""
    assert must_collect(COLLECT_EVERY, 0)
    assert not must_collect(COLLECT_EVERY - 1, COLLECT_AFTER - 1)
    assert must_collect(COLLECT_AT_MOST, COLLECT_AFTER)
    assert not must_collect(COLLECT_AT_MOST - 1, 1000)
