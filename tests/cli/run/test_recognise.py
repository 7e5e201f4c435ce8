"""A command is known by the program that runs in the end."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.cli.run.recognise import NoSuchTool, innermost, names, recognise, simple


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("git clone x", "git clone x"),
        ("/usr/bin/git fetch", "/usr/bin/git fetch"),
        ("sudo git x", "git x"),
        ("sudo -u postgres -g db -nE LANG=C A=B git x", "git x"),
        ("sudo -nu postgres -- git x", "git x"),
        ("sudo --user=postgres --chdir /x git x", "git x"),
        ("doas -u root git x", "git x"),
        ("nice git x", "git x"),
        ("nice -n 5 git x", "git x"),
        ("nice -n5 git x", "git x"),
        ("nice -5 git x", "git x"),
        ("nice --adjustment=5 git x", "git x"),
        ("nice --adjustment 5 git x", "git x"),
        ("ionice -c 3 git x", "git x"),
        ("ionice -c2 -n 7 -t git x", "git x"),
        ("ionice -p 1", "ionice -p 1"),
        ("time git x", "git x"),
        ("/usr/bin/time -v -o log -f %e git x", "git x"),
        ("time -p git x", "git x"),
        ("env git x", "git x"),
        ("env -i -u LANG --unset=X A=B C= git x", "git x"),
        ("env - A=B git x", "git x"),
        ("env -S 'git x'", "env -S 'git x'"),
        ("env", "env"),
        ("stdbuf -oL -e 0 git x", "git x"),
        ("chrt -i 0 git x", "git x"),
        ("chrt --batch 0 git x", "git x"),
        ("taskset 0x3 git x", "git x"),
        ("taskset -c 0-3 git x", "git x"),
        ("taskset -pc 0 123", "taskset -pc 0 123"),
        ("timeout 5m git x", "git x"),
        ("timeout -k 5 -s INT --foreground 1h git x", "git x"),
        ("timeout --kill-after=5 --signal INT 1h git x", "git x"),
        ("timeout", "timeout"),
        ("nohup git x", "git x"),
        ("setsid -w git x", "git x"),
        ("unshare -n --map-user 5 git x", "git x"),
        ("systemd-inhibit --what=sleep --why copying git x", "git x"),
        ("runuser -u postgres -- git -c x=y", "git -c x=y"),
        ("runuser -u postgres git -c x=y", "git -c x=y"),
        ("su - postgres -c 'git x'", "git x"),
        ("su postgres --command='git x'", "git x"),
        ("su", "su"),
        ("sudo nice -n 19 ionice -c3 timeout 2h env A=B git x", "git x"),
        ("sh -c 'git x'", "git x"),
        ("bash -ec 'git x'", "git x"),
        ("bash -euo pipefail -c 'git x'", "git x"),
        ("bash --norc -c -- 'git x' name", "git x"),
        ("sh -c 'A=B exec nice git x 2>&1 >/dev/null'", "git x"),
        ("sh -c 'time git \"a; b | c\" y 2>log'", "git 'a; b | c' y"),
        ("sudo sh -c \"nice git 'x y'\"", "git 'x y'"),
        ("sh -c 'exit 3'", None),
        ("nice sh -c 'read secret'", "sh -c 'read secret'"),
        ("sh -c 'git x; git y'", "sh -c 'git x; git y'"),
        ("sh -c 'git x | pv'", "sh -c 'git x | pv'"),
        ("sh -c 'git x && git y'", "sh -c 'git x && git y'"),
        ("sh -c 'git x &'", "sh -c 'git x &'"),
        ("sh -c 'git $(pwd)'", "sh -c 'git $(pwd)'"),
        ("sh -c 'git x > ; git y'", None),
        ("sh -c 'git x >| log'", "git x"),
        ("sh -c 'git `pwd`'", None),
        ("sh -c 'git \"x'", None),
        ("sh script.sh", "sh script.sh"),
        ("sh", "sh"),
        ("exec git x", "exec git x"),
        ("python3 -m pip install x", "pip install x"),
        ("python3.11 -I -m pip install x", "pip install x"),
        ("python -Im pip install x", "pip install x"),
        ("python -W ignore -mpip install x", "pip install x"),
        ("python -m venv pip", "python -m venv pip"),
        ("python -c pip -m pip", "python -c pip -m pip"),
        ("python setup.py -m pip", "python setup.py -m pip"),
        ("sudo", "sudo"),
        ("sudo -l git x", "sudo -l git x"),
        ("ssh host git x", "ssh host git x"),
        ("echo git clone", "echo git clone"),
    ],
)
def test_what_only_prepares_the_way_is_looked_through(command: str, expected: str | None) -> None:
    """With its options, those that take an argument and those that do not."""
    argv = shlex.split(command)
    assert innermost(argv) == (argv if expected is None else shlex.split(expected))


def test_only_a_program_is_recognised() -> None:
    """Not its arguments, nor a file that is called like one."""
    assert recognise([]) is None
    assert recognise([""]) is None
    assert recognise(["./backup.sh", "git", "pip"]) is None
    assert recognise(["sh", "-c", "cat x | git apply"]) is None
    assert recognise(["/opt/git/tool"]) is None


@pytest.mark.parametrize(
    ("chosen", "name"),
    [
        ("json:stats.bytes/stats.totalBytes", "json"),
        ("json:percent/100", "json"),
        ("percent:at ([0-9.]+) percent", "percent"),
        ("lines:1200", "lines"),
    ],
)
def test_a_way_is_chosen(chosen: str, name: str) -> None:
    """And is given the command that runs in the end."""
    found = recognise(["sudo", "./make.sh", "x"], chosen)
    assert found is not None
    assert (found[0].name, found[1]) == (name, ["./make.sh", "x"])


@pytest.mark.parametrize(
    "chosen",
    ["", "git:", "gti", "json", "json:", "json:a", "json:a/", "json:/b", "percent:", "percent:(",
     "lines:", "lines:0", "lines:x", "lines:-1", "lines:1.5", f"lines:{10**30}", "general"],
)  # fmt: skip
def test_what_is_no_choice_is_refused(chosen: str) -> None:
    """Rather than run without what was asked for."""
    with pytest.raises(NoSuchTool):
        recognise(["x"], chosen)


def test_names_are_in_order_and_unique() -> None:
    """As they are listed and completed."""
    assert names() == sorted(set(names()))
    assert {"7z", "apt-get", "rsync", "git"} <= set(names())


def test_nothing_is_imported_that_is_not_recognised() -> None:
    """The command is started before; what is imported then competes with it."""
    code = (
        "import sys; from kaspad_taskd.cli.run.recognise import recognise; recognise(['true']);"
        "print([name for name in sys.modules if '.run.tools.' in name or name == 'shlex'])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


_WORDS = [
    "sudo", "env", "-u", "-n5", "--", "A=B", "timeout", "5", "sh", "-c", "git x", "python3", "-m",
    "pip", "su", "runuser", "time", "-", "--user", "chrt", "bash", "-ec", "exec git", "-W", "",
]  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(_WORDS), st.text(max_size=8)), max_size=12))
def test_any_command_line_is_taken(argv: list[str]) -> None:
    """What is left is never nothing where something was."""
    assert bool(innermost(argv)) == bool(argv)
    recognise(["true", *argv])


@given(st.text(max_size=40))
def test_any_text_for_a_shell_is_taken(text: str) -> None:
    """A pipe is never one command."""
    assert simple(text + " | x") is None or "'" in text or '"' in text or "\\" in text
    simple(text)
