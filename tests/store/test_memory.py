"""The twin's own: virtual time, and a failure on demand."""

from __future__ import annotations

import asyncio

import pytest

from kaspad_taskd.core.record import Change
from kaspad_taskd.store.fault import StoreError
from kaspad_taskd.store.memory import MemoryStore
from tests.store.samples import NOW, Ear, fact, task


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(lambda: NOW)


@pytest.mark.looptime
async def test_it_takes_no_time(store: MemoryStore) -> None:
    """A commit is over in the next turn of the loop, whatever the clock does."""
    ear = Ear()
    store.open()
    store.start(ear.settled)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await ear.submit(store, Change(facts=(fact(),)))
    assert loop.time() == began
    await asyncio.sleep(3600)
    assert store.answered() == loop.time()


async def test_a_failed_group_leaves_nothing_and_uses_no_number(store: MemoryStore) -> None:
    """All of one turn fails; the next group is made."""
    ear = Ear()
    store.open()
    store.start(ear.settled)
    store.fail_next("the disk is full")
    lost = [ear.submit(store, Change(put=(task(),), facts=(fact(),))) for _ in range(3)]
    assert [(await each).fault for each in lost] == ["the disk is full"] * 3
    assert store.open().tasks == ()
    made = await ear.submit(store, Change(facts=(fact(),)))
    assert [event.seq for event in made.events] == [1]


async def test_it_has_no_file_to_copy(store: MemoryStore) -> None:
    """It says so instead of pretending."""
    with pytest.raises(StoreError, match="cannot be copied"):
        await store.backup("/tmp/x")
