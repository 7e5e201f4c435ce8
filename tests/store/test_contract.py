"""What both stores promise to the engine: one suite, the file and its twin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from kaspad_taskd.core.ageing import CALM, SureTime
from kaspad_taskd.core.incidents import Ending, Incident
from kaspad_taskd.core.model import Health, Status
from kaspad_taskd.core.record import SWITCHES_KEPT, Change, Decision, HistoryPoint
from kaspad_taskd.core.seen import Counts, Slot
from kaspad_taskd.core.switch import Side
from kaspad_taskd.core.watch_record import Tally, WatchRecord
from kaspad_taskd.engine.ports import Store
from kaspad_taskd.store.fault import StoreError
from kaspad_taskd.store.memory import MemoryStore
from kaspad_taskd.store.sqlite import SqliteStore
from kaspad_taskd.switching import plan
from tests.store.samples import NOW, Ear, fact, point, task

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


class Bench:
    """A store under test, which can be closed and opened again at a time of choice."""

    def __init__(self, kind: str, path: Path) -> None:
        self._kind = kind
        self._path = path
        self._memory = MemoryStore(lambda: self.now)
        self.now = NOW
        self.ear = Ear()
        self.store = self._make()
        self.loaded = self.store.open()
        self.store.start(self.ear.settled)

    def _make(self) -> Store:
        if self._kind == "memory":
            return self._memory
        return SqliteStore(self._path, lambda: self.now)

    async def put(self, change: Change) -> None:
        outcome = await self.ear.submit(self.store, change)
        assert outcome.fault is None

    async def reopen(self) -> None:
        await self.store.close()
        self.store = self._make()
        self.loaded = self.store.open()
        self.store.start(self.ear.settled)


@pytest.fixture(params=["sqlite", "memory"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(request.param, tmp_path / "state.db")
    yield made
    await made.store.close()


async def test_a_new_store_is_empty(bench: Bench) -> None:
    """Nothing is there, and the first event will be number 1."""
    loaded = bench.loaded
    assert (loaded.tasks, loaded.seq, loaded.oldest, loaded.cursors) == ((), 0, 1, {})
    assert loaded.repaired is None
    assert await bench.store.events(0, 10) == []


async def test_tasks_survive_in_order_of_registration(bench: Bench) -> None:
    """By number, whatever the order of writing, with the newest content."""
    first, second = task("z", number=1), task("b", number=2)
    await bench.put(Change(put=(second, first)))
    newer = task("z", number=1, status=Status.IN_PROGRESS, percent=12.5, revision=2)
    await bench.put(Change(put=(newer,)))
    await bench.reopen()
    assert bench.loaded.tasks == (newer, second)


async def test_a_changed_definition_survives(bench: Bench) -> None:
    """Also when only it has changed."""
    old = task("a")
    new = replace(old, definition=replace(old.definition, interval=99.0), revision=2)
    await bench.put(Change(put=(old,)))
    await bench.put(Change(put=(new,)))
    await bench.reopen()
    assert bench.loaded.tasks == (new,)
    assert bench.loaded.tasks[0].definition.interval == 99.0


async def test_the_account_of_time_survives(bench: Bench) -> None:
    """Whole, the newest; and when the last event was."""
    assert (bench.loaded.sure, bench.loaded.newest) == (None, 0)
    await bench.put(Change(facts=(fact(at=NOW + 5), fact(at=NOW)), sure=SureTime(NOW)))
    sure = SureTime(NOW, 1, 2, 3, -4, 5, 6, 7, -8, 9)
    await bench.put(Change(sure=sure))
    await bench.reopen()
    assert (bench.loaded.sure, bench.loaded.newest) == (sure, NOW)


async def test_a_task_was_heard_of_no_earlier_than_what_was_told_before(bench: Bench) -> None:
    """Whatever its own events say; stamps of the future say nothing."""
    account = SureTime(NOW, calm=CALM)
    stamps = (NOW - 50, NOW + 50, 0)
    told = tuple(fact("b" if at else "a", at=at) for at in stamps)
    await bench.put(Change(facts=told, sure=account))
    assert await bench.store.last_heard("a", NOW) >= NOW - 50


async def test_facts_get_numbers_without_holes_in_order(bench: Bench) -> None:
    """Over changes, groups and a restart."""
    changes = [Change(facts=(fact("a", n=n), fact("b", n=n))) for n in range(5)]
    outcomes = await asyncio.gather(*(bench.ear.submit(bench.store, each) for each in changes))
    events = [event for outcome in outcomes for event in outcome.events]
    assert [event.seq for event in events] == list(range(1, 11))
    assert [event.fact for event in events] == [each for change in changes for each in change.facts]
    await bench.reopen()
    assert (bench.loaded.seq, bench.loaded.oldest) == (10, 1)
    assert await bench.store.events(0, 100) == events


async def test_outcomes_come_in_order_and_groups_once(bench: Bench) -> None:
    """64 changes of one turn need few calls, and keep their order."""
    changes = [Change(facts=(fact(n=n),)) for n in range(64)]
    await asyncio.gather(*(bench.ear.submit(bench.store, each) for each in changes))
    assert [outcome.change for outcome in bench.ear.outcomes] == changes
    assert len(bench.ear.groups) < 64


async def test_nothing_is_settled_within_submit(bench: Bench) -> None:
    """The engine's synchronous stretch is never entered from below."""
    waiting = bench.ear.submit(bench.store, Change(facts=(fact(),)))
    assert bench.ear.groups == []
    await waiting


