"""Guarantees of `kaspad_taskd.config.layers`: real directories, real types."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kaspad_taskd.config.layers import Diff, Layers, SourceState, diff, read_layers
from kaspad_taskd.config.places import Places
from kaspad_taskd.config.reading import MAX_BYTES
from kaspad_taskd.core.model import Definition, Origin
from kaspad_taskd.probes import TYPES


class Host:
    """The two directories of a host, and what its daemon knows."""

    def __init__(self, root: Path) -> None:
        self.vendor, self.admin = root / "usr", root / "etc"
        self.vendor.mkdir()
        self.admin.mkdir()
        self.places = Places(root / "s.toml", self.vendor, self.admin, root / "st", root / "run")
        self.known: dict[str, Definition] = {}

    def put(self, directory: Path, id_: str, more: str = "") -> Path:
        path = directory / f"{id_}.toml"
        path.write_text(f'type = "report"\nservice = "s"\n{more}')
        return path

    def read(self) -> Layers:
        return read_layers(self.places, TYPES, self.known)

    def reload(self) -> Diff:
        """Read, and know it from now on, as the daemon does."""
        found = diff(self.known, self.read())
        self.known |= {each.id: each for each in (*found.added, *found.changed)}
        for id_ in found.removed:
            del self.known[id_]
        return found

    def register(self, id_: str, *after: str) -> None:
        self.known[id_] = Definition(id_, "report", "s", after=after, origin=Origin.API)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def changes(found: Diff) -> tuple[list[str], list[str], list[str]]:
    ids = ([each.id for each in found.added], [each.id for each in found.changed])
    return (*ids, list(found.removed))


def problems(layers: Layers) -> dict[str, str]:
    """The first problem of each bad file by id."""
    return {id_: each.faults[0].problem for id_, each in layers.sources.items() if each.faults}


def test_no_directories_are_no_tasks(host: Host) -> None:
    """A host without definitions is a sound one."""
    host.vendor.rmdir()
    host.admin.rmdir()
    assert host.read() == Layers()
    assert changes(host.reload()) == ([], [], [])


def test_the_higher_file_replaces_the_lower_whole(host: Host) -> None:
    """Nothing of the vendor's file is mixed into the administrator's of the same name."""
    host.put(host.vendor, "a", 'interval = "1min"')
    host.put(host.vendor, "b")
    host.put(host.admin, "a", "confirmations = 5")
    layers = host.read()
    a, b = layers.definitions["a"], layers.definitions["b"]
    assert (a.interval, a.confirmations, a.origin) == (10.0, 5, Origin.ADMIN)
    assert b.origin is Origin.VENDOR
    assert layers.sources["a"].file == str(host.admin / "a.toml")
    assert layers.faults == []


def test_one_directory_can_stand_for_both(host: Host) -> None:
    """`--tasks DIR` leaves the vendor's aside."""
    host.put(host.vendor, "a")
    host.put(host.admin, "b")
    host.places = replace(host.places, vendor_tasks=None)
    assert list(host.read().definitions) == ["b"]


def test_a_link_to_dev_null_masks(host: Host) -> None:
    """A masked task is none, and masking a known one removes it."""
    host.put(host.vendor, "a")
    assert changes(host.reload()) == (["a"], [], [])
    (host.admin / "a.toml").symlink_to("/dev/null")
    layers = host.read()
    assert layers.sources["a"].state is SourceState.MASKED
    assert layers.faults == []
    assert changes(host.reload()) == ([], [], ["a"])


def test_a_mask_does_not_touch_a_registered_task(host: Host) -> None:
    """What a program registered is removed by programs, not by a mask."""
    host.register("a")
    (host.admin / "a.toml").symlink_to("/dev/null")
    assert changes(host.reload()) == ([], [], [])


def test_what_is_no_definition_is_left_alone(host: Host) -> None:
    """README, examples, editors' files are not read."""
    for name in ("README", "a.toml.example", "a.toml~", ".a.toml", ".#b.toml"):
        (host.admin / name).write_text("not TOML at all [")
    assert host.read() == Layers()


def test_added_changed_removed(host: Host) -> None:
    """A reload tells what changed by value; what is equal is left in peace."""
    host.put(host.admin, "same")
    host.put(host.admin, "other")
    host.put(host.admin, "gone")
    assert changes(host.reload()) == (["gone", "other", "same"], [], [])
    host.put(host.admin, "same", "# rewritten, but equal\n")
    host.put(host.admin, "other", 'interval = "1min"')
    host.put(host.admin, "new")
    (host.admin / "gone.toml").unlink()
    assert changes(host.reload()) == (["new"], ["other"], ["gone"])
    assert changes(host.reload()) == ([], [], [])


