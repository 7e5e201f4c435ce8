"""Keeping watch with a real state: a kill at any moment, and a state of before."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kaspad_taskd.base import jsontext
from kaspad_taskd.core.fact import EventName
from kaspad_taskd.core.inputs import Look, Start
from kaspad_taskd.core.model import Definition, Health, Origin, Status, Task, Watch
from kaspad_taskd.core.observation import Following, Observation, Reading, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.store import schema
from kaspad_taskd.store.fault import StoreError
from kaspad_taskd.store.sqlite import SqliteStore

NOW = 1_795_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


def opened(path: Path, clock: Clock) -> Engine:
    engine = Engine(SqliteStore(path, clock), clock)
    engine.begin(engine.store.open())
    return engine


def kept() -> Task:
    known = Definition("node", "node-sync", "node", keep_watching=True, confirmations=1)
    return Task(known, NOW, 1, health_since=NOW)


def seen(word: str, score: int) -> Observation:
    if word == "gone":
        return Unreachable(Reason.REFUSED)
    told = Following(str(score), float(score), 10.0, True)
    return Reading(complete=word == "ok", behind=0.5 if word == "ok" else 90.0, following=told)


def copy(path: Path, place: Path) -> None:
    """The files as they are on the disk just now; what is shared in memory dies with a daemon."""
    place.mkdir()
    for ending in ("", "-wal", ".statuses"):
        file = path.with_name(path.name + ending)
        if file.exists():
            shutil.copy(file, place / file.name)


async def killed(path: Path, place: Path) -> tuple[Task, list[str], int]:
    """What a kill at this moment leaves: the task, what was told of its health, and its seq."""
    await asyncio.to_thread(copy, path, place)
    clock = Clock()
    engine = opened(place / path.name, clock)
    task = engine.get("node")
    assert task is not None
    events = await engine.store.events(0, 999)
    await engine.store.close()
    told = [each.fact.data["health"] for each in events if each.fact.name is EventName.HEALTH]
    return task, told, engine.seq


async def test_after_a_kill_at_any_moment_what_is_so_is_what_was_told(tmp_path: Path) -> None:
    """Health and its event are one commit: the last one told is the one that is, and no twice."""
    clock, chance = Clock(), random.Random(14)
    path = tmp_path / "state" / "state.db"
    path.parent.mkdir()
    engine = opened(path, clock)
    await engine.durable(engine.commit([kept()]))
    await engine.act("node", Start())
    words = ["ok", *chance.choices(["ok", "bad", "bad", "gone"], k=40)]
    for number, word in enumerate(words):
        clock.now += 30_000
        written = engine.submit("node", Look(1, seen(word, number * 300)))
        if number and number % 4 == 0:  # before it is known to be on the disk, or after
            if written is not None and chance.random() < 0.5:
                await written
            task, told, _ = await killed(path, tmp_path / f"killed-{number}")
            assert task.watch is Watch.ON
            assert task.health == (told[-1] if told else "ok")
            assert all(one != other for one, other in zip(["ok", *told], told, strict=False))
        if written is not None:
            await written
    await engine.store.close()
    assert len((await killed(path, tmp_path / "end"))[1]) > 4


def of_before(path: Path) -> None:
    """A state as the version before made it: three steps, and documents that know of no watch."""
    with pytest.MonkeyPatch.context() as older:
        older.setattr(schema, "STEPS", schema.STEPS[:3])
        clock = Clock()
        store = SqliteStore(path, clock)
        store.open()
        asyncio.run(store.close())
    with closing(sqlite3.connect(path)) as db, db:
        for number, (task_id, origin) in enumerate([("file", "admin"), ("api", "api")]):
            definition = {
                "id": task_id, "type": "node-sync", "service": task_id, "origin": origin,
                "checker": {"url": "grpc://localhost:16110"},
            }  # fmt: skip
            task = {
                "created_at": NOW, "number": number + 1, "status": "complete", "percent": 100.0,
                "health": "unknown", "started_at": NOW, "ended_at": NOW + 1, "revision": 9,
                "attempt": 1, "live": {"read_at": NOW + 1, "eta": 0.0, "eta_reason": None},
            }  # fmt: skip
            rows = (("tasks", task), ("definitions", definition))
            for table, document in rows:
                db.execute(
                    f"INSERT INTO {table} VALUES (?, ?)",
                    (task_id, jsontext.dumps(document).decode()),
                )


def test_a_state_of_before_is_taken_over_and_only_a_files_task_is_watched(tmp_path: Path) -> None:
    """Nothing is told of it before it is seen in sync; the state of before is kept beside it."""
    path = tmp_path / "state.db"
    of_before(path)

    async def watch() -> None:
        clock = Clock()
        engine = opened(path, clock)
        file, api = engine.get("file"), engine.get("api")
        assert file is not None
        assert api is not None
        assert (file.watch, file.health, file.watched) == (Watch.ON, Health.UNKNOWN, True)
        assert (api.watch, api.status, api.watched) == (Watch.NONE, Status.COMPLETE, False)
        assert (file.proven, api.definition.origin) == (True, Origin.API)
        for word in ("gone", "bad", "bad"):
            clock.now += 120_000
            await asyncio.gather(*filter(None, [engine.submit("file", Look(1, seen(word, 1)))]))
        assert engine.seq == 0
        for number in (2, 3):
            clock.now += 30_000
            await asyncio.gather(
                *filter(None, [engine.submit("file", Look(1, seen("ok", number)))])
            )
        task = engine.get("file")
        assert task is not None
        assert (task.health, task.status, engine.seq) == (Health.OK, Status.COMPLETE, 1)
        await engine.store.close()

    asyncio.run(watch())
    with closing(sqlite3.connect(tmp_path / "state.db.schema-3")) as before:
        assert schema.version(before) == 3
    with pytest.MonkeyPatch.context() as older:
        older.setattr(schema, "STEPS", schema.STEPS[:3])
        with pytest.raises(StoreError, match=r"schema \d+, this kaspad-taskd knows 3"):
            SqliteStore(path, Clock()).open()