@pytest.mark.parametrize(
    ("after", "limit", "before", "task_id", "expected"),
    [
        (0, 3, None, None, [1, 2, 3]),
        (3, 2, None, None, [4, 5]),
        (9, 5, None, None, [10]),
        (10, 5, None, None, []),
        (99, 5, None, None, []),
        (0, 3, 7, None, [4, 5, 6]),
        (5, 3, 7, None, [6]),
        (0, 0, 7, None, []),
        (0, 5, 2**64, None, [6, 7, 8, 9, 10]),
        (2**64, 5, None, None, []),
        (0, 3, None, "even", [2, 4, 6]),
        (0, 2, 9, "even", [6, 8]),
        (0, 9, None, "nobody", []),
    ],
)
async def test_events_are_found_by_cursor_and_task(
    bench: Bench,
    after: int,
    limit: int,
    before: int | None,
    task_id: str | None,
    expected: list[int],
) -> None:
    """Ascending; without `before` the first, with it the last `limit`."""
    await bench.put(Change(facts=tuple(fact(("even", "odd")[seq % 2]) for seq in range(1, 11))))
    found = await bench.store.events(after, limit, before, task_id)
    assert [event.seq for event in found] == expected
    assert task_id is None or {event.fact.task_id for event in found} <= {task_id}


async def test_the_story_outlives_its_task(bench: Bench) -> None:
    """Removing deletes the task and its history, not what was told of it."""
    await bench.put(Change(put=(task("a"), task("b")), points=(point(NOW), point(NOW, 2.0, "b"))))
    await bench.put(Change(remove=("a",), facts=(fact("a"),)))
    assert await bench.store.history("a", 0, 2 * NOW) == []
    assert len(await bench.store.history("b", 0, 2 * NOW)) == 1
    await bench.reopen()
    assert [each.id for each in bench.loaded.tasks] == ["b"]
    assert len(await bench.store.events(0, 9, task_id="a")) == 1


async def test_removing_comes_before_putting(bench: Bench) -> None:
    """A task registered anew in one change is there, without the old one's history."""
    await bench.put(Change(put=(task("a"),), points=(point(NOW),)))
    again = task("a", number=7)
    await bench.put(Change(remove=("a",), put=(again,)))
    assert await bench.store.history("a", 0, 2 * NOW) == []
    await bench.reopen()
    assert bench.loaded.tasks == (again,)


async def test_cursors_survive(bench: Bench) -> None:
    """The last one of a name wins."""
    await bench.put(Change(cursors={"reactions": 1, "mirror": 2}))
    await bench.put(Change(cursors={"reactions": 3}))
    await bench.reopen()
    assert bench.loaded.cursors == {"reactions": 3, "mirror": 2}


