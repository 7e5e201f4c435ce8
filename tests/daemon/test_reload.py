"""A reload while programs register and remove: files and programs never undo each other."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.api import definitions
from kaspad_taskd.config.layers import Layers, read_layers
from kaspad_taskd.config.places import Places
from kaspad_taskd.config.settings import DEFAULTS
from kaspad_taskd.core.model import Origin, Status
from kaspad_taskd.probes import TYPES
from tests.fakes.house import House, definition

REPORT = 'type = "report"\nservice = "work"\ninterval = "7s"\n'


class Reading:
    """The reading of files, held back until a test lets it go on."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    def read(self, *given: Any) -> Layers:
        self.loop.call_soon_threadsafe(self.begun.set)
        asyncio.run_coroutine_threadsafe(self.go_on.wait(), self.loop).result(60)
        return read_layers(*given)


async def _reload_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, registered_before: bool
) -> House:
    """A reload that reads work.toml while `work` is removed, or registered, over an API."""
    (tmp_path / "work.toml").write_text(REPORT)
    built = House()
    built.start()
    places = Places(tmp_path / "none", None, tmp_path, tmp_path / "state", tmp_path / "run")
    desk = definitions.DefinitionDesk(
        places, TYPES, built.engine, built.roster, DEFAULTS, lambda _settings: None
    )
    slow = Reading(asyncio.get_running_loop())
    monkeypatch.setattr(definitions, "read_layers", slow.read)
    work = definition("work", type="report", origin=Origin.API)
    if registered_before:
        await built.roster.register(work)
    reloading = asyncio.create_task(desk.reload())
    await slow.begun.wait()
    if registered_before:
        await built.roster.remove("work")
    else:
        await built.roster.register(work)
    slow.go_on.set()
    await reloading
    return built


@pytest.mark.parametrize("registered_before", [True, False])
async def test_a_task_that_goes_or_comes_while_files_are_read_is_the_files_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registered_before: bool
) -> None:
    """What was registered meanwhile is taken over with its story; what was removed is made anew."""
    built = await _reload_while(tmp_path, monkeypatch, registered_before=registered_before)
    try:
        task = built.task("work")
        assert (task.definition.origin, task.definition.interval) == (Origin.ADMIN, 7.0)
        assert task.status is Status.IN_PROGRESS
        told = [event.fact.name.value for event in await built.store.events(0, 100)]
        added = ["task:added", "sync:start"]
        gone = ["sync:cancelled", "task:removed"]
        assert told == [*added, *(gone + added if registered_before else ["task:changed"])]
    finally:
        await built.stop()
