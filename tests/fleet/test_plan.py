"""Guarantees of the relay's rules: what is in Redis equals the journal, whatever was lost."""

from __future__ import annotations

import json
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaspad_taskd.fleet import keys
from kaspad_taskd.fleet.relay import plan
from kaspad_taskd.fleet.relay.batch import MOST, Batch, Hole, Sender, commands
from kaspad_taskd.fleet.relay.plan import Facts, Found, Start, Told, start
from tests.fleet.model import HOST, KEEP, Engine, Lost, Smaller, World

EVENT = Told(7, "sync:health", "2026-11-30T12:00:00.000Z")


@settings(max_examples=400)
@given(st.integers(0, 2**32))
def test_the_events_equal_the_journal_whatever_is_lost_or_repeated(seed: int) -> None:
    """Whether Redis, the daemon, the machine or the relay is harmed.

    Writes are lost before or after they are done, done twice, undone by a fail-over; all is
    flushed; the daemon forgets, is restored, rolled back; the relay is killed.
    """
    world = World(Random(seed))
    chance = world.chance
    for _ in range(40):
        happens(world, chance.randint(0, 14))
        try:
            world.go_on(world.unsound, chance.randint(1, 9))
        except (Lost, Smaller):
            world.batch = None
    for _ in range(400):
        try:
            world.go_on(world.sound, 9)
        except (Lost, Smaller):
            world.batch = None
        else:
            if world.at == world.journal.seq:
                break
    holds(world)


def happens(world: World, what: int) -> None:
    """Something to the daemon, the machine, the relay or Redis."""
    match what:
        case 0:
            world.fail_over()
        case 1:
            world.journal.roll_back()
        case 2:
            world.journal.restore()
        case 3:
            world.journal.forget()
        case 4:
            world.run += 1
            world.count = 0
        case 5:
            world.empty()
            return
        case _:
            world.journal.tell(what - 6)
            return
    world.batch = None


def holds(world: World) -> None:
    journal = world.journal
    meta = world.engine.hash(keys.META)
    assert meta["journal"] == journal.identity
    there = {keys.number_of(name): fields for name, fields in world.engine.entries(meta["stream"])}
    numbers = list(there)
    assert numbers == sorted(numbers)
    begun = max(world.engine.begun[meta["stream"]], journal.seq - KEEP)
    wanted = [number for number in journal.events if number > begun]
    for number in wanted:
        event = journal.events[number]
        assert there[number]["e"] == event["event"]
        assert json.loads(there[number]["d"]) == event["data"]
    if wanted:
        assert numbers[-1] == journal.seq
    for number in set(there) & set(journal.events):
        assert json.loads(there[number]["d"]) == journal.events[number]["data"]
    for before, after in pairwise(numbers):
        assert (
            after == before + 1 or after not in journal.events or before + 1 not in journal.events
        )


def test_a_host_begins_with_what_the_daemon_still_has() -> None:
    assert start(Found(), Facts("aa", 1000, 1), 400) == Start("ev:aa", 600)
    assert start(Found(), Facts("aa", 1000, 900), 400) == Start("ev:aa", 899)
    assert start(Found(), Facts("aa", 0, 1), 400) == Start("ev:aa", 0)


def test_it_goes_on_behind_the_last_event_that_is_there() -> None:
    found = Found("aa", "ev:aa.2", EVENT)
    assert start(found, Facts("aa", 9, 1, EVENT), 400) == Start("ev:aa.2", 7)


def test_what_the_daemon_forgot_meanwhile_is_a_gap() -> None:
    found = Found("aa", "ev:aa", EVENT)
    assert start(found, Facts("aa", 99, 50), 400) == Start("ev:aa", 49, (7, 50))
    assert start(found, Facts("aa", 99, 8), 400) == Start("ev:aa", 7)


def test_another_journal_is_another_stream_and_the_old_one_goes() -> None:
    found = Found("aa", "ev:aa.1")
    assert start(found, Facts("bb", 99, 90), 400) == Start("ev:bb", 89, old="ev:aa.1")


@pytest.mark.parametrize(
    "facts",
    [
        Facts("aa", 9, 1, Told(7, "sync:health", "later")),
        Facts("aa", 9, 1, Told(7, "sync:error", EVENT.timestamp)),
        Facts("aa", 6, 1),
    ],
)
def test_a_daemon_that_was_rolled_back_has_another_stream(facts: Facts) -> None:
    """Whether it told another event of that number by now, or none."""
    for stream, other in (("ev:aa", "ev:aa.1"), ("ev:aa.1", "ev:aa.2"), ("ev:aa.9", "ev:aa.10")):
        found = Found("aa", stream, EVENT)
        assert start(found, facts, 400) == Start(other, 0, old=stream)


@pytest.mark.parametrize(
    "entry",
    [
        ("1-1", {}),
        ("1764500000000-0", {"x": "y"}),
        ("7-0", {"e": "a"}),
        ("7-0", {"e": "a", "d": "[]"}),
    ],
)
def test_what_nobody_of_ours_wrote_is_left_alone(entry: plan.Entry) -> None:
    found = plan.read(Found("aa", "ev:aa"), "aa", lambda part: entry if part == "ev:aa" else None)
    assert start(found, Facts("aa", 9, 1, EVENT), 400).stream == "ev:aa.1"


