"""Guarantees of `kaspad_taskd.fleet.settings`: one file, two programs, each fault with its cure."""

from __future__ import annotations

import re
import socket
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.base.tables import Fault
from kaspad_taskd.fleet.settings import Login, Part, Server, Settings, load, parse, server_of

SECRET = "hunter2-of-mine"
KEYS = ["host", "labels", "redis", "relay", "servers", "tls", "user", "password_file", "keep"]
KEYS += ["keep_days", "database", "ca_file", "cert_file", "key_file"]
BARE = '[redis]\nservers = ["r.example"]\n'


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write(tmp_path / "password", f"# of the relay\n{SECRET}\n")
    for name in ("ca.pem", "own.pem", "own.key"):
        write(tmp_path / name, "x")
    return tmp_path


def write(path: Path, text: str, mode: int = 0o640) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def read(place: Path, text: str, part: Part = Part.RELAY) -> Settings | list[Fault]:
    return load(write(place / "fleet.toml", text.replace("@", str(place))), part)


def sound(place: Path, text: str, part: Part = Part.RELAY) -> Settings:
    settings = read(place, text, part)
    assert isinstance(settings, Settings), settings
    return settings


def told(place: Path, text: str) -> list[str]:
    """The faults as people read them, without the directory; none of them has a secret."""
    faults = read(place, text)
    assert isinstance(faults, list)
    said = [str(fault).replace(f"{place}/", "") for fault in faults]
    assert SECRET not in " ".join(said)
    return said


def test_a_server_is_enough(place: Path) -> None:
    found = sound(place, BARE)
    assert found.engine.servers == (Server("r.example", 6379),)
    assert found.host == socket.gethostname()
    assert (found.relay.login, found.relay.keep, found.relay.keep_days) == (Login(), 400, 30)


def test_all_can_be_said(place: Path) -> None:
    found = sound(
        place,
        'host = "node-1"\n[labels]\nsite = "Wien"\n[redis]\ndatabase = 3\ntls = true\n'
        'servers = ["a:1", "[fd00::1]:2", "unix:/run/r.sock", "[::1]"]\n'
        'ca_file = "@/ca.pem"\ncert_file = "@/own.pem"\nkey_file = "@/own.key"\n'
        '[relay]\nuser = "node-1"\npassword_file = "@/password"\nkeep = 50\nkeep_days = 7\n',
    )
    assert list(map(str, found.engine.servers)) == [
        "a:1",
        "[fd00::1]:2",
        "unix:/run/r.sock",
        "[::1]:6379",
    ]
    assert dict(found.labels) == {"site": "Wien"}
    assert found.relay.login == Login("node-1", SECRET)
    assert SECRET not in repr(found)
    assert found.engine.database == 3
    assert (found.relay.keep, found.relay.keep_days) == (50, 7)


