"""Guarantees of settings in several files: their order, their sum, and whose each fault is."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.base.tables import Fault
from kaspad_taskd.config.drop_ins import settings_files
from kaspad_taskd.config.places import Places
from kaspad_taskd.config.settings import Address, Bridge, Settings, load_settings, parse_settings

SERVICE = """
[services.k]
unit = "k.service"
node = "grpc://localhost"
env = {A = "1"}
"""


class Files:
    """A settings file and its drop-ins."""

    def __init__(self, place: Path) -> None:
        self.main = place / "kaspad-taskd.toml"
        self.directory = place / "kaspad-taskd.toml.d"
        self.places = Places(self.main, None, place, place, place)

    def write(self, text: str | None = None, **drop_ins: str) -> None:
        if text is not None:
            self.main.write_text(text)
        for name, given_text in drop_ins.items():
            self.drop_in(f"{name}.toml", given_text)

    def drop_in(self, name: str, text: str) -> Path:
        self.directory.mkdir(exist_ok=True)
        path = self.directory / name
        path.write_text(text)
        return path

    def sound(self) -> Settings:
        found = load_settings(self.places)
        assert isinstance(found, Settings), found
        return found

    def faults(self) -> list[Fault]:
        found = load_settings(self.places)
        assert isinstance(found, list), found
        return found

    def told(self) -> set[tuple[str, str]]:
        """File and key of each fault."""
        return {(Path(str(each.file)).name, each.key) for each in self.faults()}


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_tables_merge_and_all_else_replaces(files: Files) -> None:
    """Key by key, in order of name; a list is replaced whole."""
    files.write(
        'log_level = "error"\n[bridge]\nhosts = ["a", "b"]\norigins = ["https://o"]\n' + SERVICE,
        b='[bridge]\nhosts = ["c"]\n[services.k.env]\nA = "3"\nC = "3"\n',
        a='log_level = "debug"\n[services.k]\nnetwork = "testnet-10"\nenv = {A = "2", B = "2"}\n',
    )
    found = files.sound()
    assert found.log_level == "debug"
    assert found.bridge == Bridge(hosts=("c",), origins=("https://o",))
    service = found.services["k"]
    assert (service.network, service.env) == ("testnet-10", {"A": "3", "B": "2", "C": "3"})
    assert found.files == tuple(
        map(str, (files.main, files.directory / "a.toml", files.directory / "b.toml"))
    )


def test_drop_ins_need_no_file(files: Files) -> None:
    """Nor does either need the other; with none of them the defaults hold."""
    assert files.sound() == Settings()
    assert files.sound().files == ()
    files.write(a='[bridge]\nlisten = "off"\n')
    assert files.sound() == Settings(bridge=Bridge(listen=None))
    assert files.sound().files == (str(files.directory / "a.toml"),)


def test_a_named_file_has_its_own_and_must_be_there(tmp_path: Path) -> None:
    """`--config FILE` is FILE and FILE.d; drop-ins do not make up for a FILE that is missing."""
    files = Files(tmp_path)
    files.main = tmp_path / "mine.conf"
    files.directory = tmp_path / "mine.conf.d"
    files.places = Places(files.main, None, tmp_path, tmp_path, tmp_path, told=True)
    files.drop_in("a.toml", 'log_level = "debug"')
    assert files.told() == {("mine.conf", "")}
    files.main.touch()
    assert files.sound().log_level == "debug"


def test_other_names_are_left_alone(files: Files) -> None:
    """An editor's, a packager's, a README."""
    files.write('log_level = "error"')
    for name in ("README", "a.toml~", ".a.toml", "a.toml.dpkg-old", "a.conf", ".toml", "TOML"):
        files.drop_in(name, "no toml")
    assert files.sound().log_level == "error"


@pytest.mark.parametrize("main", [False, True])
def test_a_link_to_dev_null_is_an_empty_file(files: Files, main: bool) -> None:
    """It masks nothing: settings have one directory."""
    files.write(b='log_level = "debug"')
    (files.main if main else files.directory / "c.toml").symlink_to("/dev/null")
    assert files.sound().log_level == "debug"


NAMES = [b"B.toml", b"a.toml", b"10.toml", b"9.toml", b"\xff.toml", "é.toml".encode(), b"a-.toml"]


def test_the_order_is_that_of_bytes(files: Files) -> None:
    """In every locale; names that are no UTF-8 come last, and are told as text."""
    files.directory.mkdir()
    for number, name in enumerate(NAMES):
        path = os.path.join(os.fsencode(files.directory), name)  # noqa: PTH118 - bytes
        Path(os.fsdecode(path)).write_text(f'[databases.x]\ndsn_file = "/{number}"\n')
    found, faults = settings_files(files.places)
    assert [os.fsencode(each.name) for each in found] == sorted(NAMES)
    assert not faults
    assert files.sound().databases == {"x": Path(f"/{NAMES.index(max(NAMES))}")}
    "".join(files.sound().files).encode()


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("file", "is no directory"),
        ("dangling", "is a link to nothing"),
        ("loop", "leads to itself"),
        ("closed", "may not be read"),
    ],
)
def test_a_directory_that_cannot_be_read_is_a_fault(
    files: Files, monkeypatch: pytest.MonkeyPatch, kind: str, problem: str
) -> None:
    """What it holds might change everything; what else is wrong is told as well."""
    files.write('log_level = "loud"')
    if kind == "file":
        files.directory.touch()
    elif kind == "closed":  # root may read everything

        def refuse(_path: bytes) -> list[bytes]:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "listdir", refuse)
    else:
        files.directory.symlink_to(files.directory if kind == "loop" else "nowhere")
    first, second = files.faults()
    assert (first.file, first.key) == (str(files.directory), "")
    assert problem in first.problem
    assert (second.file, second.key) == (str(files.main), "log_level")


@pytest.mark.parametrize("kind", ["directory", "pipe", "dangling", "torn", "binary", "large"])
def test_a_drop_in_that_cannot_be_read_is_a_fault(files: Files, kind: str) -> None:
    """By its own name; nothing is told to be missing that may stand in it."""
    files.write(
        '[bridge]\nlisten = "here"\n[services.k]\nnode = "http://x"\ndsn = "x"\n'
        '[services.c]\ncompose = {project = "p", file = "/c", service = "c"}\nverify = {}\n'
    )
    path = files.drop_in("a.toml", "[torn" if kind == "torn" else "")
    if kind in ("directory", "pipe", "dangling"):
        path.unlink()
    if kind == "directory":
        path.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    if kind == "dangling":
        path.symlink_to("nowhere")
    if kind == "binary":
        path.write_bytes(b"\xff\xfe")
    if kind == "large":
        path.write_text("#" * 300_000)
    main, held = files.main.name, len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    assert files.told() == {("a.toml", ""), (main, "bridge.listen"), (main, "services.k.node")}
    assert ("it must be a file" in files.faults()[0].problem) is (kind == "directory")
    assert len(os.listdir("/proc/self/fd")) == held  # noqa: PTH208 - nothing is left open


def test_a_fault_is_told_of_the_file_that_set_it_last(files: Files) -> None:
    """Of a value, an entry of a table, a key that is missing; what is replaced is no fault."""
    files.write(
        'log_level = "loud"\nstrange = 1\nallow_hosts = 7\n[bridge]\nlisten = "here"\n'
        'hosts = ["a/b"]\n[services.k]\nenv = {PATH = "/x", URL = "y"}\nnode = "http://x"\n',
        a='log_level = "debug"\n[bridge]\nhosts = ["c/d"]\n[services.k]\ndsn = "none"\n',
        b='bridge.odd = 1\n[services.k.env]\nURL = "two\\nlines"\n',
        c='databases = 3\n[services.k]\npublic_env = {LD_PRELOAD = "x"}\n',
    )
    assert files.told() == {
        ("kaspad-taskd.toml", "strange"),
        ("kaspad-taskd.toml", "allow_hosts"),
        ("kaspad-taskd.toml", "bridge.listen"),
        ("kaspad-taskd.toml", "services.k.env"),
        ("kaspad-taskd.toml", "services.k.node"),
        ("a.toml", "bridge.hosts"),
        ("a.toml", "services.k.dsn"),
        ("b.toml", "bridge.odd"),
        ("b.toml", "services.k.env"),
        ("c.toml", "databases"),
        ("c.toml", "services.k.unit"),
        ("c.toml", "services.k.public_env"),
    }


def test_who_set_a_key_can_be_asked(files: Files) -> None:
    """For what is wrong with it later: a type that nobody offers, a file that is missing."""
    files.write("[databases.x]\ndsn_file = '/a'", a='probes = ["p"]')
    found = files.sound()
    assert found.source("probes") == str(files.directory / "a.toml")
    assert found.source("databases", "x", "dsn_file") == str(files.main)
    assert Settings().source("probes") is None


TREES: Any = st.fixed_dictionaries(
    {},
    optional={
        "log_level": st.sampled_from(["info", "debug", "loud"]),
        "allow_hosts": st.lists(st.sampled_from(["loopback", "a b", "h:1"]), max_size=2),
        "bridge": st.fixed_dictionaries(
            {},
            optional={
                "listen": st.sampled_from(["off", "here", "127.0.0.1:1"]),
                "hosts": st.lists(st.sampled_from(["h", "a/b"]), max_size=2),
                "odd": st.integers(0, 9),
            },
        ),
        "databases": st.dictionaries(
            st.sampled_from(["x", "y", "a b"]),
            st.fixed_dictionaries({}, optional={"dsn_file": st.sampled_from(["/x", "x"])}),
            max_size=2,
        ),
    },
)


@given(st.lists(TREES, max_size=4))
def test_several_files_say_what_one_would(tables: list[dict[str, Any]]) -> None:
    """The same settings, or the same faults, each told of a file that writes that key."""
    with tempfile.TemporaryDirectory() as name:
        files = Files(Path(name))
        for number, table in enumerate(tables):
            files.drop_in(f"{number}.toml", tomli_w.dumps(table))
        found = load_settings(files.places)
        expected = parse_settings(_laid(tables))
        if isinstance(found, Settings):
            assert found == expected
            return
        assert isinstance(expected, list)
        assert [(each.key, each.problem) for each in found] == [
            (each.key, each.problem) for each in expected
        ]
        for fault in found:
            number = int(Path(str(fault.file)).stem)
            top = fault.key.split(".")[0]
            assert top in tables[number]
            assert fault.problem == "is required" or fault.key in str(
                [each.key for each in _alone(tables[number])]
            )


def _laid(tables: list[dict[str, Any]]) -> dict[str, Any]:
    laid: dict[str, Any] = {}
    for table in tables:
        for key, value in table.items():
            both = isinstance(laid.get(key), dict) and isinstance(value, dict)
            laid[key] = _laid([laid[key], value]) if both else value
    return laid


def _alone(table: dict[str, Any]) -> list[Fault]:
    found = parse_settings(table)
    return found if isinstance(found, list) else []


def test_addresses_of_a_drop_in_replace_the_defaults_as_those_of_the_file_do(files: Files) -> None:
    """A list is the whole list."""
    files.write(a='allow_hosts = ["h"]')
    assert files.sound().allow_hosts == (Address("h"),)
