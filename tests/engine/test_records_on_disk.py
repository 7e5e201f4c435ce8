"""The record with a real state: killed at any moment, it tells less and nothing that is not so."""

from __future__ import annotations

import random
from pathlib import Path

from kaspad_taskd.api.records import record_told
from kaspad_taskd.core.incidents import Incident
from kaspad_taskd.core.inputs import Look, Start
from kaspad_taskd.core.model import Health
from kaspad_taskd.core.watch_record import WatchRecord, joined
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.engine.records import WRITTEN_EVERY_MS
from tests.engine.test_watching_on_disk import NOW, Clock, copy, kept, opened, seen

EVERY = 30_000
STATES = ("ok", "behind", "stalled", "unreachable")


async def told(engine: Engine, now: int) -> tuple[dict[str, int], WatchRecord, list[Incident]]:
    """Seconds of a day, the record, and its incidents, of what is not written yet, too."""
    record = engine.records.get("node")
    assert record is not None
    slots = await engine.store.seen("node", 0, now + 1)
    shown = record_told(record, joined(slots, engine.records.pending("node"), now), 1, now)
    newer = {each.id: each for each in engine.records.unwritten()}
    stored = {each.id: each for each in await engine.store.incidents("node", 0, now + 1, 99)}
    found = [each for _, each in sorted({**stored, **newer}.items())]
    return shown["seconds"], record, found


async def test_after_a_kill_at_any_moment_no_second_is_made_up(tmp_path: Path) -> None:
    """Five minutes are missing at the most; incidents are those that were, with their begin."""
    clock, chance = Clock(), random.Random(41)
    path = tmp_path / "state" / "state.db"
    path.parent.mkdir()
    engine = opened(path, clock)
    await engine.durable(engine.commit([kept()]))
    await engine.act("node", Start())
    words: list[str] = []
    for _ in range(40):
        words += chance.choice([["ok"] * chance.randrange(1, 20), ["bad"] * 7, ["gone"] * 3])
    kills = 0
    for number, word in enumerate(["ok", *words]):
        clock.now += EVERY
        written = engine.submit("node", Look(1, seen(word, number * 300)))
        if number and number % 9 == 0:
            kills += 1
            if written is not None:
                await written
            place = tmp_path / f"killed-{number}"
            copy(path, place)
            whole, _, incidents = await told(engine, clock.now)
            again = opened(place / path.name, clock)
            left, record, found = await told(again, clock.now)
            await again.store.close()
            missing = sum(whole[each] - left[each] for each in STATES)
            assert all(left[each] <= whole[each] for each in STATES)
            assert 0 <= missing * 1000 <= WRITTEN_EVERY_MS + EVERY
            assert sum(left.values()) == sum(whole.values())
            assert record.total.known <= sum(whole[each] for each in STATES) * 1000
            assert [(each.id, each.began, each.ended, each.health) for each in found] == [
                (each.id, each.began, each.ended, each.health) for each in incidents
            ]
        if written is not None:
            await written
        for future in engine.flush():
            await future
    task = engine.get("node")
    assert task is not None
    assert kills > 20
    whole, _, incidents = await told(engine, clock.now)
    assert {each.health for each in incidents} == {Health.BEHIND, Health.UNREACHABLE}
    assert sum(whole.values()) * 1000 == clock.now - NOW - EVERY
    assert whole["unknown"] == 0
    await engine.store.close()
