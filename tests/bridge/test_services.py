"""What a page shows of services: as the API tells them, to those who may see them, at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.bridge.services import Services
from kaspad_taskd.config.settings import Address, Bridge
from kaspad_taskd.config.switched import SwitchedService
from kaspad_taskd.core.observation import Hint
from tests.bridge.house import Bridged, bridged
from tests.fakes.hands import service

BORSH = Hint("borsh-closed", {"port": 17110, "address": "127.0.0.1:17110"})


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Bridged]:
    async with bridged(tmp_path) as built:
        built.house.services["kasia"] = service()
        yield built


async def shown(house: Bridged, **more: Any) -> Any:
    async with house.http.get(f"{house.base}/", **more) as answer:
        return json.loads((await answer.text()).removeprefix("<!doctype html>"))["snapshot"]


async def test_a_page_shows_what_the_api_tells(house: Bridged) -> None:
    """The very answer of `getServices`, hints included."""
    house.house.hands.told = [BORSH]
    assert (await shown(house))["services"] == await house.house.ask("getServices")


async def test_who_may_not_read_sees_none(tmp_path: Path) -> None:
    """On a public address nothing without the token."""
    async with bridged(tmp_path, Bridge(Address("0.0.0.0", 0))) as house:
        house.house.services["kasia"] = service()
        assert (await shown(house))["services"] == []
        with_token = await shown(house, headers={"Authorization": f"Bearer {house.token}"})
        assert [each["service"] for each in with_token["services"]] == ["kasia"]


async def test_hints_that_hang_do_not_hold_up_a_page(
    house: Bridged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last ones are told meanwhile; what comes late is told the next time."""
    free, asked = asyncio.Event(), []

    async def slow(name: str, _declared: SwitchedService) -> Sequence[Hint]:
        asked.append(name)
        await free.wait()
        return [BORSH]

    monkeypatch.setattr(house.house.hands, "hints", slow)
    services = Services(house.house.api)
    async with asyncio.timeout(20):
        for _ in range(2):
            assert [each["hints"] for each in await services.now(hints=True)] == [[]]
    assert asked == ["kasia"]  # nobody asks while an answer is on its way
    free.set()
    found = await services.now(hints=True)
    assert found[0]["hints"][0]["code"] == "borsh-closed"
    free.clear()
    assert (await services.now(hints=True))[0]["hints"][0]["code"] == "borsh-closed"
    house.house.services["kasia"] = service(network="testnet-10")
    assert (await services.now(hints=True))[0]["hints"] == []  # they were another declaration's
    services.close()


async def test_the_page_of_a_task_asks_for_no_hints(
    house: Bridged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows none, so no node, database or systemd is asked for its sake."""
    asked = []

    async def noted(name: str, _declared: SwitchedService) -> Sequence[Hint]:
        asked.append(name)
        return []

    monkeypatch.setattr(house.house.hands, "hints", noted)
    await house.add("job")
    assert (await house.get("/task/job"))[0] == 200
    assert asked == []
    await house.get("/")
    assert asked == ["kasia"]


async def test_hints_that_crash_cost_themselves_alone(
    house: Bridged, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The page is shown, the log has the traceback."""

    async def broken(_name: str, _declared: SwitchedService) -> Sequence[Hint]:
        raise ZeroDivisionError

    monkeypatch.setattr(house.house.hands, "hints", broken)
    assert [each["hints"] for each in (await shown(house))["services"]] == [[]]
    assert "ZeroDivisionError" in caplog.text
