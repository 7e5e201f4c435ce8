"""Requests at the edge of what is allowed: the whole way in and out, and no crash on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import ApiHouse, api_house

pytestmark = pytest.mark.looptime


@pytest.fixture(name="house")
async def _house(tmp_path: Path) -> AsyncIterator[ApiHouse]:
    async with api_house(tmp_path) as built:
        await built.ask("registerTask", type="report", service="work")
        yield built


async def test_a_context_that_is_too_deep_is_refused_by_name(house: ApiHouse) -> None:
    """What can be read but not be written again is no crash."""
    context: Any = []
    for _ in range(600):
        context = [context]
    refusal = await house.no("recordDecision", decision="go", context=context)
    assert (refusal.code, refusal.data["parameter"]) == (-32602, "context")


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:00"])
async def test_history_from_the_beginning_of_time(house: ApiHouse, start: str) -> None:
    """However early a span begins, it is answered."""
    answer = await house.ask("getHistory", taskId="report-work", **{"from": start})
    assert answer["points"]


async def test_reports_cannot_pile_up_facts(house: ApiHouse) -> None:
    """64 facts a task, however many reports bring them; known ones may change for ever."""
    full = {f"fact-{number}": number for number in range(64)}
    await house.ask("reportTask", taskId="report-work", metadata=full)
    refusal = await house.no("reportTask", taskId="report-work", metadata={"one-more": 1})
    assert refusal.data["parameter"] == "metadata"
    await house.ask("reportTask", taskId="report-work", metadata={"fact-1": 7})


@pytest.mark.parametrize("given", [{"checkInterval": 1e300}, {"checkInterval": 90_000_000}])
async def test_an_interval_that_is_too_long_is_called_so(
    house: ApiHouse, given: dict[str, Any]
) -> None:
    """The fault is the length, and the longest one is named."""
    refusal = await house.no("registerTask", type="report", service="other", **given)
    (fault,) = refusal.data["faults"]
    assert fault["problem"].endswith("is too long; 1d is the longest")


async def test_bounds_are_plain_numbers(house: ApiHouse) -> None:
    """No 3.6e+06 for people."""
    refusal = await house.no("waitTask", taskId="report-work", timeout=1e9)
    assert refusal.message == "timeout: must be 0 to 3600000"
