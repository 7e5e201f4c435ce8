"""The writer: groups, order, and what a failure takes along."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from kaspad_taskd.core.record import Change, Outcome
from kaspad_taskd.store import group
from kaspad_taskd.store.fault import StoreError
from kaspad_taskd.store.group import Writer
from tests.fakes.patience import PATIENCE
from tests.store.samples import Ear


class Disk:
    """Commits that wait until the test lets them go on, and fail when it says so."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.entered = asyncio.Event()
        self.faults: dict[int, str] = {}  # by the number of the commit, from 1
        self.good = 0  # how many of a failing group are durable all the same
        self.tidied: list[bool] = []
        self.gate = threading.Event()
        self.gate.set()
        self._loop = asyncio.get_running_loop()

    def commit(self, changes: Sequence[Change]) -> tuple[list[Outcome], str | None]:
        self._loop.call_soon_threadsafe(self.entered.set)
        assert self.gate.wait(PATIENCE)
        self.groups.append(len(changes))
        fault = self.faults.get(len(self.groups))
        good = len(changes) if fault is None else self.good
        return [Outcome(change) for change in changes[:good]], fault

    def tidy(self, idle: bool) -> None:
        self.tidied.append(idle)


@pytest.fixture
async def disk() -> Disk:
    return Disk()


@pytest.fixture
async def ear() -> Ear:
    return Ear()


@pytest.fixture
async def writer(disk: Disk, ear: Ear) -> AsyncIterator[Writer]:
    made = Writer(disk.commit, disk.tidy, lambda: None)
    made.start(ear.settled)
    yield made
    disk.gate.set()
    await end(made)


async def end(writer: Writer) -> None:
    writer.end()
    assert await asyncio.get_running_loop().run_in_executor(None, writer.ended, PATIENCE)


def changes(count: int) -> list[Change]:
    return [Change(cursors={"n": n}) for n in range(count)]


async def hold(writer: Writer, disk: Disk, ear: Ear) -> asyncio.Future[Outcome]:
    """Let the writer stand in a commit of one change."""
    disk.gate.clear()
    first = ear.submit(writer, Change(cursors={"first": 0}))
    await asyncio.wait_for(disk.entered.wait(), PATIENCE)
    return first


async def test_what_gathers_during_a_commit_is_the_next_group(
    writer: Writer, disk: Disk, ear: Ear
) -> None:
    """64 changes behind one are one commit and one call, in order."""
    await hold(writer, disk, ear)
    waiting = [ear.submit(writer, change) for change in changes(64)]
    disk.gate.set()
    await asyncio.gather(*waiting)
    assert disk.groups == [1, 64]
    assert [outcome.change.cursors for outcome in ear.groups[1]] == [{"n": n} for n in range(64)]


async def test_a_group_has_a_bound(writer: Writer, disk: Disk, ear: Ear) -> None:
    """More than GROUP changes are several commits."""
    await hold(writer, disk, ear)
    waiting = [ear.submit(writer, change) for change in changes(group.GROUP + 1)]
    disk.gate.set()
    await asyncio.gather(*waiting)
    assert disk.groups == [1, group.GROUP, 1]


async def test_all_that_is_queued_fails_with_a_failed_group(
    writer: Writer, disk: Disk, ear: Ear
) -> None:
    """Told in one call, in order; none of it reaches the disk; what comes after is tried again."""
    first = await hold(writer, disk, ear)
    waiting = [ear.submit(writer, change) for change in changes(600)]
    disk.faults[1] = "the disk is full"
    disk.gate.set()
    outcomes = await asyncio.gather(first, *waiting)
    assert {outcome.fault for outcome in outcomes} == {"the disk is full"}
    assert disk.groups == [1]
    assert [list(each) for each in ear.groups] == [outcomes]
    assert (await ear.submit(writer, Change())).fault is None


async def test_what_is_submitted_before_the_loop_has_heard_fails_too(
    writer: Writer, disk: Disk, ear: Ear
) -> None:
    """It was computed from a tip that is not so, though the disk would take it."""
    first = await hold(writer, disk, ear)
    disk.faults[1] = "the disk is full"
    disk.gate.set()
    until(lambda: disk.groups == [1])  # the loop stands still: it has not heard of it
    late = ear.submit(writer, Change())
    assert [(await first).fault, (await late).fault] == ["the disk is full"] * 2
    assert disk.groups == [1]


def until(holds: Callable[[], bool]) -> None:
    """Wait for another thread while the loop stands still."""
    pause, end = threading.Event(), time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "never happened"
        pause.wait(0.005)


async def test_what_came_before_the_change_at_fault_is_durable(
    writer: Writer, disk: Disk, ear: Ear
) -> None:
    """A group splits at it: good ones, then the faults, in one call."""
    await hold(writer, disk, ear)
    waiting = [ear.submit(writer, change) for change in changes(5)]
    disk.faults[2] = "no JSON"
    disk.good = 3
    disk.gate.set()
    outcomes = await asyncio.gather(*waiting)
    assert [outcome.fault for outcome in outcomes] == [None] * 3 + ["no JSON"] * 2
    assert [len(each) for each in ear.groups] == [1, 5]


async def test_a_settled_that_raises_does_not_stop_the_writer(disk: Disk, ear: Ear) -> None:
    """Not even while it stands still after a failure."""
    heard: list[BaseException] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: heard.append(context["exception"])
    )

    def settled(outcomes: Sequence[Outcome]) -> None:
        ear.settled(outcomes)
        if outcomes[0].fault is not None:
            raise RuntimeError("a bug")

    writer = Writer(disk.commit, disk.tidy, lambda: None)
    writer.start(settled)
    disk.faults[1] = "full"
    assert (await ear.submit(writer, Change())).fault == "full"
    assert (await ear.submit(writer, Change())).fault is None
    await end(writer)
    assert [str(error) for error in heard] == ["a bug"]


async def test_the_queue_has_a_bound(
    writer: Writer, disk: Disk, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that hangs makes refusals, not memory."""
    monkeypatch.setattr(group, "QUEUE", 3)
    await hold(writer, disk, ear)
    for change in changes(3):
        writer.submit(change)
    with pytest.raises(StoreError, match="3 changes wait for the disk"):
        writer.submit(Change())


async def test_a_hanging_disk_gives_no_sign_of_life(writer: Writer, disk: Disk, ear: Ear) -> None:
    """The stamp stands still until the commit ends, a failed one too."""
    first = await hold(writer, disk, ear)
    before = writer.answered
    assert writer.answered == before
    disk.faults[1] = "full"
    disk.gate.set()
    await first
    await ear.submit(writer, Change())
    assert writer.answered > before


async def test_an_idle_writer_gives_signs_of_life(
    writer: Writer, disk: Disk, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It wakes by itself, and may tidy meanwhile."""
    monkeypatch.setattr(group, "IDLE", 0.01)
    await ear.submit(writer, Change())
    before = writer.answered
    until(lambda: writer.answered > before)
    until(lambda: disk.tidied[-1:] == [True])


async def test_the_end_after_a_failure_is_still_the_end(
    writer: Writer, disk: Disk, ear: Ear
) -> None:
    """The writer that stands still hears of it once the loop has taken the queue."""
    first = await hold(writer, disk, ear)
    writer.submit(Change())
    disk.faults[1] = "full"
    await asyncio.gather(asyncio.to_thread(disk.gate.set), end(writer))
    assert (await first).fault == "full"
    assert [outcome.fault for outcome in ear.outcomes] == ["full", "full"]
