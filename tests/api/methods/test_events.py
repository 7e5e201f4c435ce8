"""The past: events, history, decisions, the strategy; and subscriptions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from kaspad_taskd import words
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.base.clock import iso
from kaspad_taskd.core.observation import Reading, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.engine.follow import BATCH
from kaspad_taskd.store.fault import StoreError
from tests.api.house import ApiHouse

pytestmark = pytest.mark.looptime
WORK = "report-work"


async def work(house: ApiHouse, service: str = "work", **more: Any) -> str:
    answer = await house.ask("registerTask", type="report", service=service, **more)
    task_id: str = answer["taskId"]
    return task_id


def names(events: Sequence[Mapping[str, Any]]) -> list[str]:
    return [event["event"] for event in events]


# -- getEvents


async def test_events_on_record(house: ApiHouse) -> None:
    """From the first one, after one, below one, of a task, so many; with what there is."""
    await work(house)
    await work(house, "other")
    await house.ask("pauseTask", taskId=WORK)
    answer = await house.ask("getEvents")
    assert (answer["seq"], answer["oldest"]) == (5, 1)
    assert names(answer["events"]) == [
        *("task:added", "sync:start", "task:added", "sync:start", "sync:paused"),
    ]
    assert [event["seq"] for event in answer["events"]] == [1, 2, 3, 4, 5]

    async def seqs(**given: Any) -> list[int]:
        return [event["seq"] for event in (await house.ask("getEvents", **given))["events"]]

    assert await seqs(after=3) == [4, 5]
    assert await seqs(after=5) == []
    assert await seqs(limit=2) == [1, 2]
    assert await seqs(before=5, limit=2) == [3, 4]
    assert await seqs(before=3) == [1, 2]
    assert await seqs(taskId=WORK) == [1, 2, 5]
    assert await seqs(after=1, before=5, taskId=WORK) == [2]
    assert await seqs(taskId="nothing") == []


async def test_a_gap(house: ApiHouse) -> None:
    """What lies beyond the last event was never told, what lies before the oldest is not kept."""
    await work(house)
    no = await house.no("getEvents", after=9)
    assert (no.code, no.reason) == (-32007, "gap")
    assert (no.data["oldest"], no.data["seq"]) == (1, 2)
    assert no.data["journal"] == house.engine.journal != ""


@pytest.mark.parametrize("given", [{}, {"after": 0}, {"after": 1}, {"after": 2}])
async def test_numbers_of_another_journal_are_a_gap(house: ApiHouse, given: dict[str, Any]) -> None:
    """Whatever they are; those of this one are not, and one beyond the last is in any."""
    await work(house)
    journal = (await house.ask("getInfo"))["journal"]
    assert (await house.ask("getEvents", journal=journal, **given))["seq"] == 2
    no = await house.no("getEvents", journal="another", **given)
    assert (no.code, no.reason) == (-32007, "gap")
    assert no.data["journal"] == journal
    assert (no.data["oldest"], no.data["seq"]) == (1, 2)
    assert "another one" in no.message
    assert (await house.no("getEvents", journal=journal, after=9)).reason == "gap"


@pytest.mark.parametrize(
    "given", [{"after": -1}, {"after": "1"}, {"limit": 0}, {"limit": 1001}, {"before": 1.5}]
)
async def test_bad_bounds(house: ApiHouse, given: dict[str, Any]) -> None:
    """-32602 names the parameter."""
    no = await house.no("getEvents", **given)
    assert (no.code, no.data["parameter"]) == (-32602, next(iter(given)))


HEAD = {"seq", "timestamp", "taskId", "service", "type"}
SHAPES: dict[str, set[str]] = {
    "task:added": {"origin"},
    "task:changed": set(),
    "task:removed": set(),
    "sync:start": {"attempt"},
    "sync:paused": set(),
    "sync:resumed": set(),
    "sync:complete": {"status", "progress", "completedAt", "duration"},
    "sync:error": {"status", "error", "erroredAt", "reason"},
    "sync:cancelled": {"cancelledAt"},
    "sync:health": {"health", "since", "reason", "note"},
    "sync:epoch": {"number", "reason", "since"},
    "node:ready": {"host", "port", "url", "message", "switched", "failed"},
}


async def test_the_shapes_of_events(house: ApiHouse) -> None:
    """Each has a head and its own fields (contract section 4); no moment is a number."""
    probe = house.probe("node-sync-node")
    probe.default = Reading(position=10.0, target=100.0, start=0.0, unit="blocks")
    await house.ask("registerNodeSyncTask", service="node", port=16210)
    await house.ask("checkTaskStatus", taskId="node-sync-node")
    probe.default = ConnectionRefusedError()
    await house.ask("checkTaskStatus", taskId="node-sync-node")
    probe.default = Reading(position=5.0, target=100.0, start=0.0, epoch="data-lost")
    await house.ask("checkTaskStatus", taskId="node-sync-node")
    probe.default = Reading(complete=True)
    for _ in range(2):
        await house.ask("checkTaskStatus", taskId="node-sync-node")
    await house.settle()
    await work(house)
    await house.ask("pauseTask", taskId=WORK)
    await house.ask("resumeTask", taskId=WORK)
    await house.ask("errorTask", taskId=WORK, error="x")
    await house.ask("retryTask", taskId=WORK)
    await house.ask("cancelTask", taskId=WORK)
    await house.ask("registerTask", type="report", service="work", checkInterval="7s")
    await house.ask("removeTask", taskId=WORK)
    events = (await house.ask("getEvents"))["events"]
    assert set(names(events)) == set(SHAPES)
    for event in events:
        data = event["data"]
        assert data.keys() == HEAD | SHAPES[event["event"]], event
        assert data["seq"] == event["seq"]
        assert all(not isinstance(each, int) or each < 10**11 for each in data.values()), data
    told = {event["event"]: event["data"] for event in events}
    complete = told["sync:complete"]
    assert (complete["status"], complete["progress"]) == ("complete", 100)
    assert complete["duration"].keys() == {"seconds", "minutes", "hours", "formatted"}
    ready = told["node:ready"]
    assert (ready["host"], ready["port"]) == ("localhost", 16210)
    assert (ready["url"], ready["switched"], ready["failed"]) == (
        "grpc://localhost:16210",
        [],
        [],
    )
    assert told["sync:error"]["error"] == "x"


async def test_one_terminal_event_for_each_attempt(house: ApiHouse) -> None:
    """And nothing of that attempt afterwards."""
    await work(house)
    await house.ask("completeTask", taskId=WORK)
    await house.ask("retryTask", taskId=WORK)
    await house.ask("cancelTask", taskId=WORK)
    events = (await house.ask("getEvents", taskId=WORK))["events"]
    assert names(events) == [
        *("task:added", "sync:start", "sync:complete", "sync:start", "sync:cancelled"),
    ]


# -- subscriptions


class Ear:
    """A subscription of the feed, and what it was told."""

    def __init__(self, house: ApiHouse, after: int | None = None, tasks: Any = None) -> None:
        self.answer, reader = house.feed.open(after, tasks)
        self.told: list[Mapping[str, Any]] = []
        self.running = asyncio.create_task(reader.run(self._take))
        house._running.append(self.running)

    async def _take(self, events: Sequence[Mapping[str, Any]]) -> None:
        self.told.extend(events)

    def progress(self) -> list[Mapping[str, Any]]:
        return [event["data"] for event in self.told if event["event"] == "sync:progress"]

    def journal(self) -> list[Mapping[str, Any]]:
        return [event for event in self.told if event["event"] != "sync:progress"]


async def test_a_snapshot_and_what_follows_it(house: ApiHouse) -> None:
    """Without `after`: the tasks at `seq`, then what follows; with it: all that followed it."""
    await work(house)
    ear = Ear(house)
    assert (ear.answer["seq"], [task["id"] for task in ear.answer["tasks"]]) == (2, [WORK])
    await house.ask("pauseTask", taskId=WORK)
    await house.settle()
    assert names(ear.journal()) == ["sync:paused"]
    again = Ear(house, after=0)
    assert again.answer == {"seq": 0, "journal": house.engine.journal}
    await house.settle()
    events = (await house.ask("getEvents"))["events"]
    assert again.journal() == events


async def test_a_subscription_beyond_what_is_kept(house: ApiHouse) -> None:
    """Is a gap, in the same words as getEvents has."""
    with pytest.raises(ApiError) as no:
        house.feed.open(7, None)
    assert (no.value.code, no.value.data["reason"]) == (-32007, "gap")
    assert (no.value.data["oldest"], no.value.data["seq"]) == (1, 0)


async def test_a_subscription_to_some_tasks(house: ApiHouse) -> None:
    """Tells of these alone."""
    await work(house)
    await work(house, "other")
    ear = Ear(house, tasks=["report-other"])
    assert [task["id"] for task in ear.answer["tasks"]] == ["report-other"]
    await house.ask("reportTask", taskId=WORK, progress=5)
    await house.ask("reportTask", taskId="report-other", progress=6)
    await house.ask("cancelTask", taskId=WORK)
    await house.settle()
    await asyncio.sleep(2)
    assert {event["data"]["taskId"] for event in ear.told} == {"report-other"}


async def test_over_the_api_there_is_nobody_to_tell(house: ApiHouse) -> None:
    """A caller without a connection for events (a browser) cannot subscribe."""
    no = await house.raw("subscribe", {})
    assert no["error"]["data"]["reason"] == "forbidden"
    assert (await house.ask("unsubscribe"))["subscribed"] is False


async def test_progress_is_told(house: ApiHouse) -> None:
    """After the first answer, on a change at most once a second, every 30 s, and before the end."""
    probe = house.probe("node-sync-node")
    probe.takes = 0.01
    probe.default = Reading(position=0.0, target=1000.0, start=0.0, unit="blocks")
    ear = Ear(house)
    await house.ask("registerNodeSyncTask", service="node", checkInterval=250)
    at = 0.0
    for _ in range(40):
        at += 10.0
        probe.default = replace(probe.default, position=at)
        await asyncio.sleep(0.25)
    moving = len(ear.progress())
    assert 9 <= moving <= 12
    await asyncio.sleep(65)
    assert 1 <= len(ear.progress()) - moving <= 5  # it has stopped: the reminders, and what faded
    probe.default = Reading(complete=True)
    await asyncio.sleep(1)
    kinds = names(ear.told)
    assert kinds[-2:] == ["sync:complete", "node:ready"]
    assert kinds[-3] == "sync:progress"
    assert ear.progress()[-1]["progress"] == 100
    assert [each["progress"] for each in ear.progress()] == sorted(
        each["progress"] for each in ear.progress()
    )
    seqs = [event["seq"] for event in ear.told]
    assert seqs == sorted(seqs)


async def test_the_shape_of_progress(house: ApiHouse) -> None:
    """The wizard's fields: numbers but for the time left; blocks only once the node answered."""
    probe = house.probe("node-sync-node")
    probe.default = ConnectionRefusedError()
    ear = Ear(house)
    await house.ask("registerNodeSyncTask", service="node", checkInterval=250)
    await asyncio.sleep(1)
    first = ear.progress()[0]
    assert first.keys() == {
        *HEAD,
        *("status", "health", "phase", "progress", "percentage", "estimatedTimeRemaining"),
        *("formattedTimeRemaining", "syncRate", "connected", "synced"),
    }
    assert (first["syncRate"], first["progress"], first["percentage"]) == (0, 0, 0)
    assert (first["connected"], first["synced"]) == (False, False)
    assert first["estimatedTimeRemaining"] is None
    assert first["formattedTimeRemaining"] == "Calculating..."
    probe.default = Reading(
        position=10.0, target=100.0, start=0.0, unit="blocks", shown=(1010.0, 1100.0)
    )
    await asyncio.sleep(2)
    last = ear.progress()[-1]
    assert (last["currentBlock"], last["targetBlock"], last["blocksRemaining"]) == (1010, 1100, 90)
    assert last["connected"] is True
    for data in ear.progress():
        assert {key for key, value in data.items() if value is None} <= {
            "estimatedTimeRemaining", "phase"}  # fmt: skip


