"""Events to browsers: everything once, in order, whoever is slow or late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.bridge.fanout import BATCH
from kaspad_taskd.core.model import Watch
from kaspad_taskd.core.observation import Reading
from tests.bridge.house import Bridged, Visitor, bridged, until
from tests.fakes.hands import service


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Bridged]:
    async with bridged(tmp_path) as built:
        yield built


def journal(visitor: Visitor) -> list[int]:
    """Numbers of the events on record that it was told."""
    own = ("hello", "sync:progress", "server:stopping", "task:error")
    return [data["seq"] for name, data in visitor.told if name not in own]


async def until_told(visitor: Visitor, seq: int) -> None:
    while not journal(visitor) or journal(visitor)[-1] < seq:
        await visitor.event()


async def make_events(house: Bridged, rounds: int, task_id: str = "job") -> int:
    """Pause and resume until there are enough; returns the last number."""
    if house.house.engine.get(task_id) is None:
        await house.add(task_id)
    for _ in range(rounds):
        await house.house.ask("pauseTask", taskId=task_id)
        await house.house.ask("resumeTask", taskId=task_id)
    return house.house.engine.seq


async def test_hello_comes_first_and_says_where_we_are(house: Bridged) -> None:
    """Then how everything is, one `sync:progress` a task."""
    await house.add("one")
    await house.add("two")
    visitor = await house.visit()
    hello = await visitor.event()
    assert visitor.names() == ["hello"]
    assert hello.keys() == {"seq", "journal", "serverTime", "host", "version", "canChange"}
    assert hello["journal"] == house.house.engine.journal
    assert hello["seq"] == house.house.engine.seq
    shown = [await visitor.event("sync:progress") for _ in range(2)]
    assert [each["taskId"] for each in shown] == ["one", "two"]
    assert all(each["progress"].__class__ in (int, float) for each in shown)


async def test_what_ended_long_ago_is_not_told(house: Bridged) -> None:
    """A day is remembered."""
    await house.add("old")
    await house.house.ask("cancelTask", taskId="old")
    base = house.house.now
    await house.add("new")
    house.house.engine.now = lambda: base() + 86_400_001
    visitor = await house.visit()
    assert (await visitor.event("sync:progress"))["taskId"] == "new"


async def kept(house: Bridged, task_id: str = "kept") -> None:
    """A task that is complete, and kept watch on."""
    house.house.probe(task_id).default = Reading(complete=True)
    await house.add(task_id, type="http-json", confirmations=1, keep_watching=True)
    await until(lambda: _watched(house, task_id))


def _watched(house: Bridged, task_id: str) -> bool:
    task = house.house.engine.get(task_id)
    return task is not None and task.watch is Watch.ON


async def test_what_is_kept_watch_on_is_told_however_long_ago_it_ended(house: Bridged) -> None:
    """Nobody shows the lag of yesterday: neither who comes anew nor who comes again."""
    await kept(house)
    base, seq = house.house.now, house.house.engine.seq
    house.house.engine.now = lambda: base() + 86_400_001
    visitor = await house.visit()
    shown = await visitor.event("sync:progress")
    assert (shown["taskId"], shown["status"], shown["health"]) == ("kept", "complete", "ok")
    assert shown["lastChecked"] is not None
    again = await house.visit({"since": seq})
    assert (await again.event("sync:progress"))["taskId"] == "kept"


async def test_a_paused_watch_is_told_to_who_comes(house: Bridged) -> None:
    """As a paused task is."""
    await kept(house)
    await house.house.ask("pauseTask", taskId="kept")
    base = house.house.now
    house.house.engine.now = lambda: base() + 86_400_001
    visitor = await house.visit()
    shown = await visitor.event("sync:progress")
    assert (shown["taskId"], shown["health"]) == ("kept", "unknown")


async def test_an_event_is_told_to_all(house: Bridged) -> None:
    """Once to each, and encoded once."""
    visitors = [await house.visit() for _ in range(5)]
    for visitor in visitors:
        await visitor.event("hello")
    before = house.fanout.told
    last = await make_events(house, 2)
    for visitor in visitors:
        await until_told(visitor, last)
        assert journal(visitor) == list(range(1, last + 1))
    assert house.fanout.told - before == last


async def test_who_comes_back_gets_what_was_missed(house: Bridged) -> None:
    """`auth.since`: every event after it, once, in order, also what happens meanwhile."""
    seq = await make_events(house, BATCH)
    visitor = await house.visit({"since": 7})
    more = await make_events(house, 3)
    assert more > seq > 2 * BATCH
    await until_told(visitor, more)
    assert journal(visitor) == list(range(8, more + 1))
    assert visitor.names()[0] == "hello"


async def test_many_come_while_much_happens(house: Bridged) -> None:
    """Nobody misses an event and nobody gets one twice, however they join."""
    await make_events(house, 5)

    async def follow(since: int | None) -> list[int]:
        visitor = await house.visit(None if since is None else {"since": since})
        began = since if since is not None else (await visitor.event("hello"))["seq"]
        while house.house.engine.get("done") is None or not journal(visitor):
            await visitor.event()
        await until_told(visitor, house.house.engine.seq)
        seen = journal(visitor)
        assert seen == list(range(began + 1, house.house.engine.seq + 1))
        return seen

    following = [
        asyncio.create_task(follow(since)) for since in (0, 3, None, 5, None, 0, None, 8, 2)
    ]
    for _ in range(40):
        await make_events(house, 3)
        await asyncio.sleep(0.002)
    await house.add("done")
    await asyncio.gather(*following)


async def test_a_number_of_another_journal_is_a_gap(house: Bridged) -> None:
    """On connect and on request; one of this journal goes on."""
    await house.add("job")
    mine = house.house.engine.journal
    visitor = await house.visit({"since": 1, "journal": "another"})
    refused = await visitor.event("task:error")
    assert (refused["reason"], refused["journal"], refused["oldest"]) == ("gap", mine, 1)
    assert (await visitor.event("sync:progress"))["taskId"] == "job"
    assert journal(visitor) == []
    again = await house.visit({"since": 1, "journal": mine})
    await until_told(again, 2)
    assert (await again.ask("events:since", {"seq": 0, "journal": mine})) == {"seq": 2}
    for wrong, reason in (("another", "gap"), (7, "invalid-params")):
        said = await again.ask("events:since", {"seq": 0, "journal": wrong})
        assert said.get("reason") == reason
        assert said["request"] == "events:since"


async def test_after_a_gap_everything_is_told_as_it_is(house: Bridged) -> None:
    """Said as `task:error`, then one progress a task; from then on it is live."""
    await house.add("job")
    visitor = await house.visit({"since": 99})
    refused = await visitor.event("task:error")
    assert (refused["reason"], refused["code"], refused["seq"]) == ("gap", -32007, 2)
    assert refused["request"] == "events:since"
    assert (await visitor.event("sync:progress"))["taskId"] == "job"
    last = await make_events(house, 1)
    await until_told(visitor, last)
    assert journal(visitor) == [3, 4]


@pytest.mark.parametrize("since", ["7", -1, 1.5, True, [], {}])
async def test_a_since_that_is_no_number_is_said(house: Bridged, since: Any) -> None:
    """And the client is live all the same."""
    visitor = await house.visit({"since": since})
    assert (await visitor.event("task:error"))["reason"] == "invalid-params"
    await until_told(visitor, await make_events(house, 1))


async def test_events_since_tells_again(house: Bridged) -> None:
    """On a live connection: what followed, then the acknowledgement, then what comes."""
    last = await make_events(house, 3)
    visitor = await house.visit()
    await visitor.event("hello")
    answer = await visitor.ask("events:since", {"seq": 2})
    assert answer == {"seq": last}
    assert journal(visitor) == list(range(3, last + 1))
    last = await make_events(house, 2)
    await until_told(visitor, last)
    assert journal(visitor) == list(range(3, last + 1))


async def test_events_since_twice_at_once_is_one_after_the_other(house: Bridged) -> None:
    """Nothing is mixed up, and the client is live afterwards."""
    last = await make_events(house, 3)
    visitor = await house.visit()
    await visitor.emit("events:since", {"seq": 2})
    assert (await visitor.ask("events:since", {"seq": 4})) == {"seq": last}
    assert journal(visitor) == [*range(3, last + 1), *range(5, last + 1)]


async def test_progress_never_says_more_than_was_told(house: Bridged) -> None:
    """Who goes on from the `seq` of the last thing seen misses nothing."""
    await house.add("job", type="http-json", confirmations=1)
    visitor = await house.visit()
    probe = house.house.probe("job")
    probe.default = Reading(position=10.0, target=10.0, complete=True)
    await house.house.ask("checkTaskStatus", taskId="job")
    seen = 0
    while "sync:complete" not in visitor.names():
        data = await visitor.event()
        assert data["seq"] >= seen
        if visitor.names()[-1] == "sync:progress":
            assert data["seq"] <= max([visitor.told[0][1]["seq"], *journal(visitor)])
        seen = data["seq"]
    assert visitor.told[-1][1]["progress"] == 100


async def test_a_browser_that_stops_reading_is_cut_alone(house: Bridged) -> None:
    """1 MiB behind costs it its connection; the others get every event."""
    await house.add("job")
    lazy = await house.visit()
    busy = await house.visit()
    for visitor in (lazy, busy):
        await visitor.event("hello")
    assert lazy.line._response is not None
    connection: Any = lazy.line._response.connection
    connection.transport.pause_reading()
    text = "x" * 190
    metadata = {f"fact-{number}": text for number in range(60)}
    sent = 0
    while len(house.server.browsers) == 2:
        await house.house.ask("reportTask", taskId="job", metadata=metadata)
        task = house.house.task("job")
        for _ in range(20):
            await house.fanout._tell(house.fanout._progress(task, house.house.engine.seq))
        sent += 1
        assert sent < 200, "it was never cut"
        while len(busy.told) < 20 * sent:
            await busy.event()
    await until(lambda: house.server.sockets.connections == 1)
    assert (await busy.rpc("ping"))["result"]["pong"] is True


async def test_a_gap_of_the_follower_costs_connections_not_events(
    house: Bridged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should the follower itself fall behind what is kept, browsers connect anew."""
    from kaspad_taskd.engine.errors import Gap

    await house.add("job")
    visitor = await house.visit()
    await visitor.event("hello")
    read = house.house.board.read

    async def gap(*_: Any) -> Any:
        monkeypatch.setattr(house.house.board, "read", read)
        raise Gap(1, 5, 9)

    monkeypatch.setattr(house.house.board, "read", gap)
    last = await make_events(house, 1)
    await visitor.ended()
    again = await house.visit({"since": 2})
    await until_told(again, last)
    assert journal(again) == list(range(3, last + 1))


