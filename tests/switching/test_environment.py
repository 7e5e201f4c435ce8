"""What wins over an endpoint file, found and named; what does not is no reason for doubt."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kaspad_taskd.config.switched import SwitchedService
from kaspad_taskd.core.attention import Override
from kaspad_taskd.core.switch import Side
from kaspad_taskd.switching.endpoint import render
from kaspad_taskd.switching.environment import files, override, parse, unreadable

OURS = "/var/lib/kaspad-taskd-endpoints/kasia.env"
LATER = "/etc/default/kasia"
URL = "KASPA_NODE_WBORSH_URL"
LOCAL, PUBLIC = "ws://127.0.0.1:17110", "wss://public.example"
VALUES = {URL: LOCAL}
Texts = Mapping[str, str | None]


def shown(*paths: str, argv: str = "/usr/bin/kasia-indexer", unset: str = "") -> dict[str, str]:
    return {
        "EnvironmentFiles": "\n".join(f"{path} (ignore_errors=yes)" for path in paths),
        "UnsetEnvironment": unset,
        "ExecStart": f"{{ path=/usr/bin/x ; argv[]={argv} ; ignore_errors=no ; pid=0 }}",
    }


def found(unit: Mapping[str, str], texts: Texts | None = None) -> Override | None:
    known = texts or {}
    return override(VALUES, OURS, unit, lambda path: [(path, known.get(path, ""))])


def test_the_last_file_wins() -> None:
    """One after ours that says the same, or something else, is harmless; one before ours too."""
    wins = {LATER: f"A=1\n{URL}={PUBLIC}\n"}
    assert found(shown(OURS, LATER), wins) == Override(URL, LATER)
    assert found(shown(LATER, OURS), wins) is None
    assert found(shown(OURS, LATER), {LATER: f'{URL}="{LOCAL}"'}) is None
    assert found(shown(OURS, LATER), {LATER: "OTHER=1"}) is None
    assert found(shown(OURS, LATER, OURS), wins) is None
    last = {LATER: f"{URL}={PUBLIC}", "/b": f"{URL}={LOCAL}"}
    assert found(shown(OURS, LATER, "/b"), last) is None


def test_a_file_that_cannot_be_read_is_named() -> None:
    """Nobody knows then; only one after ours matters."""

    def read(path: str) -> list[tuple[str, str | None]]:
        return [(path, None)]

    assert unreadable(OURS, shown(OURS, LATER), read) == LATER
    assert unreadable(OURS, shown(LATER, OURS), read) is None
    assert override(VALUES, OURS, shown(OURS, LATER), read) is None


@pytest.mark.parametrize(
    ("argv", "by"),
    [
        (f"k --kaspa-node-wborsh-url {PUBLIC}", "--kaspa-node-wborsh-url in ExecStart="),
        (f"k --kaspa-node-wborsh-url={PUBLIC}", "--kaspa-node-wborsh-url in ExecStart="),
        (f"k --wborsh-url {PUBLIC}", "--wborsh-url in ExecStart="),
        (f"k -s {PUBLIC} -d x", "-s in ExecStart="),
        (f"k {PUBLIC}", "an argument in ExecStart="),
        (f"/bin/sh -c {URL}={PUBLIC} exec k", "ExecStart="),
        (f"/usr/bin/env {URL}='{PUBLIC}' k", "ExecStart="),
    ],
)
def test_an_option_that_wins_is_named(argv: str, by: str) -> None:
    """By its name, never its value."""
    assert found(shown(OURS, argv=argv)) == Override(URL, by)
    assert PUBLIC not in by


@pytest.mark.parametrize(
    "argv",
    [
        "k",
        f"k --rpc-url ${{{URL}}}",
        f"k --rpc-url=${URL} --network mainnet",
        f"k -s ${{{URL}}} --also {PUBLIC}",
        f"k --kaspa-node-wborsh-url {LOCAL}",
        "k --listen 0.0.0.0:8080 -d postgres://u@h/d http://x",
        f'/bin/sh -c exec k --rpc-url "${URL}"',
    ],
)
def test_what_takes_our_variable_is_no_reason_for_doubt(argv: str) -> None:
    """Nor is an option for something else."""
    assert found(shown(OURS, argv=argv)) is None


def test_a_variable_that_is_unset_is_named() -> None:
    """Systemd takes it out after all files."""
    assert found(shown(OURS, unset=f"OTHER {URL}")) == Override(URL, "UnsetEnvironment=")


def test_files_are_as_systemd_shows_them() -> None:
    """A path may have blanks."""
    assert files("/a b/c.env (ignore_errors=no)\n/d (ignore_errors=yes)\n") == ["/a b/c.env", "/d"]
    assert files("") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\nB=2", {"A": "1", "B": "2"}),
        ("# x\n; y\n\nA=1", {"A": "1"}),
        ("# goes on \\\nA=0\nB=1", {"B": "1"}),
        ("A = 1  \nB=  x y  ", {"A": "1", "B": "x y"}),
        ('A="x y"\nB=\'$z "q"\'', {"A": "x y", "B": '$z "q"'}),
        ('A="x\ny"', {"A": "x\ny"}),
        ("A=x\\\ny\nB=1", {"A": "xy", "B": "1"}),
        (r'A="a\"b\\c\$d\e"', {"A": 'a"b\\c$d\\e'}),
        ("A=1\nA=2", {"A": "2"}),
        ("nothing\nA=1", {"A": "1"}),
        ("A=\nB=''", {"A": "", "B": ""}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("A=x # y", {"A": "x # y"}),
        ("", {}),
        ("#", {}),
    ],
)
def test_environment_files_are_read_as_systemd_does(text: str, expected: dict[str, str]) -> None:
    """Comments, quotes, escapes and lines that go on."""
    assert parse(text) == expected


def test_what_we_write_is_read_back(kasia: SwitchedService) -> None:
    """Whatever the value is."""
    values = {"A": "ws://x", "B": 'a "b" \\ ` $c', "C": "", "D": " x "}
    assert parse(render("kasia", Side.LOCAL, values)) == values


@pytest.fixture
def kasia() -> SwitchedService:
    from tests.fakes.hands import service

    return service()
