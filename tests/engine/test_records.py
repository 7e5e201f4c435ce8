"""The record of what is kept watch on: it equals an independent count, whatever happens."""

from __future__ import annotations

import asyncio
import random
from copy import copy
from dataclasses import astuple, dataclass, field, replace
from typing import Any

import pytest

from kaspad_taskd.api.records import STATES, record_told
from kaspad_taskd.base.clock import parse_iso
from kaspad_taskd.core.ageing import HOUR, SureTime
from kaspad_taskd.core.incidents import Ending, Incident
from kaspad_taskd.core.inputs import Cancel, Look, Pause, Redefine, Retry, Start
from kaspad_taskd.core.model import Definition, Health, Status, Task, Watch
from kaspad_taskd.core.observation import Following, Observation, Reading, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.watch_record import joined
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.engine.records import WRITTEN_EVERY_MS
from kaspad_taskd.store.memory import MemoryStore

BEGIN = 1_795_000_000_000 // 86_400_000 * 86_400_000 + 7 * 3_600_000 + 1_234_000
DAY = 86_400
EVERY = 900
GONE = Unreachable(Reason.REFUSED)


def definition(**more: Any) -> Definition:
    known: dict[str, Any] = {
        "keep_watching": True, "confirmations": 1, "interval": 10.0, "watch_interval": float(EVERY),
        "behind_after": 1800.0, "stall_after": 3600.0,
    }  # fmt: skip
    return Definition("node", "node-sync", "kaspa-node", **{**known, **more})


class World:
    """An engine on its store, its clocks, and a node that is as a test wants it."""

    def __init__(self, **more: Any) -> None:
        self.wall = BEGIN
        self.store = MemoryStore(self.now)
        self.definition = definition(**more)
        self.score = 0
        self.engine = self._start()

    def now(self) -> int:
        return self.wall

    def _start(self) -> Engine:
        engine = Engine(self.store, self.now)
        engine.begin(self.store.open())
        return engine

    async def register(self) -> None:
        task = Task(self.definition, self.wall, 1, health_since=self.wall)
        await self.engine.durable(self.engine.commit([task]))
        await self.engine.act("node", Start())

    @property
    def task(self) -> Task:
        task = self.engine.get("node")
        assert task is not None
        return task

    def says(self, word: str) -> Observation:
        if word == "gone":
            return GONE
        self.score += 0 if word == "still" else 3000
        told = Following(str(self.score), float(self.score), 10.0, True)
        behind = 0.5 if word in ("ok", "still") else 900.0
        return Reading(complete=word in ("ok", "still"), behind=behind, following=told)

    def loses(self) -> Reading:
        """A look that tells that all data is lost."""
        return Reading(complete=False, epoch="db-reset", following=Following("0", 0.0, 10.0, True))

    async def look(self, word: str = "ok") -> None:
        self.engine.submit("node", Look(self.task.attempt, self.says(word)))
        await asyncio.sleep(0)
        self.engine.flush()
        await asyncio.sleep(0)

    async def stop(self) -> None:
        await asyncio.gather(*self.engine.flush(all_of_it=True))
        await self.store.close()

    def start(self) -> None:
        self.engine = self._start()

    def kill(self) -> None:
        left = MemoryStore(self.now)
        for name, value in vars(self.store).items():
            if name not in ("_now", "_queue", "_settled"):
                setattr(left, name, copy(value))
        for name in ("_seen",):
            setattr(left, name, {key: dict(kept) for key, kept in vars(left)[name].items()})
        self.store = left

    async def told(self, days: int) -> dict[str, Any]:
        records, now = self.engine.records, self.wall
        record = records.get("node")
        assert record is not None
        slots = await self.store.seen("node", 0, now + 1)
        return record_told(record, joined(slots, records.pending("node"), now), days, now)

    async def incidents(self) -> list[Incident]:
        newer = {each.id: each for each in self.engine.records.unwritten()}
        stored = await self.store.incidents("node", 0, 2**60, 10_000)
        return [newer.get(each.id, each) for each in stored] + [
            each for each in newer.values() if each.id not in {old.id for old in stored}
        ]