def test_a_file_takes_a_registered_task_over(host: Host) -> None:
    """A file of the same id makes a registered task the administrator's; others stay."""
    host.register("mine")
    host.register("theirs")
    host.put(host.admin, "mine")
    assert changes(host.reload()) == ([], ["mine"], [])
    assert host.known["mine"].origin is Origin.ADMIN
    (host.admin / "mine.toml").unlink()
    assert changes(host.reload()) == ([], [], ["mine"])


def test_without_the_override_the_vendors_counts_again(host: Host) -> None:
    """Removing the administrator's file is no removal where the package has one."""
    host.put(host.vendor, "a")
    host.put(host.admin, "a", "confirmations = 5")
    host.reload()
    (host.admin / "a.toml").unlink()
    assert changes(host.reload()) == ([], ["a"], [])
    assert host.known["a"].confirmations == 2


BAD_FILES: dict[str, Callable[[Path], object]] = {
    "toml": lambda path: path.write_text("type = \n"),
    "twice": lambda path: path.write_text('type = "a"\ntype = "b"\n'),
    "keys": lambda path: path.write_text('type = "report"\n'),
    "empty": lambda path: path.write_text(""),
    "latin": lambda path: path.write_bytes(b'# \xe9\ntype = "report"\nservice = "s"\n'),
    "binary": lambda path: path.write_bytes(bytes(range(256))),
    "huge": lambda path: path.write_bytes(b"#" * (1024 * 1024)),
    "deep": lambda path: path.write_text("a = " + "[" * 20_000),
    "dotted": lambda path: path.write_text("a" + ".a" * 60_000 + " = 1"),
    "directory": lambda path: path.mkdir(),
    "pipe": os.mkfifo,
    "loop": lambda path: path.symlink_to(path),
    "dangling": lambda path: path.symlink_to("nowhere"),
    "device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_hurts_only_its_own_task(host: Host, kind: str) -> None:
    """It is named with the cure; its last good version and all other tasks stay."""
    host.put(host.admin, "good")
    path = host.put(host.admin, "bad")
    host.reload()
    path.unlink()
    BAD_FILES[kind](path)
    host.put(host.admin, "new")
    layers = host.read()
    assert problems(layers).keys() == {"bad"}
    assert all(fault.file == str(path) and fault.problem for fault in layers.faults)
    assert layers.sources["bad"].state is SourceState.BAD
    assert changes(host.reload()) == (["new"], [], [])
    assert sorted(host.known) == ["bad", "good", "new"]


def test_a_type_that_cannot_be_loaded_hurts_only_its_own_tasks(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files were replaced since the daemon started, say: what it watches stays as it was."""
    host.put(host.admin, "well")
    (host.admin / "asks.toml").write_text(
        'type = "http-json"\nservice = "s"\n[checker]\nurl = "http://h/"\nprogress = "p"\n'
    )
    assert changes(host.reload()) == (["asks", "well"], [], [])
    monkeypatch.setitem(sys.modules, "kaspad_taskd.probes.general.http_json", None)
    host.put(host.admin, "well", 'interval = "20s"')
    assert changes(host.reload()) == ([], ["well"], [])
    problem = problems(host.read())["asks"]
    assert problem.startswith("cannot be loaded, restart kaspad-taskd: ")
    assert "http_json" in problem


def test_a_bad_file_still_replaces_the_lower(host: Host) -> None:
    """A broken override does not bring the vendor's definition back."""
    host.put(host.vendor, "a")
    host.put(host.admin, "a", "confirmations = 5")
    host.reload()
    (host.admin / "a.toml").write_text("broken")
    assert changes(host.reload()) == ([], [], [])
    assert host.known["a"].confirmations == 5


def test_the_size_limit_is_exact(host: Host) -> None:
    """A file of the limit is read, one byte more is not."""
    path = host.put(host.admin, "a")
    text = path.read_text()
    path.write_text(text + "#" * (MAX_BYTES - len(text)))
    assert problems(host.read()) == {}
    path.write_text(text + "#" * (MAX_BYTES - len(text) + 1))
    assert problems(host.read()) == {"a": "is larger than 256 KiB"}


def test_a_windows_editor_is_no_mistake(host: Host) -> None:
    """A byte order mark and CRLF are read over."""
    (host.admin / "a.toml").write_bytes(b'\xef\xbb\xbftype = "report"\r\nservice = "s"\r\n')
    assert list(host.read().definitions) == ["a"]


@pytest.mark.parametrize("name", ["a b.toml", "-a.toml", "é.toml", "x" * 101 + ".toml"])
def test_a_name_that_is_no_id(host: Host, name: str) -> None:
    """The file's name is the id, so it has to be one."""
    host.put(host.admin, "good")
    (host.admin / name).write_text('type = "report"\nservice = "s"')
    layers = host.read()
    assert list(layers.definitions) == ["good"]
    assert layers.faults[0].problem.endswith("rename it")


def test_a_name_in_another_encoding(host: Host) -> None:
    """A file name that is not UTF-8 is a fault that can be shown."""
    (Path(os.fsdecode(os.fsencode(host.admin) + b"/\xff.toml"))).write_text("x = 1")
    fault, *_ = host.read().faults
    assert fault.problem.startswith("the name must be")
    assert fault.file is not None
    fault.file.encode()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(host: Host) -> None:
    """The fault says whose rights are missing."""
    host.put(host.admin, "a").chmod(0)
    assert f"uid {os.geteuid()}" in problems(host.read())["a"]


def unreadable(directory: Path) -> None:
    """What no rights can read, root's included: a link that leads to itself."""
    for path in directory.iterdir():
        path.unlink()
    directory.rmdir()
    directory.symlink_to(directory)


def test_an_unreadable_directory_changes_nothing(host: Host) -> None:
    """Neither its own tasks nor those below, which it might replace or mask."""
    host.put(host.vendor, "v")
    host.put(host.admin, "a")
    host.reload()
    unreadable(host.admin)
    host.put(host.vendor, "v", "confirmations = 7")
    host.put(host.vendor, "masked-perhaps")
    layers = host.read()
    assert layers.unreadable.keys() == {Origin.ADMIN}
    assert layers.faults[0].file == str(host.admin)
    assert "itself" in layers.faults[0].problem
    assert changes(host.reload()) == ([], [], [])


def test_an_unreadable_lower_directory_leaves_the_higher_alive(host: Host) -> None:
    """The administrator's files count while the vendor's directory cannot be read."""
    host.put(host.vendor, "v")
    host.put(host.vendor, "w")
    host.put(host.admin, "a")
    host.reload()
    unreadable(host.vendor)
    host.put(host.admin, "b")
    host.put(host.admin, "w", "confirmations = 7")
    (host.admin / "a.toml").unlink()
    assert changes(host.reload()) == (["b"], ["w"], ["a"])
    assert "v" in host.known


def test_a_directory_that_leads_nowhere_is_unreadable(host: Host) -> None:
    """A dangling link in the directory's place is a mistake, not an empty directory."""
    host.put(host.admin, "a")
    host.reload()
    (host.admin / "a.toml").unlink()
    host.admin.rmdir()
    host.admin.symlink_to("nowhere")
    assert changes(host.reload()) == ([], [], [])


def test_a_file_in_the_directorys_place(host: Host) -> None:
    """That is told."""
    host.admin.rmdir()
    host.admin.write_text("")
    assert host.read().faults[0].problem == "is no directory"


def test_a_ring_of_files_is_a_fault_of_each(host: Host) -> None:
    """Tasks that wait for each other never start: the files are bad, others are not."""
    host.put(host.admin, "a", 'after = ["b"]')
    host.put(host.admin, "b", 'after = ["a"]')
    host.put(host.admin, "c", 'after = ["a", "not-there"]')
    layers = host.read()
    assert list(layers.definitions) == ["c"]
    assert problems(layers)["a"].startswith("a waits for b waits for a")
    assert layers.sources["b"].faults[0].key == "after"


def test_who_closes_a_ring_is_to_blame(host: Host) -> None:
    """A file that waited first stays; the one that changed keeps its last good version."""
    host.put(host.admin, "a", 'after = ["b"]')
    host.put(host.admin, "b")
    host.reload()
    host.put(host.admin, "b", 'after = ["a"]\nconfirmations = 7')
    assert problems(host.read()).keys() == {"b"}
    assert changes(host.reload()) == ([], [], [])


def test_a_ring_over_a_registered_task(host: Host) -> None:
    """What programs registered is part of the order."""
    host.register("r", "a")
    host.put(host.admin, "a", 'after = ["r"]')
    assert problems(host.read()).keys() == {"a"}
    assert "r" in host.known


def test_a_ring_over_a_task_that_goes_is_none(host: Host) -> None:
    """Waiting for a task whose file goes in the same reload closes nothing."""
    host.put(host.admin, "a", 'after = ["b"]')
    host.put(host.admin, "b")
    host.reload()
    (host.admin / "a.toml").unlink()
    host.put(host.admin, "b", 'after = ["a"]')
    assert changes(host.reload()) == ([], ["b"], ["a"])


def test_a_directory_that_was_named_must_be_there(host: Host) -> None:
    """A typing error in `--tasks` is a fault and removes nobody's tasks."""
    host.put(host.admin, "a")
    host.places = replace(host.places, vendor_tasks=None)
    host.reload()
    host.places = replace(host.places, admin_tasks=host.admin / "tsaks.d")
    (fault,) = host.read().faults
    assert fault.problem == "cannot be read: No such file or directory"
    assert fault.file == str(host.places.admin_tasks)
    assert changes(host.reload()) == ([], [], [])
