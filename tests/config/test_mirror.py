"""Guarantees of `kaspad_taskd.config.mirror`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kaspad_taskd.config.definitions import parse_definition
from kaspad_taskd.config.layers import diff, read_layers
from kaspad_taskd.config.mirror import Mirror
from kaspad_taskd.config.places import Places
from kaspad_taskd.core.model import Definition, Origin
from kaspad_taskd.probes import TYPES


def registered(id_: str) -> Definition:
    config = {"url": "grpc://localhost:16110", "maxLag": 90_000}
    data = {"id": id_, "type": "node-sync", "service": "kaspa-node", "config": config}
    definition = parse_definition(data, TYPES, origin=Origin.API, style="json")
    assert isinstance(definition, Definition)
    return definition


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    return Mirror(tmp_path / "state" / "tasks.d", TYPES)


def names(mirror: Mirror) -> list[str]:
    return sorted(path.name for path in mirror.directory.iterdir())


def test_a_lost_state_is_rebuilt_from_it(mirror: Mirror) -> None:
    """What was registered is read back exactly, as registered."""
    tasks = {id_: registered(id_) for id_ in ("a", "b")}
    for definition in tasks.values():
        mirror.write(definition)
    assert mirror.read() == (tasks, [])
    mirror.remove("a")
    mirror.remove("never-there")
    assert mirror.read() == ({"b": tasks["b"]}, [])


def test_without_a_directory_there_is_nothing(mirror: Mirror) -> None:
    """A first start finds no copies, and removing is no error."""
    assert mirror.read() == ({}, [])
    mirror.remove("a")
    mirror.align([])


def test_a_broken_copy_costs_only_itself(mirror: Mirror) -> None:
    """The others are rebuilt, and the broken one is named."""
    mirror.write(registered("a"))
    (mirror.directory / "b.toml").write_text("half a li")
    found, faults = mirror.read()
    assert list(found) == ["a"]
    assert [fault.file for fault in faults] == [str(mirror.directory / "b.toml")]


def test_align_brings_copies_in_line(mirror: Mirror) -> None:
    """After a crash between state and copy: missing ones come, stale and stray ones go."""
    mirror.write(registered("stray"))
    mirror.write(registered("stale"))
    stale = replace(registered("stale"), interval=60.0)
    mirror.align([registered("new"), stale])
    assert names(mirror) == ["new.toml", "stale.toml"]
    assert mirror.read()[0]["stale"] == stale


def test_a_type_of_a_later_version_keeps_its_copy(mirror: Mirror) -> None:
    """An older daemon neither rewrites nor removes what it does not know."""
    mirror.write(registered("a"))
    before = (mirror.directory / "a.toml").read_bytes()
    mirror.align([replace(registered("a"), type="from-the-future")])
    assert (mirror.directory / "a.toml").read_bytes() == before


def test_equal_copies_are_not_written_again(mirror: Mirror) -> None:
    """A start with thousands of tasks syncs no file that is right already."""
    mirror.write(registered("a"))
    first = (mirror.directory / "a.toml").stat().st_ino
    mirror.align([registered("a")])
    assert (mirror.directory / "a.toml").stat().st_ino == first


def test_a_copy_taken_to_etc_is_the_same_task(mirror: Mirror, tmp_path: Path) -> None:
    """Copied as it is, the file takes the task over and changes nothing but its owner."""
    definition = registered("a")
    mirror.write(definition)
    copy = mirror.directory / "a.toml"
    assert "copy this file to /etc" in copy.read_text()
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "a.toml").write_bytes(copy.read_bytes())
    places = Places(tmp_path / "s", None, etc, tmp_path, tmp_path)
    known = {"a": definition}
    found = diff(known, read_layers(places, TYPES, known))
    assert found.changed == (replace(definition, origin=Origin.ADMIN),)


def test_a_directory_that_cannot_be_made_is_an_error(mirror: Mirror) -> None:
    """The caller hears that there is no copy."""
    mirror.directory.parent.write_text("in the way")
    with pytest.raises(OSError, match="state"):
        mirror.write(registered("a"))