def test_a_program_does_not_read_the_password_of_the_other(place: Path) -> None:
    """They are two users, and the file of one may be closed to the other."""
    text = BARE + '[relay]\nuser = "node-1"\npassword_file = "@/nowhere"\n'
    assert sound(place, text, Part.HUB).relay.login == Login("node-1")
    assert told(place, text) == ["nowhere: is not there: make it, or name another one"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "redis.servers: is required: where Redis or Valkey listens"),
        ("[redis]\nservers = []\n", "redis.servers: is empty; name one"),
        ('[redis]\nservers = ["a:0"]\n', 'redis.servers: "a:0" must be HOST, HOST:PORT'),
        ('[redis]\nservers = ["redis://a"]\n', 'redis.servers: "redis://a" must be HOST'),
        ('[redis]\nservers = ["unix:run"]\n', 'redis.servers: "unix:run" must be HOST'),
        ('host = "a b"\n' + BARE, "host: must be letters, digits"),
        (BARE + 'ca_file = "@/ca.pem"\n', "redis.ca_file: is for TLS; set tls = true"),
        (BARE + 'tls = true\ncert_file = "@/own.pem"\n', "redis.key_file: is required beside"),
        (BARE + 'tls = true\nca_file = "@/no.pem"\n', "redis.ca_file: no.pem is not there"),
        (BARE + '[relay]\nuser = "x"\n', "relay.password_file: is required: a file with"),
        (BARE + '[relay]\npassword_file = "x"\n', "relay.password_file: must be an absolute path"),
        (BARE + '[relay]\npassword_file = "@"\n', "is a directory"),
        (BARE + "[relay]\nkeep = 1\n", "relay.keep: "),
        (
            BARE + "[relay]\nkeep_day = 1\n",
            'relay.keep_day: unknown key; did you mean "keep_days"?',
        ),
        (BARE + '[labels]\n"a b" = "x"\n', 'labels: "a b" must be letters'),
        (BARE + f'[labels]\na = "{"x" * 101}"\n', 'labels: "a" is longer than 100 characters'),
    ],
)
def test_a_fault_names_its_place_and_cure(place: Path, text: str, fault: str) -> None:
    said = told(place, text)
    assert len(said) == 1, said
    assert fault in said[0].replace(f"{place}", "")


def test_a_password_that_all_may_read_is_a_fault(place: Path) -> None:
    write(place / "password", SECRET, 0o644)
    said = told(place, BARE + '[relay]\npassword_file = "@/password"\n')
    assert said == ["password: others may use it, and it has secrets: chmod o= password"]


def test_a_machine_whose_name_is_none_has_to_be_given_one(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "-x")
    assert 'the machine\'s name "-x" must be letters' in told(place, BARE)[0]
    assert sound(place, 'host = "x"\n' + BARE).host == "x"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.just("/"),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.sampled_from(KEYS), each),
)


@given(st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_whatever_stands_there_is_settings_or_faults(data: dict[str, object]) -> None:
    found = parse(data, "f", Part.RELAY)
    assert isinstance(found, Settings) or found


@given(st.text(max_size=40))
def test_a_server_is_one_that_can_be_written_again(text: str) -> None:
    found = server_of(text)
    assert found is None or server_of(str(found)) == found


def test_a_hub_is_come_to_as_a_bridge_is(tmp_path: Path) -> None:
    """The same keys with the same faults; beside the daemon's port, and never off."""
    plain = parse({"host": "h", "redis": {"servers": ["r"]}}, "fleet.toml", Part.HUB)
    assert isinstance(plain, Settings)
    assert str(plain.hub.door.listen) == "127.0.0.1:3081"
    given = {"listen": "[::]:80", "hosts": ["f.example.org"], "origins": ["https://a.org/"]}
    table = {"host": "h", "redis": {"servers": ["r"]}, "hub": {**given, "proxies": ["::1"]}}
    told = parse(table, "fleet.toml", Part.HUB)
    assert isinstance(told, Settings)
    assert told.hub.door.origins == ("https://a.org",)
    table["hub"] = {
        "listen": "off",
        "origins": ["*"],
        "token_file": "here",
        "proxies": ["0.0.0.0/0"],
    }
    faults = parse(table, "fleet.toml", Part.HUB)
    assert isinstance(faults, list)
    assert [each.key for each in faults] == [
        "hub.token_file", "hub.origins", "hub.proxies", "hub.listen",
    ]  # fmt: skip


def test_what_the_page_shows_of_the_file_makes_one_file() -> None:
    """Who writes it down block after block has settings, with no table said twice."""
    page = Path(__file__).parents[2] / "docs" / "fleet.md"
    shown = "\n".join(re.findall(r"(?ms)^```toml\n(.*?)^```$", page.read_text()))
    for told in (
        shown,
        re.sub(r"(?m)^# (?=\w+ = )", "", shown),
    ):  # and all that is offered
        assert set(tomllib.loads(told)) == {"host", "labels", "redis", "relay", "hub"}
