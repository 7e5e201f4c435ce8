"""For all tests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.lab import lanes, machine
from tests.lab.lives import LIVES, Lives

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

# Its asserts explain themselves, as those of test modules do.
pytest.register_assert_rewrite("tests.core.play")

# Else looptime asks for a loop in the first sync test (before 3.14), and nobody closes it.
asyncio.set_event_loop(None)

# A busy machine is no fault of an example's.
settings.register_profile(
    "patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")

WHY = "takes long: run by CI, and when it is named (./dev test tests/{})"
MINUTES = "minutes long: ./dev test --long"
WORKERS = 2
"""One for the long tests, which mostly wait, and one for all others; `-n 0` takes none."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """What even CI does not run is asked for by a person."""
    parser.addoption("--long", action="store_true", help="whatever takes minutes, too")


def pytest_configure(config: pytest.Config) -> None:
    """Every version of a tool is tried where all is asked for."""
    if config.getoption("--long"):
        os.environ.setdefault("KASPAD_TASKD_POSTGRES", "all")


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """The whole suite has workers; what is named, or looked into, is run as it always was."""
    option = config.option
    plain = option.collectonly or option.usepdb or option.capture == "no"
    known = config.pluginmanager.hasplugin("xdist") and not hasattr(config, "workerinput")
    if known and is_whole(config) and not plain and option.numprocesses is None:
        option.numprocesses = WORKERS
    return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """What is one lane is one worker's."""
    from tests.lab.scheduling import Scheduling

    return Scheduling(config, log)


def is_whole(config: pytest.Config) -> bool:
    """Whether no file was named."""
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long ones to CI where the whole suite is asked for, and those of minutes to us."""
    lanes.begin(items, hasattr(config, "workerinput"))
    if config.getoption("--long"):
        return
    for item in items:
        if item.get_closest_marker("long") is not None:
            item.add_marker(pytest.mark.skip(reason=MINUTES))
    if os.environ.get("CI") or not is_whole(config):
        return
    for item in items:
        long = lanes.long(item.nodeid)
        if long is not None:
            item.add_marker(pytest.mark.skip(reason=WHY.format(long)))


@pytest.fixture(scope="session")
def lives(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lives | None]:
    """What the package lives through in machines: `lanes.begin` has it begin before all else."""
    items = (item for item in request.session.items if item.nodeid.startswith(lanes.PACKAGE))
    asked = {item.name for item in items if item.get_closest_marker("skip") is None}
    if not asked:
        yield None
        return
    names = [name for name in LIVES if f"test_it[{name}]" in asked and machine.obstacle() is None]
    living = Lives(tmp_path_factory.mktemp("lives"), names)
    try:
        yield living
    finally:
        living.end()
