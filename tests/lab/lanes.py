"""Which tests run one after the other, where others run beside them: those of a lane.

Long tests are one lane, in their order, and begin at once: nodes, live pages and kills do not meet.
A server that is started once for many files makes those a lane. Else a file is one.
"""

from __future__ import annotations

from collections import Counter

import pytest

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
    "web/test_fleet_back.py",
    "web/test_fleet_live.py",
    "web/test_fleet_pictures.py",
    "web/test_fleet_sizes.py",
    "web/test_fleet_unheard.py",
    "web/test_live",
    "web/test_login.py",
    "web/test_measured.py",
    "web/test_pictures.py",
    "web/test_shut_out.py",
)
"""Real browsers, nodes, servers, kills by the hundred: longer than anybody waits for."""
QUICK = ("embed/test_bundle.py", "npm/test_words.py")
"""What among them is none of that."""
LONGEST = "long"
"""The lane of the long tests."""
PACKAGE = "tests/system/test_package.py"
LAST = (PACKAGE, "tests/system/test_real_node.py", "tests/system/test_real_trouble.py")
"""Meanwhile machines live with the package, and CI builds the node."""
APART = ("tests/web/test_pictures.py",)
"""Long files that are a lane of their own: still pages, which nothing beside them touches, and a
third of what is long."""
SHARED = {
    "postgres": (
        "tests/probes/migrations/test_database_migration.py",
        "tests/probes/migrations/test_ledgers.py",
        "tests/probes/migrations/test_migration_daemon.py",
        "tests/probes/migrations/test_migration_tables.py",
        "tests/probes/migrations/test_pooler.py",
        "tests/probes/migrations/test_postgres.py",
        "tests/probes/migrations/test_real_tools.py",
        "tests/probes/migrations/test_rights.py",
        "tests/probes/migrations/test_statements.py",
        "tests/probes/migrations/test_watching.py",
        "tests/probes/test_hanging_address.py",
    )
}
"""A fixture that starts once what takes long to start, and the files of those who use it."""


def long(nodeid: str) -> str | None:
    """The row of LONG that a test is there for."""
    place = nodeid.removeprefix("tests/")
    if place.startswith(QUICK):
        return None
    return next((each for each in LONG if place.startswith(each)), None)


def lane(nodeid: str) -> str:
    """The name of a test's lane."""
    if long(nodeid) is not None and not nodeid.startswith(APART):
        return LONGEST
    shared = (name for name, files in SHARED.items() if nodeid.startswith(files))
    return next(shared, nodeid.split("::")[0])


def begin(items: list[pytest.Item], beside_others: bool) -> None:
    """Order the tests, and have the first ones begin with what is lived through in machines.

    Args:
        items: all tests, in the order of their files.
        beside_others: other workers run other lanes, which end at about the same time where the
            long one is the first, then come those apart, then those with real processes.
    """
    items.sort(key=lambda item: item.nodeid.startswith(LAST))
    if beside_others:
        _sort(items)
    for item in items:
        used = getattr(item, "fixturenames", [])
        for name, files in SHARED.items():
            if name in used and not item.nodeid.startswith(files):
                raise pytest.UsageError(f"{item.nodeid} uses {name}: add its file to lanes.SHARED")
        if not beside_others or lane(item.nodeid) == LONGEST:
            used.insert(0, "lives")


def _sort(items: list[pytest.Item]) -> None:
    of = {item.nodeid: lane(item.nodeid) for item in items}
    slow = {of[item.nodeid] for item in items if item.get_closest_marker("system") is not None}
    sizes = Counter(of.values())

    def place(item: pytest.Item) -> tuple[bool, bool, bool, int, str]:
        name = of[item.nodeid]
        return (name != LONGEST, name not in APART, name not in slow, -sizes[name], name)

    items.sort(key=place)
