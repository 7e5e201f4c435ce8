"""What browsers are told of all hosts: what of it is new, and how old what is said may be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from kaspad_taskd.bridge.browser import Browser
from kaspad_taskd.bridge.outbox import LIMIT
from kaspad_taskd.fleet.hub.archive import Archive
from kaspad_taskd.fleet.hub.moments import Clocks
from kaspad_taskd.fleet.hub.news import NEWS, News
from kaspad_taskd.fleet.hub.site import HubSite
from kaspad_taskd.fleet.hub.topics import FleetTelling
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


def test_a_row_of_which_a_number_moved_is_told_as_a_line(stage: Stage) -> None:
    """Pages of a hundred are not made anew for the numbers of a thousand others."""
    first = stage.news.take()
    assert first is not None
    assert ([each["host"] for each in first["hosts"]], first["moved"]) == (["node-1"], {})
    stage.says(progress=[a_progress("task-0", progress=64)])
    moved = stage.news.take()
    assert moved is not None
    assert moved["hosts"] == []
    assert "64" in moved["moved"]["node-1"]
    stage.says(tasks=[a_task(health="unreachable")])
    turned = stage.news.take()
    assert turned is not None
    assert [each["verdict"] for each in turned["hosts"]] == ["trouble"]
    for nothing in (stage.news.beat(), stage.news.since(turned["seq"])):
        assert (nothing["hosts"], nothing["moved"]) == ([], {})
    assert stage.news.since(first["seq"])["hosts"] == turned["hosts"]


def test_who_comes_again_is_told_the_lines_that_moved_meanwhile(stage: Stage) -> None:
    """Of a row nothing of which is new but the line, that; what he knows is not made anew."""
    first = stage.news.take()
    assert first is not None
    for percent in (64, 65):
        stage.says(progress=[a_progress("task-0", progress=percent)])
        stage.news.take()
    again = stage.news.since(first["seq"])
    assert again["hosts"] == []
    assert "65" in again["moved"]["node-1"]
    assert "65" in stage.news.since(0)["hosts"][0]["said"]


async def test_all_of_a_large_fleet_at_once_is_no_arrears(stage: Stage) -> None:
    """Who had taken all before is not cut for it; who takes nothing at all is."""
    browser, telling, cut = Browser("sid", "somewhere", lambda: False), FleetTelling(stage.news), []
    browser.outbox.lost = lambda: cut.append(True)
    await telling.join(browser, dict)
    telling.all(NEWS, "y" * 3 * LIMIT)
    assert not cut
    for _ in range(5):
        telling.all(NEWS, "y" * (LIMIT // 4))
    assert cut


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