def test_the_count_goes_beyond_what_anybody_wrote() -> None:
    assert plan.count_of(None) == 0
    assert plan.count_of(("8-0", {})) == 8
    assert plan.count_of(("8-3", {})) == 9


def batch(*numbers: int, after: int = 0) -> Batch:
    made = Batch(after)
    for number in numbers:
        made.hear({"seq": number, "event": "sync:health", "data": {"taskId": "t", "n": number}})
    return made


def test_an_event_that_is_told_again_is_in_a_batch_once() -> None:
    assert [number for number, *_ in batch(1, 2, 2, 1, 3).events] == [1, 2, 3]


def test_no_event_is_written_past_one_that_is_missing() -> None:
    with pytest.raises(Hole, match="event 4 was told after 2"):
        batch(1, 2, 4)


def test_a_batch_has_a_bound() -> None:
    made = batch(*range(1, MOST + 1))
    assert made.is_full
    assert not batch(*range(1, MOST)).is_full


SENDER = Sender(HOST, "run", "ev:aa", KEEP, make=True)
DAEMON = {"answers": True, "since": 4}


def written(made: Batch, engine: Engine | None = None, count: int = 1) -> Engine:
    engine = engine or Engine()
    assert not any(
        isinstance(each, Exception)
        for each in engine.do(commands(made, SENDER, count, 5, DAEMON, make=True))
    )
    return engine


def test_what_changed_is_said_in_one_entry() -> None:
    made = batch(8, 9, after=7)
    made.know("t", {"id": "t", "status": "in-progress"})
    made.hear({"seq": 9, "event": "sync:progress", "data": {"taskId": "t", "progress": 4}})
    made.know("gone", None)
    made.remember("t", b'{"record":null}')
    made.serve(services=[], warnings={"warnings": []})
    engine = written(made)
    entry = engine.newest(keys.NOW)
    assert entry is not None
    assert entry[0] == "1-0"
    assert json.loads(entry[1]["w"]) == {
        "run": "run",
        "at": 5,
        "stream": "ev:aa",
        "from": 7,
        "to": 9,
        "events": [
            {"seq": seq, "event": "sync:health", "data": {"taskId": "t", "n": seq}}
            for seq in (8, 9)
        ],
        "tasks": [{"id": "t", "status": "in-progress"}],
        "progress": [{"taskId": "t", "progress": 4}],
        "gone": ["gone"],
        "past": ["t"],
        "services": [],
        "warnings": {"warnings": []},
        "daemon": {"answers": True, "since": 4},
    }
    assert json.loads(engine.hash(keys.TASKS)["t"])["status"] == "in-progress"
    assert json.loads(engine.hash(keys.PROGRESS)["t"])["progress"] == 4
    assert engine.hash(keys.PAST) == {"t": '{"record":null}'}


def test_a_task_takes_the_progress_before_it_away() -> None:
    """So what stands in `progress` is always newer than the task beside it."""
    made = batch()
    made.hear({"seq": 9, "event": "sync:progress", "data": {"taskId": "t", "progress": 4}})
    engine = written(made)
    later = batch()
    later.hear({"seq": 9, "event": "sync:progress", "data": {"taskId": "t", "progress": 5}})
    later.know("t", {"id": "t"})
    written(later, engine, 2)
    assert engine.hash(keys.PROGRESS) == {}


def test_what_is_gone_leaves_nothing_behind() -> None:
    made = batch()
    made.know("t", {"id": "t"})
    made.remember("t", b"{}")
    made.hear({"seq": 9, "event": "sync:progress", "data": {"taskId": "t"}})
    engine = written(made)
    later = batch()
    later.remember("t", b"{}")
    later.know("t", None)
    later.remember("t", b"{}")
    written(later, engine, 2)
    parts = (keys.TASKS, keys.PROGRESS, keys.PAST)
    assert [engine.hash(part) for part in parts] == [{}, {}, {}]


def test_who_begins_writes_all_anew() -> None:
    """Tasks of an earlier time are gone, and `now` says that hashes are to be read."""
    made = batch()
    made.know("old", {"id": "old"})
    engine = written(made)
    fresh = Batch(0, anew=True)
    fresh.know("t", {"id": "t"})
    written(fresh, engine, 2)
    assert list(engine.hash(keys.TASKS)) == ["t"]
    entry = engine.newest(keys.NOW)
    assert entry is not None
    said = json.loads(entry[1]["w"])
    assert said["anew"] is True
    assert said["tasks"] == []


def test_an_emptied_server_takes_no_event_without_those_before() -> None:
    """And no sign of life: whoever writes finds out that nothing is there any more."""
    sender = Sender(HOST, "run", "ev:aa", KEEP)
    engine = Engine()
    assert engine.do(commands(batch(8, after=7), sender, 9, 5, DAEMON)) == [None, None]
    assert engine.streams == {}