async def test_what_was_made_for_tasks_that_went_is_forgotten(house: Bridged) -> None:
    """Nothing is kept of what is gone."""
    await house.add("job", origin="api")
    visitor = await house.visit()
    await visitor.event("sync:progress")
    assert house.fanout._shown
    await house.house.roster.remove("job")
    await until(lambda: house.house.engine.get("job") is None)
    house.fanout.forget()
    assert not house.fanout._shown


async def test_a_switch_that_runs_is_told_to_who_comes_late(house: Bridged) -> None:
    """As state, at the number up to which all has been told; to nobody once it has ended."""
    house.house.services["kasia"] = service()
    house.house.hands.takes["check"] = 60.0
    await house.house.ask("switchService", service="kasia", to="local")
    visitor = await house.visit()
    hello = await visitor.event("hello")
    told = await visitor.event("switch:progress")
    assert (told["seq"], told["service"], told["taskId"]) == (hello["seq"], "kasia", None)
    assert (told["switch"]["state"], told["switch"]["step"]) == ("running", 1)
    assert told["step"] == "step 1 of 4, checking the node"
    await house.house.ask("switchService", service="kasia", to="public")
    ended = await visitor.event("switch:error")
    assert ended["reason"] == "cancelled"
    late = await house.visit()
    await late.ask("rpc", {"method": "ping"})
    assert "switch:progress" not in late.names()