async def test_metadata_never_overwrites(house: ApiHouse) -> None:
    """A checker that names its facts like fields of ours changes none of them."""
    ours = {
        *("seq", "timestamp", "taskId", "service", "type", "status", "health", "phase", "progress"),
        *("percentage", "estimatedTimeRemaining", "formattedTimeRemaining", "syncRate"),
        *("connected", "synced", "currentBlock", "targetBlock", "blocksRemaining"),
    }
    ear = Ear(house)
    await work(house)
    metadata = dict.fromkeys(ours, "stolen") | {"mine": 7}
    await house.ask("reportTask", taskId=WORK, progress=5, metadata=metadata)
    await house.settle()
    (data,) = ear.progress()
    assert data["mine"] == 7
    assert [key for key in ours if data.get(key) == "stolen"] == []


async def test_replay_of_many_and_live_ones_have_no_seam(house: ApiHouse) -> None:
    """More than a batch from the beginning, while further ones come: each once, in order."""
    await work(house)
    for _ in range(BATCH):
        await house.ask("pauseTask", taskId=WORK)
        await house.ask("resumeTask", taskId=WORK)
    ear = Ear(house, after=0)
    for _ in range(20):
        await house.ask("pauseTask", taskId=WORK)
        await house.ask("resumeTask", taskId=WORK)
    await house.settle()
    assert [event["seq"] for event in ear.journal()] == list(range(1, house.engine.seq + 1))