async def test_marks_survive(bench: Bench) -> None:
    """Until they are taken back."""
    await bench.put(Change(marks={"hold/a": 1, "hold/b": 2}))
    await bench.put(Change(marks={"hold/a": None, "hold/b": 3}))
    await bench.reopen()
    assert bench.loaded.marks == {"hold/b": 3}


async def test_decisions_are_numbered_by_the_store(bench: Bench) -> None:
    """Whatever number they come with; over a restart too."""
    given = [Decision(99, NOW, "wait", {"node": "a"}), Decision(99, NOW, "skip", None)]
    outcome = await bench.ear.submit(bench.store, Change(decisions=tuple(given)))
    assert [each.id for each in outcome.decisions] == [1, 2]
    await bench.reopen()
    await bench.put(Change(decisions=(Decision(0, NOW, "background", []),)))
    found = await bench.store.decisions()
    assert [(each.id, each.decision) for each in found] == [
        (1, "wait"),
        (2, "skip"),
        (3, "background"),
    ]
    assert found[0].context == {"node": "a"}


async def test_the_last_point_of_a_minute_wins(bench: Bench) -> None:
    """And every field of it comes back."""
    minute = NOW // MINUTE * MINUTE
    last = HistoryPoint("a", minute + 59_999, 3.0, None, 2.5, Health.STALLED)
    await bench.put(Change(points=(point(minute + 1, 1.0), point(minute + 2, 2.0), last)))
    assert await bench.store.history("a", 0, 2 * NOW) == [last]


async def test_history_is_minutes_for_six_hours_then_half_hours(bench: Bench) -> None:
    """One a minute for the last 6 h, one a half hour up to 14 days back, no time twice."""
    start = NOW // DAY * DAY
    points = tuple(point(start + n * MINUTE, n / 1000) for n in range(0, 15 * 24 * 60, 3))
    await bench.put(Change(points=points))
    bench.now = start + 15 * DAY
    found = await bench.store.history("a", 0, 2 * NOW)
    horizon = bench.now - 6 * HOUR
    minutes = [each for each in found if each.at >= horizon]
    half_hours = [each for each in found if each.at < horizon]
    assert len(minutes) == 120 - 1
    assert len(half_hours) == 14 * 48 - 12 - 1  # of both, the slot of now is empty yet
    assert all(each.at % (30 * MINUTE) == 27 * MINUTE for each in half_hours)
    assert [each.at for each in found] == sorted(each.at for each in found)


async def test_history_is_cut_to_what_was_asked(bench: Bench) -> None:
    """From the start on, up to the end and without it."""
    await bench.put(Change(points=tuple(point(NOW - n * MINUTE) for n in range(10))))
    found = await bench.store.history("a", NOW - 3 * MINUTE, NOW - MINUTE)
    assert [each.at for each in found] == [NOW - 3 * MINUTE, NOW - 2 * MINUTE]


async def test_close_commits_what_is_queued(bench: Bench) -> None:
    """And tells it, before it returns."""
    for n in range(300):
        bench.store.submit(Change(facts=(fact(n=n),)))
    await bench.reopen()
    assert len(bench.ear.outcomes) == 300
    assert bench.loaded.seq == 300


async def test_a_closed_store_takes_nothing(bench: Bench) -> None:
    """A change that would be lost is refused; closing twice is no harm."""
    await bench.store.close()
    await bench.store.close()
    with pytest.raises(StoreError, match="not open"):
        bench.store.submit(Change())


async def test_the_writer_gives_signs_of_life(bench: Bench) -> None:
    """The later one is not earlier, and a commit is one."""
    before = bench.store.answered()
    await bench.put(Change(facts=(fact(),)))
    assert bench.store.answered() >= before