async def test_who_gathers_is_told_the_state_of_many_in_one_packet(house: Bridged) -> None:
    """When it comes, and with what changes; others are told one by one, as ever."""
    for name in ("one", "two"):
        await house.add(name)
    visitor, other = await house.visit({"gather": True}), await house.visit()
    many = await visitor.event("sync:progress:many")
    assert many.keys() == {"seq", "tasks"}
    single = [await other.event("sync:progress") for _ in range(2)]
    assert many["tasks"] == single
    assert many["seq"] == house.house.engine.seq
    for name in ("one", "two"):
        await house.house.ask("reportTask", taskId=name, progress=10)
    told: set[str] = set()
    while told != {"one", "two"}:
        told |= {each["taskId"] for each in (await visitor.event("sync:progress:many"))["tasks"]}
    assert "sync:progress" not in visitor.names()
    assert "sync:progress:many" not in other.names()


async def test_gathered_state_is_of_the_moment_in_which_it_is_told(house: Bridged) -> None:
    """What an event or an answer has told meanwhile is not undone, and no task is told twice."""
    await house.add("job")
    visitor = await house.visit({"gather": True})
    await visitor.event("sync:progress:many")
    for progress in (10, 20, 30):
        await house.house.ask("reportTask", taskId="job", progress=progress)
    await visitor.ask("rpc", {"method": "pauseTask", "params": {"taskId": "job"}})
    begun = len(visitor.told)
    await house.add("last")
    await house.house.ask("reportTask", taskId="last", progress=10)
    told: list[str] = []
    while "last" not in told:
        told = [each["taskId"] for each in (await visitor.event("sync:progress:many"))["tasks"]]
    packets = [data["tasks"] for name, data in visitor.told[begun:] if name == "sync:progress:many"]
    states = [each["status"] for tasks in packets for each in tasks if each["taskId"] == "job"]
    assert set(states) <= {"paused"}


async def test_events_are_told_to_who_gathers_as_to_everybody(house: Bridged) -> None:
    """All of them, at once, in order."""
    visitor = await house.visit({"gather": True})
    last = await make_events(house, 3)
    own = ("hello", "sync:progress:many")
    while visitor.names()[-1:] != ["sync:resumed"] or visitor.told[-1][1]["seq"] < last:
        await visitor.event()
    told = [data["seq"] for name, data in visitor.told if name not in own]
    assert told == list(range(1, last + 1))


async def test_a_wrong_wish_to_gather_is_none(house: Bridged) -> None:
    """Only true is."""
    await house.add("job")
    visitor = await house.visit({"gather": "yes"})
    assert (await visitor.event("sync:progress"))["taskId"] == "job"
