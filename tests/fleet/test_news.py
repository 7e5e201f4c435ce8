"""What browsers are told of all hosts: what of it is new, and how old what is said may be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from kaspad_taskd.fleet.hub.archive import Archive
from kaspad_taskd.fleet.hub.moments import Clocks
from kaspad_taskd.fleet.hub.news import News
from kaspad_taskd.fleet.hub.site import HubSite
from kaspad_taskd.fleet.settings import Login
from tests.fakes.fleet_reader import engine
from tests.fakes.fleet_writer import FleetHost, a_progress, a_task
from tests.fleet.test_mirror import WALL, Reader


class Stage:
    """A host that is heard, and what is told of it."""

    def __init__(self) -> None:
        self.reader = Reader()
        self.clocks = Clocks(lambda: self.reader.now, lambda: WALL)
        self.news = News(self.reader.mirror, self.clocks)
        self.host = FleetHost("node-1")
        self.reader.begin(self.host)
        self.says(tasks=[a_task()])

    def says(self, **more: Any) -> None:
        """Let the host tell something."""
        self.reader.hear(self.host, self.host.batch(**more))
        self.settle()

    def settle(self) -> None:
        """Let it be weighed, as each tick does."""
        for change in self.reader.mirror.drain(self.reader.now):
            self.news.changed(change)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_row_of_which_a_number_moved_has_not_turned(stage: Stage) -> None:
    """Pages of a hundred are not made anew for the numbers of a thousand others."""
    first = stage.news.take()
    assert first is not None
    assert (first["turned"], len(first["hosts"])) == (True, 1)
    stage.reader.wait(6)
    stage.says(progress=[a_progress("task-0", progress=64)])
    moved = stage.news.take()
    assert moved is not None
    assert "64" in moved["hosts"][0]["said"]
    assert moved["turned"] is False
    stage.says(tasks=[a_task(health="unreachable")])
    turned = stage.news.take()
    assert turned is not None
    assert turned["turned"] is True
    assert stage.news.beat()["turned"] is False
    assert stage.news.since(first["seq"])["turned"] is True
    assert stage.news.since(turned["seq"])["turned"] is False


def test_who_is_late_is_told_with_the_moment_of_the_telling(stage: Stage) -> None:
    """By one clock that goes on evenly: what was held on its way can be told from what was not."""
    before = stage.news.beat()
    assert before["late"] == {}
    stage.reader.wait(7.5)
    stage.settle()
    beat, alone = stage.news.beat(), stage.news.of(stage.reader.mirror.hosts["node-1"])
    assert beat["late"] == alone["late"] == {"node-1": 7500}
    assert beat["at"] - before["at"] == 7500
    stage.reader.wait(7.5)
    stage.settle()
    assert stage.news.beat()["late"] == {}  # it is silent: nothing is said of it any more


async def test_a_page_is_of_the_moment_at_which_it_is_asked_for(
    stage: Stage, tmp_path: Path
) -> None:
    """Between two looks, too, nothing is green that was not heard for 15 s."""
    archive = Archive(engine("localhost"), Login("hub", None))
    site = HubSite(stage.reader.mirror, archive, tmp_path / "token", "", stage.clocks)

    async def page() -> str:
        reader = {"needsToken": False, "unlocked": False, "canChange": False}
        answer = await site._fleet(make_mocked_request("GET", "/"), reader)
        assert answer.text is not None
        return answer.text

    stage.reader.wait(14.9)
    assert 'data-verdict="ok"' in await page()
    assert '"late": {"node-1": 14900}' in await page()
    stage.reader.wait(0.1)
    assert 'data-verdict="silent"' in await page()