# -- history


async def test_history(house: ApiHouse) -> None:
    """A point a minute since the start, null where nobody looked."""
    probe = house.probe("node-sync-node")
    probe.default = Reading(position=0.0, target=1000.0, start=0.0, unit="blocks")
    await house.ask("registerNodeSyncTask", service="node", checkInterval="10s")
    for step in range(18):
        probe.default = replace(probe.default, position=10.0 * step)
        await asyncio.sleep(10)
    await house.ask("pauseTask", taskId="node-sync-node")
    await asyncio.sleep(120)
    await house.ask("resumeTask", taskId="node-sync-node")
    for step in range(18, 25):
        probe.default = replace(probe.default, position=10.0 * step)
        await asyncio.sleep(10)
    points = (await house.ask("getHistory", taskId="node-sync-node"))["points"]
    assert len(points) in (7, 8)
    assert all(point.keys() == {"at", "progress", "done", "rate", "health"} for point in points)
    known = [point["progress"] is not None for point in points]
    assert known[:3] == [True] * 3
    assert False in known[3:5]
    assert known[-1]
    progress = [point["progress"] for point in points if point["progress"] is not None]
    assert progress == sorted(progress)


REPORT = "report-import"


async def reported(house: ApiHouse, *steps: tuple[float, float]) -> None:
    """A report task that tells progress, each a while (s) after the one before."""
    await house.ask("registerTask", type="report", service="import", checkInterval=600_000)
    for progress, after in steps:
        await asyncio.sleep(after)
        await house.ask("reportTask", taskId=REPORT, progress=progress)


