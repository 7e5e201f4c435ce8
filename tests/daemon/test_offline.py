"""The daemon's program without the daemon: what --check says."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaspad_taskd.config.places import Places, find_places
from kaspad_taskd.daemon.offline import BAD_SETTINGS, OK, check

MIGRATION = """\
type = "database-migration"
service = "explorer"
[checker]
dsn = "explorer"
tool = "simply-kaspa"
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "tasks.d").mkdir()
    settings = tmp_path / "kaspad-taskd.toml"
    settings.touch()
    return find_places({}, 0, config=settings, tasks=tmp_path / "tasks.d")


def test_a_type_that_nobody_offers_is_a_fault_of_the_settings(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    """With file and key, as `doctor` and a failed start need them."""
    places.settings.write_text('probes = ["strange"]\n')
    assert check(places) == BAD_SETTINGS
    said = capsys.readouterr().out
    assert said.startswith(f"{places.settings}, probes: ")
    assert '"strange"' in said


def test_a_database_that_the_settings_do_not_name_is_a_fault(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the definition; named, it is none."""
    file = places.settings.with_name("tasks.d") / "db.toml"
    file.write_text(MIGRATION)
    assert check(places) == BAD_SETTINGS
    said = capsys.readouterr().out
    assert said == f"{file}, checker.dsn: the settings have no [databases.explorer]\n"
    places.settings.write_text('[databases.explorer]\ndsn_file = "/etc/explorer.dsn"\n')
    assert check(places) == OK
