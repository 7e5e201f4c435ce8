"""For all tests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.lab import machine
from tests.lab.lives import LIVES, Lives

# Its asserts explain themselves, as those of test modules do.
pytest.register_assert_rewrite("tests.core.play")

# Else looptime asks for a loop in the first sync test (before 3.14), and nobody closes it.
asyncio.set_event_loop(None)

# A busy machine is no fault of an example's.
settings.register_profile(
    "patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")

LONG = (
    "bridge/test_asyncapi.py::test_the_document_is_asyncapi",
    "bridge/test_javascript.py",
    "bridge/test_monitoring.py",
    "embed/",
    "notify/sending/test_hour.py",
    "notify/sending/test_services.py",
    "npm/",
    "soak/",
    "store/test_kill.py",
    "system/test_clients.py",
    "system/test_clock_ahead.py",
    "system/test_few_files.py",
    "system/test_indexers.py",
    "system/test_kills.py",
    "system/test_other_journal.py",
    "system/test_other_types.py",
    "system/test_package.py",
    "system/test_real_node.py",
    "system/test_real_trouble.py",
    "system/test_recorded_sync.py",
    "system/test_report_examples.py",
    "web/test_live",
    "web/test_login.py",
    "web/test_measured.py",
    "web/test_pictures.py",
)
"""Real browsers, nodes, servers, kills by the hundred: longer than anybody waits for."""
QUICK = ("embed/test_bundle.py", "npm/test_words.py")
"""What among them is none of that."""
WHY = "takes long: run by CI, and when it is named (./dev test tests/{})"
MINUTES = "minutes long: ./dev test --long"


PACKAGE = "tests/system/test_package.py"
LAST = (PACKAGE, "tests/system/test_real_node.py", "tests/system/test_real_trouble.py")
"""Meanwhile machines live with the package, and CI builds the node."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """What even CI does not run is asked for by a person."""
    parser.addoption("--long", action="store_true", help="whatever takes minutes, too")


def pytest_configure(config: pytest.Config) -> None:
    """Every version of a tool is tried where all is asked for."""
    if config.getoption("--long"):
        os.environ.setdefault("KASPAD_TASKD_POSTGRES", "all")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long ones to CI where the whole suite is asked for, and those of minutes to us."""
    items.sort(key=lambda item: item.nodeid.startswith(LAST))
    if config.getoption("--long"):
        return
    for item in items:
        if item.get_closest_marker("long") is not None:
            item.add_marker(pytest.mark.skip(reason=MINUTES))
    if os.environ.get("CI") or config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    for item in items:
        place = item.nodeid.removeprefix("tests/")
        long = next((each for each in LONG if place.startswith(each)), None)
        if long is not None and not place.startswith(QUICK):
            item.add_marker(pytest.mark.skip(reason=WHY.format(long)))


@pytest.fixture(scope="session", autouse=True)
def lives(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lives | None]:
    """What the package lives through in machines, begun before all else where it is asked for."""
    items = (item for item in request.session.items if item.nodeid.startswith(PACKAGE))
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