@pytest.mark.parametrize("later", [0.0, 600.0])
async def test_history_ends_with_the_task(house: ApiHouse, later: float) -> None:
    """What is complete reaches 100 % at that moment, and stops there."""
    await reported(house, (10, 20), (50, 150), (90, 150))
    await asyncio.sleep(5)  # the last report is of the same minute
    await house.ask("reportTask", taskId=REPORT, completed=True)
    await asyncio.sleep(later)
    task = await house.ask("getTask", taskId=REPORT)
    for limit in (2, 300, 1000):
        points = (await house.ask("getHistory", taskId=REPORT, points=limit))["points"]
        assert 1 <= len(points) <= limit
        assert (points[-1]["at"], points[-1]["progress"]) == (task["completedAt"], 100)
        assert all(point["progress"] != 100 for point in points[:-1])
        assert [point["at"] for point in points] == sorted(point["at"] for point in points)


@pytest.mark.parametrize("ending", ["error", "cancelled"])
async def test_history_of_what_failed_or_was_stopped_ends_with_it(
    house: ApiHouse, ending: str
) -> None:
    """Nothing is told of the time after; and it never comes to 100 %."""
    await reported(house, (10, 20), (50, 200))
    if ending == "error":
        await house.ask("reportTask", taskId=REPORT, error="The disk is full.")
    else:
        await house.ask("cancelTask", taskId=REPORT)
    await asyncio.sleep(600)
    task = await house.ask("getTask", taskId=REPORT)
    points = (await house.ask("getHistory", taskId=REPORT))["points"]
    assert points[-1]["at"] <= (task["erroredAt"] or task["cancelledAt"])
    assert len(points) in (4, 5)
    assert [point["progress"] for point in points if point["progress"]] == [10, 50]


