"""Warnings stay until they are acknowledged, over restarts, and are told once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kaspad_taskd.core.fact import EventName
from kaspad_taskd.core.warning import WARNINGS_KEPT
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.store.memory import MemoryStore
from kaspad_taskd.store.sqlite import SqliteStore

NOW = 1_790_000_000_000


async def test_a_warning_is_told_once_and_stays() -> None:
    """The same cause is no second event while the first stands, though a start lies between."""
    store = MemoryStore(lambda: NOW)
    engine = Engine(store, lambda: NOW)
    engine.begin(store.open())
    said = engine.warn("state-repaired", {"why": "a page"})
    assert said is not None
    (event,) = (await engine.durable(said)).events
    assert event.fact.name is EventName.WARNING
    assert engine.warn("state-repaired", {"why": "a page"}) is None
    assert engine.warn("state-repaired", {"why": "another page"}) is not None
    await asyncio.sleep(0)
    again = Engine(store, lambda: NOW)
    again.begin(store.open())
    assert [each.code for each in again.warnings.open()] == ["state-repaired"] * 2
    assert again.journal == engine.journal


async def test_what_was_seen_is_not_open_and_comes_again_if_it_happens_again() -> None:
    """An acknowledged warning stays on record; the same cause is a new one afterwards."""
    store = MemoryStore(lambda: NOW)
    engine = Engine(store, lambda: NOW)
    engine.begin(store.open())
    await engine.durable(engine.warn("state-repaired", {}) or pytest.fail("no warning"))
    (first,) = engine.warnings.open()
    await engine.durable(engine.warnings.acknowledge([first]))
    assert engine.warnings.open() == []
    await engine.durable(engine.warn("state-repaired", {}) or pytest.fail("no warning"))
    assert [each.id for each in engine.warnings.open()] == [first.id + 1]


async def test_the_file_keeps_warnings_and_the_journals_identity(tmp_path: Path) -> None:
    """Over a restart both are the same; a copy that is put back has another identity."""
    names = []
    for turn in range(2):
        store = SqliteStore(tmp_path / "state.db", lambda: NOW)
        engine = Engine(store, lambda: NOW)
        engine.begin(store.open())
        names.append(engine.journal)
        if turn == 0:
            for number in range(WARNINGS_KEPT + 3):
                await engine.durable(engine.warn("w", {"n": number}) or pytest.fail("no warning"))
            await store.backup(str(tmp_path / "copy.db"))
        await store.close()
    assert engine.warnings.open()[0].params["n"] == 3
    copy = SqliteStore(tmp_path / "copy.db", lambda: NOW)
    try:
        assert names == [names[0]] * 2
        assert copy.open().journal != names[0]
    finally:
        await copy.close()