async def test_switches_survive_with_their_newest_state(bench: Bench) -> None:
    """As they were put, by id."""
    first = plan.begin(1, "kasia", Side.LOCAL, Side.PUBLIC, NOW)
    second = plan.begin(2, "ski", Side.PUBLIC, None, NOW, task_id="node", cause=7)
    await bench.put(Change(switches=(second, first)))
    newer = plan.passed(first, NOW + 5, {"network": "mainnet", "port": 17110})
    await bench.put(Change(switches=(newer,)))
    await bench.reopen()
    assert bench.loaded.switches == (newer, second)


async def test_old_switches_are_let_go(bench: Bench) -> None:
    """The newest are kept."""
    for number in range(1, SWITCHES_KEPT + 4):
        await bench.put(Change(switches=(plan.begin(number, "x", Side.LOCAL, None, NOW),)))
    await bench.reopen()
    kept = [each.id for each in bench.loaded.switches]
    assert kept == list(range(4, SWITCHES_KEPT + 4))


# -- the record of what is kept watch on


def tally(minute: int, task_id: str = "a", **counts: int) -> Tally:
    return Tally(task_id, minute, Counts(**counts))


async def test_what_was_counted_adds_up_in_minutes_and_hours(bench: Bench) -> None:
    """Minutes of the last day, before it hours; no more of a minute than it has."""
    now, first = NOW // HOUR * HOUR, NOW // HOUR * HOUR // MINUTE
    bench.now = now + HOUR
    await bench.put(Change(tallies=(tally(first, ok=40_000), tally(first + 1, behind=60_000))))
    await bench.put(Change(tallies=(tally(first, stalled=10_000, unreachable=30_000),)))
    await bench.put(Change(tallies=(tally(first, "b", ok=1),)))
    await bench.reopen()
    full = Counts(40_000, 0, 5_000, 15_000)
    assert await bench.store.seen("a", now, now + HOUR) == [
        Slot(now, MINUTE, full), Slot(now + MINUTE, MINUTE, Counts(behind=60_000)),
    ]  # fmt: skip
    assert await bench.store.seen("a", now + MINUTE, now + HOUR) == [
        Slot(now + MINUTE, MINUTE, Counts(behind=60_000))
    ]
    assert await bench.store.seen("a", 0, now) == []
    bench.now = now + 2 * DAY
    assert await bench.store.seen("a", 0, bench.now) == [
        Slot(now, HOUR, full.plus(Counts(behind=60_000)))
    ]


async def test_records_and_incidents_survive_and_are_forgotten_together(bench: Bench) -> None:
    """With their task or without it; the number of an incident is given once."""
    kept = WatchRecord("a", "kaspa-node", "node-sync", NOW, NOW + 5, total=Counts(ok=5), unknown=7)
    other = replace(kept, task_id="b", until=NOW + 9)
    lasting = Incident(1, "a", "kaspa-node", "node-sync", 1, NOW, Health.BEHIND, params={"n": 1})
    over = replace(lasting, id=2, task_id="b").over(NOW + 9, Ending.NOT_WATCHED)
    await bench.put(Change(records=(kept, other), incidents=(lasting, replace(over, ended=None))))
    await bench.put(Change(remove=("a",), records=(replace(kept, at=NOW + 6),), incidents=(over,)))
    await bench.reopen()
    assert bench.loaded.records == (replace(kept, at=NOW + 6), other)
    assert (bench.loaded.incidents, bench.loaded.incident) == ((lasting,), 2)
    assert await bench.store.incidents(None, 0, NOW + 99, 9) == [over, lasting]
    assert await bench.store.incidents(None, 0, NOW + 99, 1) == [over]
    assert await bench.store.incidents("a", 0, NOW + 99, 9) == [lasting]
    assert await bench.store.incidents(None, NOW + 10, NOW + 99, 9) == [lasting]
    assert await bench.store.incidents(None, 0, NOW, 9) == []
    await bench.put(Change(forget=("b",), tallies=(tally(1, ok=1),)))
    await bench.put(Change(forget=("a",)))
    await bench.reopen()
    assert not bench.loaded.records
    assert not bench.loaded.incidents
    assert bench.loaded.incident == 2
    assert await bench.store.incidents(None, 0, NOW + 99, 9) == []
    assert await bench.store.seen("a", 0, NOW) == []