async def test_history_of_a_time_after_the_end(house: ApiHouse) -> None:
    """With `to` it goes so far, and the end stands in its minute; of what came later is nothing."""
    await reported(house, (10, 20), (50, 200))
    await house.ask("reportTask", taskId=REPORT, completed=True)
    await asyncio.sleep(600)
    begin, now = house.engine.now() - 840_000, house.engine.now()
    span = {"from": iso(begin), "to": iso(now)}
    points = (await house.ask("getHistory", taskId=REPORT, **span))["points"]
    assert len(points) in (14, 15)
    progress = [point["progress"] for point in points]
    assert progress.count(100) == 1
    assert progress[-8:] == [None] * 8
    after = {"from": iso(now - 60_000)}
    assert (await house.ask("getHistory", taskId=REPORT, **after)) == {"points": []}


async def test_history_goes_on_with_a_new_attempt(house: ApiHouse) -> None:
    """The end of the attempt before is not its end."""
    await reported(house, (50, 200))
    await house.ask("reportTask", taskId=REPORT, completed=True)
    await asyncio.sleep(600)
    await house.ask("retryTask", taskId=REPORT)
    await asyncio.sleep(300)
    points = (await house.ask("getHistory", taskId=REPORT))["points"]
    assert len(points) in (5, 6, 7)
    assert all(point["progress"] != 100 for point in points)


@pytest.mark.parametrize(
    ("given", "parameter"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-13-01T00:00:00Z"}, "to"),
        ({"from": "2026-11-20T00:00:00Z", "to": "2026-11-19T00:00:00Z"}, "to"),
        ({"points": 1}, "points"),
        ({"points": 1001}, "points"),
    ],
)
async def test_bad_spans_of_history(house: ApiHouse, given: dict[str, Any], parameter: str) -> None:
    """-32602 names the parameter and what it must be."""
    await work(house)
    no = await house.no("getHistory", taskId=WORK, **given)
    assert (no.code, no.data["parameter"]) == (-32602, parameter)


# -- decisions and the strategy


async def test_decisions(house: ApiHouse) -> None:
    """They are numbered, dated, kept as they were made."""
    context = {"nodeKey": "kaspa-node", "progress": 12.5, "deep": [{"a": None}]}
    first = (await house.ask("recordDecision", decision="wait", context=context))["decision"]
    await house.ask("recordDecision", "skip")
    both = await house.ask("getDecisions")
    assert both[0] == first
    assert (first["id"], first["decision"], first["context"]) == (1, "wait", context)
    assert (both[1]["id"], both[1]["decision"], both[1]["context"]) == (2, "skip", {})
    no = await house.no("recordDecision", decision="x" * 201)
    assert no.data["parameter"] == "decision"
    no = await house.no("recordDecision", decision="x", context="y" * 20_000)
    assert no.data["parameter"] == "context"
    house.store.fail_next("the disk is full")
    assert (await house.no("recordDecision", decision="x")).reason == "store-unavailable"
    assert len(await house.ask("getDecisions")) == 2


