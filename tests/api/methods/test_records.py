"""The record of what is kept watch on, and its incidents, as they are told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from kaspad_taskd.api.reading import for_readers, may_read
from kaspad_taskd.api.records import STATES, record_told, seconds
from kaspad_taskd.base.clock import iso, parse_iso
from kaspad_taskd.core.ageing import DAY, HOUR
from kaspad_taskd.core.observation import Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.seen import Counts, Slot
from kaspad_taskd.core.watch_record import WatchRecord
from tests.api.house import ApiHouse
from tests.api.methods.test_watching import NODE, goes_on, kept, sees

pytestmark = pytest.mark.looptime
REFUSED = Unreachable(Reason.REFUSED, {"address": "127.0.0.1:16110"})


def known(answer: dict[str, Any]) -> dict[str, int]:
    return {state: each for state, each in answer["seconds"].items() if each}


async def test_the_record_tells_seconds_by_state_that_sum_to_the_time(house: ApiHouse) -> None:
    """From the first complete look to now; the parts of it are the same seconds."""
    await kept(house)
    await goes_on(house, 300)
    house.probe(NODE).default = REFUSED
    await asyncio.sleep(600)
    await goes_on(house, 120)
    answer = await house.ask("getRecord", taskId=NODE)
    assert (answer["taskId"], answer["service"], answer["days"]) == (NODE, "node", 30)
    task = await house.ask("getTask", taskId=NODE)
    assert answer["from"] == answer["since"] == task["completedAt"]
    assert answer["until"] is None
    spent = (parse_iso(answer["to"]) - parse_iso(answer["from"])) / 1000
    assert sum(answer["seconds"].values()) == round(spent)
    assert known(answer).keys() == {"ok", "unreachable"}
    assert 560 <= answer["seconds"]["unreachable"] <= 640
    assert list(answer["seconds"]) == list(STATES)
    (part,) = answer["series"]
    assert part == {"from": answer["from"], "to": answer["to"], "seconds": answer["seconds"]}
    assert answer["incidents"]["count"] == 1
    assert answer["incidents"]["longest"] >= 560


@pytest.mark.parametrize(("days", "count", "length"), [(1, 24, HOUR), (7, 7, DAY), (90, 90, DAY)])
def test_a_day_is_told_in_hours_and_more_in_days(days: int, count: int, length: int) -> None:
    """Of 24 h each, back from now: as many parts as were asked for, wherever the asker lives."""
    now = 1_795_000_000_000
    record = WatchRecord("a", "node", "node-sync", now - 100 * DAY, now)
    first = now // HOUR * HOUR - 100 * DAY
    slots = [Slot(at, HOUR, Counts(ok=HOUR)) for at in range(first, now, HOUR)]
    told = record_told(record, slots[:-1], days, now)
    spans = [parse_iso(part["to"]) - parse_iso(part["from"]) for part in told["series"]]
    assert len(spans) == count
    assert set(spans[:-1]) == {length}
    assert 0 < spans[-1] <= length
    for one, other in zip(told["series"], told["series"][1:], strict=False):
        assert one["to"] == other["from"]
    assert (told["series"][0]["from"], told["series"][-1]["to"]) == (told["from"], told["to"])
    assert told["to"] == iso(now)
    assert told["seconds"]["unknown"] == now % HOUR // 1000
    young = record_told(replace(record, since=now - 3 * DAY), slots, 90, now)
    assert (young["from"], len(young["series"])) == (iso(now - 3 * DAY), 4)


async def test_there_is_none_before_the_task_was_complete(house: ApiHouse) -> None:
    """No second of it; a task that never was there is not found; and bounds are bounds."""
    await house.ask("registerNodeSyncTask", service="node")
    sees(house, 1, complete=False)
    await asyncio.sleep(600)
    answer = await house.ask("getRecord", taskId=NODE)
    assert (answer["since"], answer["from"], answer["to"], answer["series"]) == (
        None, None, None, [],
    )  # fmt: skip
    assert set(answer["seconds"].values()) == {0}
    assert answer["incidents"] == {"count": 0, "longest": 0}
    assert (await house.no("getRecord", taskId="nobody")).reason == "not-found"
    for days in (0, 91, 1.5, "7"):
        assert (await house.no("getRecord", taskId=NODE, days=days)).code == -32602


async def test_the_record_outlives_its_task(house: ApiHouse) -> None:
    """It ends with it, and is asked for by the same id; registered again it goes on."""
    await kept(house)
    await goes_on(house, 100)
    await house.ask("removeTask", taskId=NODE)
    gone = await house.ask("getRecord", taskId=NODE)
    await asyncio.sleep(3600)
    later = await house.ask("getRecord", taskId=NODE)
    assert (later["until"], later["seconds"]) == (later["to"], gone["seconds"])
    await kept(house)
    again = await house.ask("getRecord", taskId=NODE)
    assert (again["since"], again["until"]) == (later["since"], None)
    assert again["seconds"]["unknown"] >= 3600


async def test_incidents_are_told_with_cause_depth_and_end(house: ApiHouse) -> None:
    """At once, those that last too; newest first, of a task, of a time, so many."""
    await kept(house)
    await goes_on(house, 60)
    house.probe(NODE).default = REFUSED
    await asyncio.sleep(90)
    (lasts,) = (await house.ask("getIncidents"))["incidents"]
    assert lasts == {
        "id": 1, "taskId": NODE, "service": "node", "began": lasts["began"], "ended": None,
        "health": "unreachable", "reason": "refused", "worstBehind": None, "ending": None,
        "note": "127.0.0.1:16110 refuses: stopped, still starting, or listening elsewhere.",
    }  # fmt: skip
    await goes_on(house, 120)
    await goes_on(house, 300, complete=False, behind=812.34)
    await goes_on(house, 120)
    both = (await house.ask("getIncidents"))["incidents"]
    assert [each["id"] for each in both] == [2, 1]
    assert [each["ending"] for each in both] == ["ok", "ok"]
    assert (both[0]["health"], both[0]["worstBehind"]) == ("behind", 812.4)
    assert both[1]["began"] == lasts["began"] < both[1]["ended"] < both[0]["began"]

    async def ids(**given: Any) -> list[int]:
        found = (await house.ask("getIncidents", **given))["incidents"]
        return [each["id"] for each in found]

    assert await ids(taskId=NODE) == [2, 1]
    assert await ids(taskId="other") == []
    assert await ids(limit=1) == [2]
    assert await ids(to=both[0]["began"]) == [1]
    assert await ids(**{"from": both[0]["began"]}) == [2]
    assert await ids(**{"from": both[1]["ended"]}) == [2, 1]
    assert (await house.no("getIncidents", **{"from": "yesterday"})).code == -32602
    turned = {"from": both[0]["ended"], "to": both[0]["began"]}
    assert (await house.no("getIncidents", **turned)).code == -32602


async def test_why_it_syncs_again_is_the_cause_of_a_relapse(house: ApiHouse) -> None:
    """In a sentence; the time is counted as behind."""
    await kept(house)
    await goes_on(house, 40)
    sees(house, 1, complete=False, epoch="db-reset")
    await goes_on(house, 40, complete=False, epoch="db-reset")
    (found,) = (await house.ask("getIncidents"))["incidents"]
    assert (found["reason"], found["health"]) == ("db-reset", "behind")
    assert found["note"] == "The node's database was reset; it had to sync again."
    assert (await house.ask("getRecord", taskId=NODE, days=1))["seconds"]["behind"] >= 10


async def test_who_may_only_read_may_ask_for_both(house: ApiHouse) -> None:
    """They change nothing."""
    for name in ("getRecord", "getIncidents"):
        assert may_read(house.methods[name])
        assert for_readers(house.methods)[name] is house.methods[name]


@pytest.mark.parametrize("ms", [0, 1, 499, 500, 59_999, 86_400_000 - 1])
def test_whole_seconds_by_state_are_the_span(ms: int) -> None:
    """However they are cut: none is lost, and what is not known is not made of roundings."""
    part = ms // 3
    told = seconds(Counts(part, part, 0, ms - 2 * part), ms)
    assert sum(told.values()) == round(ms / 1000)
    assert told["unknown"] == 0