@dataclass
class Count:
    """Somebody else's count: a byte for each second, marked by what was shown of it."""

    marks: bytearray = field(default_factory=lambda: bytearray(100 * DAY))

    def mark(self, start: int, end: int, health: Health) -> None:
        first, last = (start - BEGIN) // 1000, (end - BEGIN) // 1000
        self.marks[first:last] = bytes([1 + list(Health).index(health)]) * (last - first)

    def of(self, start: int, end: int) -> dict[str, int]:
        part = self.marks[(start - BEGIN) // 1000 : (end - BEGIN) // 1000]
        found = {each.value: part.count(1 + at) for at, each in enumerate(Health)}
        found["unknown"] += part.count(0)
        return {state: found[state] for state in STATES}


class Life:
    """Ninety days of a node and a daemon, by chance; `count` looks on."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.chance, self.count = world, random.Random(seed), Count()
        self.weather, self.until = "ok", 0
        self.looked: int | None = None  # the last look, while nothing came between
        self.counted = BEGIN
        self.happened: dict[str, int] = {}

    def seen(self) -> None:
        """What was shown since the last time, if somebody looked no longer ago than that."""
        world = self.world
        task = world.task
        amiss = task.because is not None
        shown = task.health if task.status is Status.COMPLETE else Health.BEHIND if amiss else None
        on = task.watch is Watch.ON or task.status is Status.IN_PROGRESS
        fresh = self.looked is not None and world.wall - self.looked <= 3 * EVERY * 1000
        if on and fresh and shown is not None:
            self.count.mark(self.counted, world.wall, shown)
        self.counted = world.wall

    def pass_by(self, seconds: float) -> None:
        self.world.wall += int(seconds) * 1000

    async def look(self) -> None:
        if self.world.wall >= self.until:
            self.weather, self.until = "ok", 0
        self.seen()
        await self.world.look(self.weather)
        self.looked = self.world.wall

    async def happens(self) -> None:
        kind = self.chance.choice(["outage"] * 6 + ["restart", "pause", "jump", "freeze"])
        self.happened[kind] = self.happened.get(kind, 0) + 1
        lasts = int(self.chance.choice([40, 400, 4_000, 20_000]) * (0.1 + self.chance.random()))
        world = self.world
        if kind == "outage":
            self.weather = self.chance.choice(["gone", "bad", "still", "bad"])
            self.until = world.wall + lasts * 1000
            return
        self.pass_by(self.chance.randrange(200))
        if kind in ("restart", "pause"):  # before the others nothing is known since the last look
            self.seen()
        if kind == "restart":
            await world.stop()
            self.pass_by(lasts)
            world.start()
        elif kind == "pause":
            await world.engine.act("node", Pause())
            self.pass_by(lasts)
            await world.engine.act("node", Start())
        elif kind == "jump":  # and a host that slept is no other thing
            self.pass_by(lasts)
            world.engine.attach(jumped=True)
        else:
            self.pass_by(lasts)  # stopped by SIGSTOP, a heavy load: the next look is late
            await self.look()
            return
        self.looked, self.counted = None, world.wall
        await self.look()


@pytest.mark.parametrize("seed", [14])
async def test_ninety_days_equal_an_independent_count_to_the_second(seed: int) -> None:
    """A thousand outages, restarts, pauses, jumps: states sum to the time, none is made up."""
    world = World()
    await world.register()
    await world.look()
    life = Life(world, seed)
    life.looked = world.wall
    while world.wall < BEGIN + 90 * DAY * 1000:
        for _ in range(life.chance.randrange(11)):
            life.pass_by(EVERY + life.chance.randrange(3))
            await life.look()
        await life.happens()
    life.seen()
    assert sum(life.happened.values()) > 1000
    assert len(life.happened) == 5
    for days in (1, 7, 30, 90):
        told = await world.told(days)
        start, end = (moment(told[key]) for key in ("from", "to"))
        assert sum(told["seconds"].values()) == round((end - start) / 1000)
        assert close(told["seconds"], life.count.of(start, end), 1)
        for part in told["series"]:
            first, last = moment(part["from"]), moment(part["to"])
            assert close(part["seconds"], life.count.of(first, last), 1)
        assert told["series"][0]["from"] == told["from"]
        assert len(told["series"]) == (24 if days == 1 else days)
    assert min(told["seconds"].values()) > 3600
    total = await totals(world)
    assert close(total, life.count.of(BEGIN, world.wall), 1)


def moment(text: str) -> int:
    return parse_iso(text)


def close(one: dict[str, int], other: dict[str, int], leeway: int) -> bool:
    return all(abs(one[state] - other[state]) <= leeway for state in STATES)


async def totals(world: World) -> dict[str, int]:
    """Of the whole life, as metrics tell it: what is on disk."""
    await world.stop()
    world.start()
    record = world.engine.records.durable["node"]
    found = {state: getattr(record.total, state) // 1000 for state in STATES[:-1]}
    return {**found, "unknown": record.unknown // 1000}


# -- incidents


async def trouble(world: World, *words: str) -> list[Incident]:
    """A look every five minutes, and what became of it."""
    for word in words:
        world.wall += EVERY * 1000
        await world.look(word)
    return await world.incidents()


async def test_an_incident_lasts_from_the_first_bad_look_to_ok() -> None:
    """With the worst health on the way, its cause, and how far behind it was."""
    world = World()
    await world.register()
    await world.look()
    assert await trouble(world, "ok", "bad", "ok") == []  # that was no health
    began = world.wall + EVERY * 1000
    (found,) = await trouble(world, "bad", "bad", "bad")
    assert (found.began, found.health, found.ended, found.ending) == (
        began, Health.BEHIND, None, None,
    )  # fmt: skip
    (found,) = await trouble(world, "gone", "bad")
    assert (found.health, found.reason) == (Health.UNREACHABLE, Reason.REFUSED)
    (found,) = await trouble(world, "ok")
    assert (found.ended, found.ending, found.worst_behind) == (world.wall, Ending.OK, 900.0)
    first, second = await trouble(world, "ok", "gone", "ok")
    assert {first.id, second.id} == {1, 2}


async def test_what_follows_a_relapse_is_the_same_incident_until_it_is_in_sync() -> None:
    """The attempt that began by itself counts as behind, whatever its own health is."""
    world = World()
    await world.register()
    await world.look()
    world.wall += EVERY * 1000
    lost = world.loses()
    world.engine.submit("node", Look(1, lost))
    await asyncio.sleep(0)
    assert (world.task.attempt, world.task.status) == (2, Status.IN_PROGRESS)
    for _ in range(10):
        world.wall += 60_000
        await world.look("bad")
    world.wall += 60_000
    await world.look("ok")
    assert world.task.status is Status.COMPLETE
    (found,) = await world.incidents()
    assert (found.reason, found.health, found.ending) == (
        "db-reset", Health.BEHIND, Ending.SYNCED_AGAIN,
    )  # fmt: skip
    told = await world.told(1)
    assert told["seconds"] == {
        "ok": EVERY, "behind": 660, "stalled": 0, "unreachable": 0, "unknown": 0,
    }  # fmt: skip


async def test_why_an_attempt_began_by_itself_is_no_cause_of_what_comes_after_it() -> None:
    """Its reason is that of the attempt under way; once it is complete that is over."""
    world = World()
    await world.register()
    await world.look()
    world.wall += EVERY * 1000
    world.engine.submit("node", Look(1, world.loses()))
    await asyncio.sleep(0)
    await trouble(world, "bad", "ok", "ok")
    assert (world.task.status, world.task.because) == (Status.COMPLETE, "db-reset")
    _, later = sorted(await trouble(world, "bad", "bad", "bad", "bad"), key=lambda each: each.id)
    assert (later.health, later.reason) == (Health.BEHIND, None)


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("syncing", [False, True])
async def test_another_work_under_the_same_id_is_not_what_was_amiss(
    syncing: bool, killed: bool
) -> None:
    """Nobody looks at the old one any more, and of the new one nothing is known yet."""
    world = World()
    await world.register()
    await world.look()
    if syncing:
        world.wall += EVERY * 1000
        world.engine.submit("node", Look(1, world.loses()))
        await asyncio.sleep(0)
    await trouble(world, "bad", "bad", "bad", "bad")
    other = replace(world.definition, checker={"url": "grpc://other:16110"})
    await world.engine.act("node", Redefine(other))
    if killed:
        world.kill()
        world.start()
    (found,) = await world.incidents()
    assert (found.ended, found.ending) == (world.wall, Ending.NOT_WATCHED)
    before = (await world.told(1))["seconds"]
    for word in ("bad", "bad", "ok"):
        world.wall += 60_000
        await world.look(word)
    after = (await world.told(1))["seconds"]
    assert len(await world.incidents()) == 1
    assert after == {**before, "unknown": before["unknown"] + 180}


async def test_a_pause_of_what_syncs_again_parts_it_into_two_incidents() -> None:
    """Nobody knows what was in between, so no incident reaches over it."""
    world = World()
    await world.register()
    await world.look()
    world.wall += EVERY * 1000
    world.engine.submit("node", Look(1, world.loses()))
    await asyncio.sleep(0)
    await trouble(world, "bad")
    paused = world.wall = world.wall + 60_000
    await world.engine.act("node", Pause())
    world.wall += 7_200_000
    await world.engine.act("node", Start())
    first, second = sorted(await trouble(world, "bad", "ok"), key=lambda each: each.id)
    assert (first.ended, first.ending) == (paused, Ending.NOT_WATCHED)
    assert (second.began, second.ending) == (paused + 7_200_000, Ending.SYNCED_AGAIN)


async def test_an_attempt_that_somebody_begins_is_not_known_until_it_is_complete() -> None:
    """Over what was well; nobody knows that it is not. Amid an incident it is behind."""
    world = World()
    await world.register()
    await world.look()
    await world.engine.act("node", Retry())
    for word in ("bad", "bad", "ok"):
        world.wall += 60_000
        await world.look(word)
    assert await world.incidents() == []
    await trouble(world, "bad", "bad", "bad", "bad")
    await world.engine.act("node", Retry())
    for word in ("bad", "bad", "ok"):
        world.wall += 60_000
        await world.look(word)
    (found,) = await world.incidents()
    assert (found.ending, found.worst_behind) == (Ending.SYNCED_AGAIN, 900.0)
    seconds = (await world.told(1))["seconds"]
    assert seconds == {
        "ok": 3 * EVERY, "behind": EVERY + 180, "stalled": 0, "unreachable": 0, "unknown": 180,
    }  # fmt: skip


@pytest.mark.parametrize("way", ["pause", "cancel", "remove"])
async def test_who_looks_no_more_ends_the_incident_without_knowing_how(way: str) -> None:
    """The record goes on, of a removed task up to then."""
    world = World()
    await world.register()
    await world.look()
    await trouble(world, "gone", "gone")
    world.wall += 60_000
    if way == "pause":
        await world.engine.act("node", Pause())
    elif way == "cancel":
        await world.engine.act("node", Retry())
        await world.engine.act("node", Cancel())
    else:
        await world.engine.durable(world.engine.commit(remove=["node"]))
    (found,) = await world.incidents()
    assert (found.ended, found.ending) == (world.wall, Ending.NOT_WATCHED)
    world.wall += 600_000
    seconds = (await world.told(1))["seconds"]
    assert seconds["unknown"] == (0 if way == "remove" else 600)
    assert seconds["unreachable"] == EVERY + 60


@pytest.mark.parametrize("when", ["begun", "ended"])
async def test_an_incident_that_a_kill_took_is_found_again(when: str) -> None:
    """In what is on record of the task itself, with the same first look and the same end."""
    world = World()
    await world.register()
    await world.look()
    began = world.wall + EVERY * 1000
    await trouble(world, "bad", "bad", "bad", "bad")
    before = await world.incidents()
    if when == "ended":
        world.engine.commit()  # it is written, and then its end is not
        await asyncio.sleep(0)
        (found,) = await trouble(world, "ok")
        assert found.ended == world.wall
    world.kill()
    end = world.wall
    world.wall += 30_000
    world.start()
    (found,) = await world.incidents()
    assert (found.id, found.began, found.health) == (before[0].id, began, Health.BEHIND)
    assert found.ended == (end if when == "ended" else None)


async def test_a_kill_loses_five_minutes_at_most_and_they_are_not_known() -> None:
    """Nothing else of the time is missing, and none of it is made up."""
    world, chance = World(watch_interval=30.0), random.Random(5)
    await world.register()
    await world.look()
    for kills in range(1, 60):
        for _ in range(chance.randrange(1, 60)):
            world.wall += 30_000
            await world.look()
        world.kill()
        world.start()
        known = (await world.told(1))["seconds"]["ok"] * 1000
        missing = min(world.wall - BEGIN, 86_400_000) - known
        assert 0 <= missing <= kills * (WRITTEN_EVERY_MS + 30_000)
        total = world.engine.records.durable["node"].total
        assert total.ok + world.engine.records.durable["node"].unknown <= world.wall - BEGIN
        await world.look()
    assert known > 0.5 * (world.wall - BEGIN)


async def test_what_could_not_be_written_is_written_later() -> None:
    """A full disk costs nothing of the record, as long as the daemon runs."""
    world = World()
    await world.register()
    await world.look()
    for number in range(60):
        world.wall += EVERY * 1000
        if number % 3:
            world.store.fail_next("the disk is full")
        await world.look()
    await world.stop()
    world.start()
    seconds = (await world.told(1))["seconds"]
    assert seconds == {"ok": 60 * EVERY, "behind": 0, "stalled": 0, "unreachable": 0, "unknown": 0}
    record = world.engine.records.durable["node"]
    assert (record.total.ok, record.unknown) == (60 * EVERY * 1000, 0)


async def test_what_is_told_durably_never_goes_down() -> None:
    """Over kills, restarts and clocks that go back: a counter of metrics may not."""
    world, chance = World(), random.Random(6)
    await world.register()
    await world.look()
    before = [0] * 5
    for _ in range(600):
        world.wall += EVERY * 1000
        await world.look(chance.choice(["ok"] * 8 + ["bad", "gone"]))
        if chance.random() < 0.1:
            world.wall += chance.choice([-1, 1]) * chance.randrange(20_000_000)
            world.engine.attach(jumped=True)
        if chance.random() < 0.1:
            world.kill()
            world.start()
        kept = world.engine.records.durable.get("node")
        if kept is not None:
            now = [*astuple(kept.total), kept.unknown]
            assert all(a <= b for a, b in zip(before, now, strict=True))
            before = now
    assert min(before[0], before[1], before[3], before[4]) > 0


async def test_a_clock_that_goes_back_counts_no_second_twice() -> None:
    """However often it passes the same hour, there is no more of it than an hour."""
    world = World(watch_interval=30.0)
    await world.register()
    await world.look()
    for _ in range(5):
        for _ in range(120):
            world.wall += 30_000
            await world.look()
        told = await world.told(1)
        length = moment(told["to"]) - moment(told["from"])
        assert sum(told["seconds"].values()) == length // 1000
        assert told["seconds"]["ok"] <= length // 1000
        world.wall -= 3_000_000
        world.engine.attach(jumped=True)
    assert told["seconds"]["unknown"] < 300


async def test_a_year_ahead_for_minutes_costs_the_record_nothing() -> None:
    """What a right clock counted stays, and what the wrong one did is not shown."""
    world = World(watch_interval=30.0)
    await world.register()
    await world.look()
    for wrong in (0, 365 * 86_400_000):
        world.wall += wrong
        world.engine.attach(jumped=True)
        for _ in range(60):
            world.wall += 30_000
            await world.look()
        world.wall -= wrong
        world.engine.attach(jumped=True)
    await world.look()
    seconds = (await world.told(1))["seconds"]
    assert seconds["ok"] == 59 * 30
    assert sum(seconds.values()) == 3600


@pytest.mark.parametrize("ends", [False, True])
async def test_an_incident_began_by_a_clock_that_was_ahead_is_of_now(ends: bool) -> None:
    """Nothing that lasts began in the future, and so it is among what is told up to now."""
    world = World()
    await world.register()
    await world.look()
    world.wall += 365 * 86_400_000
    world.engine.attach(jumped=True)
    await trouble(world, "ok", "gone", "gone")
    world.wall -= 365 * 86_400_000
    world.engine.attach(jumped=True)
    await asyncio.sleep(0)
    set_back = world.wall
    await trouble(world, "gone", *(["ok"] if ends else []))
    (found,) = await world.incidents()
    assert set_back <= found.began <= world.wall
    assert found.ended == (world.wall if ends else None)


async def test_a_record_outlives_its_task_by_ninety_days() -> None:
    """And no longer; by time that has surely passed, not by what the clock says."""
    world = World()
    await world.register()
    await world.look()
    await trouble(world, "ok", "gone", "ok")
    await world.engine.durable(world.engine.commit(remove=["node"]))
    await asyncio.gather(*world.engine.flush(all_of_it=True))
    gone = world.wall
    for days, goes in ((89, False), (91, True)):
        world.wall = gone + days * 86_400_000
        sure = SureTime(world.wall, calm=HOUR)
        assert world.engine.records.expired(replace(sure, calm=0)) == []
        assert bool(world.engine.records.expired(sure)) is goes
    await world.engine.durable(world.engine.commit(forget=["node"]))
    assert world.engine.records.get("node") is None
    assert await world.store.seen("node", 0, world.wall) == []
    assert await world.incidents() == []
    world.kill()
    world.start()
    assert world.engine.records.get("node") is None
    assert world.store.open().incident == 1  # its number is given once


async def test_an_incident_whose_record_is_lost_does_not_last_for_ever() -> None:
    """Of a damaged state: of two that last the newer one does, and none of what is unknown."""
    world = World()
    await world.register()
    await world.look()
    (lasts,) = await trouble(world, "gone")
    stray = replace(lasts, id=7, task_id="nobody")
    world.engine.commit()
    await asyncio.sleep(0)
    world.store._incidents |= {7: stray, 8: replace(lasts, id=8)}
    world.store._incident = 8
    world.kill()
    world.start()
    found = {each.id: each.ending for each in await world.incidents()}
    assert found == {1: Ending.NOT_WATCHED, 7: Ending.NOT_WATCHED, 8: None}
    await trouble(world, "ok", "gone")
    found = {each.id: each.ending for each in await world.incidents()}
    assert (found[8], found[9]) == (Ending.OK, None)
