"""What would keep the daemon from starting, found without starting it."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kaspad_taskd.config.places import Places, find_places
from kaspad_taskd.daemon.preflight import FAULT, GOOD, WARNING, User, look, preflight
from kaspad_taskd.store.schema import STEPS


@pytest.fixture
def places(tmp_path: Path) -> Places:
    for name in ("tasks.d", "state", "run"):
        (tmp_path / name).mkdir()
    settings = tmp_path / "kaspad-taskd.toml"
    settings.write_text("[bridge]\nlisten = false\n")
    with closing(sqlite3.connect(tmp_path / "state/state.db")) as db:
        db.execute(f"PRAGMA user_version = {len(STEPS)}")
    return find_places(
        {}, 0, config=settings, tasks=tmp_path / "tasks.d", state=tmp_path / "state",
        runtime=tmp_path / "run",
    )  # fmt: skip


ROOT = User("root", 0, frozenset({0}))


def told(places: Places, user: User = ROOT) -> list[tuple[str | None, str | None, str | None]]:
    return [(each["level"], each["check"], each["text"]) for each in look(places, None, user)]


def test_where_all_is_well_nothing_else_is_said(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 0, JSON; no file was made."""
    before = sorted(places.state.iterdir())
    assert preflight(places, "off") == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["level"] for each in found] == [GOOD, GOOD]
    assert sorted(places.state.iterdir()) == before


def test_a_newer_state_is_named_with_its_cure(places: Places) -> None:
    """By its header alone: SQLite as root would leave files that the daemon cannot use."""
    with closing(sqlite3.connect(places.state / "state.db")) as db:
        db.execute(f"PRAGMA user_version = {len(STEPS) + 2}")
    level, check, text = told(places)[0]
    assert (level, check) == (FAULT, "schema")
    assert f"has schema {len(STEPS) + 2}" in str(text)
    assert preflight(places, "off") == 1


def test_a_port_that_is_taken_is_a_warning(places: Places) -> None:
    """Not a fault: it starts without its page, and says so."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        places.settings.write_text(f'[bridge]\nlisten = "127.0.0.1:{port}"\n')
        level, check, text = told(places)[-1]
    assert (level, check) == (WARNING, "port")
    assert f"cannot listen on 127.0.0.1:{port}" in str(text)
    assert told(places)[-1] == (GOOD, "port", f"127.0.0.1:{port} is free")


SOMEBODY = User("kaspad-taskd", 54_321, frozenset({54_322}))
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@needs_root
def test_rights_are_those_of_the_daemons_user(places: Places) -> None:
    """As owner, by group, as anybody; the first thing that is closed is named with what to type."""
    for each in places.state.parents:
        if each.is_relative_to("/tmp/"):
            each.chmod(0o755)
    for each in (places.state, places.state / "state.db", places.runtime):
        os.chown(each, SOMEBODY.uid, 0)
    assert told(places, SOMEBODY)[-1][0] == GOOD
    os.chown(places.state / "state.db", 0, 0)
    (fault,) = (each for each in look(places, None, SOMEBODY) if each["level"] == FAULT)
    assert fault["text"] == f"the user kaspad-taskd may not write in {places.state}/state.db"
    assert fault["cure"] == f"sudo chown kaspad-taskd: {places.state}/state.db*"


@needs_root
def test_a_secret_that_cannot_be_read_is_named(places: Places) -> None:
    """A token keeps it from starting, a DSN does not; one that is missing is told as that."""
    for each in places.state.parents:
        if each.is_relative_to("/tmp/"):
            each.chmod(0o755)
    for each in (places.state, places.state / "state.db", places.runtime):
        os.chown(each, SOMEBODY.uid, 0)
    token, dsn, gone = (places.settings.with_name(name) for name in ("token", "dsn", "gone"))
    for file in (token, dsn):
        file.write_text("x")
        file.chmod(0o600)
    places.settings.write_text(
        f'[bridge]\nlisten = "127.0.0.1:0"\ntoken_file = "{token}"\n'
        f'[databases.a]\ndsn_file = "{dsn}"\n[databases.b]\ndsn_file = "{gone}"\n'
    )
    places.drop_ins.mkdir()
    (places.drop_ins / "90-own.toml").touch(0o600)
    levels = [(level, text) for level, check, text in told(places, SOMEBODY) if check == "rights"]
    assert levels == [
        (FAULT, f"the user kaspad-taskd may not read {places.drop_ins}/90-own.toml"),
        (FAULT, f"the user kaspad-taskd may not read {token}"),
        (WARNING, f"the user kaspad-taskd may not read {dsn}"),
        (WARNING, f"there is no {gone}, which the settings name"),
    ]
