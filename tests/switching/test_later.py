"""Hands that are made when they are first needed do all that hands do."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.core.switch import Side, SwitchReason, SwitchState
from kaspad_taskd.switching.endpoint import Endpoints, Pointing, render
from kaspad_taskd.switching.hands import Hands
from kaspad_taskd.switching.later import HandsLater
from kaspad_taskd.switching.switcher import Switcher
from tests.fakes.hands import service
from tests.fakes.house import house

METHODS = {
    name: each for name, each in vars(Hands).items() if inspect.isfunction(each) and name[0] != "_"
}
FILED = {"pointing", "file"}
"""What stands in a file, or is the name of one."""


class Recorded:
    """Hands that say what they were asked."""

    def __getattr__(self, name: str) -> Any:
        async def soon(*given: object) -> tuple[str, tuple[object, ...]]:
            return name, given

        return soon


@pytest.mark.parametrize("name", [name for name in METHODS if name not in FILED])
async def test_each_question_is_asked_of_the_hands(name: str, tmp_path: Path) -> None:
    """As it came, and the hands are made for the first one alone."""
    made: list[Any] = []

    def make() -> Any:
        made.append(Recorded())
        return made[-1]

    later: Any = HandsLater(tmp_path, make)
    assert made == []
    given = [object() for _ in list(inspect.signature(METHODS[name]).parameters)[1:]]
    for _ in range(2):
        assert await getattr(later, name)(*given) == (name, tuple(given))
    assert len(made) == 1


def cannot_make() -> Any:
    raise OSError("no file is left to load them from")


def test_what_stands_in_a_file_is_told_without_hands(tmp_path: Path) -> None:
    """Those who ask for it do so amid other work, in which nothing may fail."""
    later, declared = HandsLater(tmp_path, cannot_make), service()
    assert later.pointing("kasia", declared) == Pointing(Side.PUBLIC)
    file = tmp_path / "kasia.env"
    assert later.file("kasia") == str(file)
    file.write_text(render("kasia", Side.LOCAL, declared.env))
    assert later.pointing("kasia", declared) == Endpoints(tmp_path).read("kasia", declared)
    assert later.pointing("kasia", declared).side is Side.LOCAL


@pytest.mark.looptime
async def test_hands_that_cannot_be_made_end_no_room(tmp_path: Path) -> None:
    """Services that fall back are decided on; a look, and a switch, say that it is our fault."""
    services = {"kasia": service(fallback="public")}
    async with house() as built:
        switcher = Switcher(built.engine, services, HandsLater(tmp_path, cannot_make))
        running = asyncio.create_task(switcher.run())
        await asyncio.sleep(600)
        assert not running.done()
        assert (await switcher.switch("kasia", Side.LOCAL)).service == "kasia"
        await switcher.idle("kasia")
        last = built.engine.switches.last("kasia")
        assert last is not None
        assert last.state is SwitchState.UNDONE
        assert SwitchReason.FAULT in {step.reason for step in last.steps}
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