@pytest.mark.parametrize(
    ("eta", "recommended"),
    [
        (0.0, "wait"),
        (299.9, "wait"),
        (300.0, "background"),
        (3599.9, "background"),
        (3600.0, "skip"),
        (86_400.0, "skip"),
        (None, "background"),
    ],
)
async def test_the_strategy(house: ApiHouse, eta: float | None, recommended: str) -> None:
    """Under 5 minutes wait, under an hour or unknown in the background, beyond skip."""
    await work(house)
    task = house.task(WORK)
    house.engine._table[WORK] = replace(task, live=replace(task.live, eta=eta))
    answer = await house.ask("getSyncStrategy", taskId=WORK)
    assert answer["recommended"] == recommended
    assert [each["id"] for each in answer["options"]] == ["wait", "background", "skip"]
    assert [each["id"] for each in answer["options"] if each["recommended"]] == [recommended]
    assert answer["estimatedSeconds"] == (None if eta is None else int(eta))
    assert answer["estimatedTime"] == words.format_time_left(eta)
    assert answer["note"] is None


async def test_the_strategy_has_what_a_dialog_reads(house: ApiHouse) -> None:
    """Texts and numbers in all places, before the node has answered and after it."""
    await house.ask("registerNodeSyncTask", service="kaspa-node")
    node = "node-sync-kaspa-node"
    house.probe(node).default = Unreachable(Reason.REFUSED)
    first = await house.ask("getSyncStrategy", taskId=node)
    assert first["estimatedTime"] == "Calculating..."
    assert (first["nodeKey"], first["estimatedSeconds"]) == ("kaspa-node", None)
    assert first["syncStatus"] == {
        "percentage": 0, "currentBlock": 0, "targetBlock": 0, "blocksRemaining": 0,
    }  # fmt: skip
    for option in first["options"]:
        assert option["label"] == option["title"] != ""
        assert option["description"]
    house.probe(node).default = Reading(position=1500.2, start=1000.0, target=2000.7)
    await house.ask("checkTaskStatus", taskId=node)
    then = await house.ask("getSyncStrategy", taskId=node)
    assert then["syncStatus"] == {
        "percentage": (await house.ask("getTask", taskId=node))["progress"],
        "currentBlock": 1500, "targetBlock": 2001, "blocksRemaining": 501,
    }  # fmt: skip


async def test_the_strategy_of_what_counts_no_blocks_has_none(house: ApiHouse) -> None:
    """The percentage is all that is known of it."""
    await work(house)
    answer = await house.ask("getSyncStrategy", taskId=WORK)
    assert list(answer["syncStatus"]) == ["percentage"]


async def test_the_strategy_of_what_is_complete(house: ApiHouse) -> None:
    """There is nothing left to wait for."""
    await work(house)
    await house.ask("completeTask", taskId=WORK)
    answer = await house.ask("getSyncStrategy", taskId=WORK)
    assert answer["recommended"] == "wait"
    assert (answer["estimatedTime"], answer["estimatedSeconds"]) == ("Complete", 0)
    assert answer["note"].startswith("There is nothing to wait for: ")


async def test_no_event_is_told_before_its_task_is_shown(house: ApiHouse) -> None:
    """What is on disk and not in the table yet waits for the next question."""
    await work(house)
    told = house.engine.seq
    house.store._put_fact(house.store._journal[-1].fact)
    answer = await house.ask("getEvents")
    assert (answer["seq"], answer["events"][-1]["seq"]) == (told, told)


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("method", "reads", "params"),
    [("getEvents", "events", {}), ("getHistory", "history", {"taskId": "a"}),
     ("getDecisions", "decisions", {})],
)  # fmt: skip
async def test_a_record_that_cannot_be_read_is_said(
    house: ApiHouse, monkeypatch: pytest.MonkeyPatch, method: str, reads: str, params: Any
) -> None:
    """It is the disk's trouble, not a fault of ours with an incident."""
    await house.ask("registerTask", type="report", service="a", id="a")

    async def fails(*_given: Any) -> Any:
        raise StoreError("the disk of /var does not answer")

    monkeypatch.setattr(house.engine.store, reads, fails)
    error = (await house.raw(method, params))["error"]
    assert error["data"] == {"reason": "store-unavailable"}
    assert error["message"] == (
        "What is on record cannot be read now: the disk of /var does not answer"
    )
