"""Copies of registered definitions are written off the loop, and no stop waits for them."""

from __future__ import annotations

import asyncio
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from kaspad_taskd.config.mirror import Mirror
from kaspad_taskd.core.model import Definition, Origin, Task
from kaspad_taskd.daemon import mirroring
from kaspad_taskd.daemon.mirroring import MirrorKeeper
from kaspad_taskd.probes import TYPES
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd_process import until


def definition(number: int) -> Definition:
    return Definition(f"t{number}", "report", "work", origin=Origin.API)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirroring, "DELAY", 0.0)


def copies(directory: Path) -> list[str]:
    return sorted(path.stem for path in directory.glob("*.toml"))


async def stopped(running: asyncio.Task[None]) -> None:
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


class SlowMirror(Mirror):
    """A copy takes 20 ms by its own clock, once it may `go_on`; `begun` is set with the first."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(directory, TYPES)
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self._now = 0.0
        monkeypatch.setattr(mirroring, "time", self)

    def monotonic(self) -> float:
        return self._now

    def write(self, definition: Definition) -> None:
        self.begun.set()
        assert self.go_on.wait(PATIENCE)
        self._now += 0.02
        super().write(definition)


async def test_what_comes_while_copies_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest of each is there in the end, and what went is gone."""
    mirror = SlowMirror(tmp_path, monkeypatch)
    keeper = MirrorKeeper(mirror)
    keeper.align([])
    running = asyncio.create_task(keeper.run())
    keeper.put(definition(0))
    assert await asyncio.to_thread(mirror.begun.wait, PATIENCE)
    for number in range(8):
        keeper.put(replace(definition(number), interval=20.0))
    keeper.drop("t3")
    mirror.go_on.set()
    await stopped(running)
    await keeper.close()
    assert copies(tmp_path) == ["t0", "t1", "t2", "t4", "t5", "t6", "t7"]
    for name in copies(tmp_path):
        assert 'interval = "20s"' in (tmp_path / f"{name}.toml").read_text()


async def test_a_stop_is_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What there is no time for is counted in the log; the next start aligns it."""
    mirror = SlowMirror(tmp_path, monkeypatch)
    mirror.go_on.set()
    keeper = MirrorKeeper(mirror)
    for number in range(500):
        keeper.put(definition(number))
    await keeper.close()
    assert mirror.monotonic() < 0.4  # all of it takes 10
    left = 500 - len(copies(tmp_path))
    assert f"left for the next start: {left}" in caplog.text


async def test_a_disk_that_fails_harms_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said for each, and the rest is written."""
    monkeypatch.setattr(mirroring, "LAST_WORDS", PATIENCE)
    (tmp_path / ".t1.toml.new").mkdir()  # in the way of what is to become the copy
    keeper = MirrorKeeper(Mirror(tmp_path, TYPES))
    for number in range(3):
        keeper.put(definition(number))
    await keeper.close()
    assert copies(tmp_path) == ["t0", "t2"]
    assert [vars(each)["task"] for each in caplog.records] == ["t1"]


@pytest.mark.parametrize("registered", [[], [Task(definition(0), 0)]])
async def test_a_library_that_is_gone_harms_nobody(
    registered: list[Task],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What writes a copy is loaded with the first; it may have been removed since the start."""
    monkeypatch.setattr(mirroring, "LAST_WORDS", PATIENCE)
    monkeypatch.setitem(sys.modules, "tomli_w", None)
    keeper = MirrorKeeper(Mirror(tmp_path, TYPES))
    keeper.align(registered)
    running = asyncio.create_task(keeper.run())
    keeper.put(definition(1))

    async def said() -> bool:
        return len(caplog.records) > len(registered) or running.done()

    await until(said)
    assert not running.done()
    await stopped(running)
    await keeper.close()
    assert all("tomli_w" in each.getMessage() for each in caplog.records)
    assert copies(tmp_path) == []


async def test_a_stop_amid_the_first_alignment_is_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of copies that are missing at a start hold up no stop."""
    mirror = SlowMirror(tmp_path, monkeypatch)
    keeper = MirrorKeeper(mirror)
    keeper.align([Task(definition(number), 0) for number in range(500)])
    running = asyncio.create_task(keeper.run())
    assert await asyncio.to_thread(mirror.begun.wait, PATIENCE)
    await stopped(running)
    closing = asyncio.create_task(keeper.close())
    await asyncio.sleep(0)  # the stop has begun
    mirror.go_on.set()
    await closing
    await asyncio.get_running_loop().shutdown_default_executor()
    assert mirror.monotonic() < 0.4  # all of it takes 10
    assert 0 < len(copies(tmp_path)) < 20


async def test_a_stop_does_not_wait_until_all_copies_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a start has still to align the next does; what was registered now is written."""
    mirror = SlowMirror(tmp_path, monkeypatch)
    keeper = MirrorKeeper(mirror)
    keeper.align([Task(definition(number), 0) for number in range(1000)])
    running = asyncio.create_task(keeper.run())
    await asyncio.to_thread(mirror.begun.wait, PATIENCE)
    keeper.end()
    keeper.put(definition(1000))
    mirror.go_on.set()
    await stopped(running)
    await keeper.close()
    assert copies(tmp_path) == ["t0", "t1000"]
