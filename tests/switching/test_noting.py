"""What root's helper sees of a unit's connections: real ones, of real processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kaspad_taskd.switching import noting
from kaspad_taskd.switching.noting import Note, System

UNIT = "kasia-indexer.service"
CLIENT = """\
import socket, sys
held = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(2)]
print("connected", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


@pytest.fixture
def client(server: socket.socket) -> Iterator[subprocess.Popen[str]]:
    """A process with two connections to the server."""
    port = str(server.getsockname()[1])
    process = subprocess.Popen([sys.executable, "-c", CLIENT, port], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "connected\n"
    yield process
    process.communicate()


def system(place: Path, *processes: int, below: str = "system.slice") -> System:
    """A host on which these processes are the unit's; /proc is the real one."""
    group = place / "cgroup" / below / UNIT / "inner"
    group.mkdir(parents=True)
    (group / "cgroup.procs").write_text("".join(f"{each}\n" for each in processes))
    (group.parent / "cgroup.procs").write_text("")
    units = place / "units"
    units.mkdir(exist_ok=True)
    (units / f"invocation:{UNIT}").symlink_to("abc")
    return System(groups=place / "cgroup", units=units)


def url(server: socket.socket) -> str:
    return f"ws://localhost:{server.getsockname()[1]}/x"


def test_the_connections_of_a_units_processes_are_noted(
    tmp_path: Path, server: socket.socket, client: subprocess.Popen[str]
) -> None:
    """Those of its own groups too; not those of others to the same node."""
    with socket.create_connection(server.getsockname()):
        host = system(tmp_path, client.pid)
        note = noting.look(UNIT, ["x", url(server)], host, patience=0)
    assert note is not None
    assert (note.process, note.count) == ("abc", 2)
    assert note.address == f"localhost:{server.getsockname()[1]}"
    (tmp_path / "note").write_text(note.text())
    assert noting.read(tmp_path / "note") == note


def test_who_has_none_has_no_note(tmp_path: Path, server: socket.socket) -> None:
    """However long it is looked at; nor who is gone, or names no address."""
    slept: list[float] = []
    host = system(tmp_path, os.getppid(), 2**22 + 1)
    assert noting.look(UNIT, [url(server)], host, patience=0, sleep=slept.append) is None
    assert noting.look(UNIT, ["wss://node.example"], host) is None
    assert noting.look("other.service", [url(server)], host) is None
    assert slept == []


def test_it_is_waited_for(
    tmp_path: Path, server: socket.socket, client: subprocess.Popen[str]
) -> None:
    """A service connects a while after its start."""
    host = system(tmp_path)
    group = tmp_path / "cgroup" / "system.slice" / UNIT / "cgroup.procs"
    note = noting.look(UNIT, [url(server)], host, patience=60,
                       sleep=lambda _: (group.write_text(f"{client.pid}\n"), None)[1])  # fmt: skip
    assert note is not None


def test_a_unit_of_a_user_is_another_one(
    tmp_path: Path, server: socket.socket, client: subprocess.Popen[str]
) -> None:
    """It may be called alike."""
    below = "user.slice/user-1000.slice/user@1000.service/app.slice"
    host = system(tmp_path, client.pid, below=below)
    assert noting.look(UNIT, [url(server)], host, patience=0) is None
    own = System(groups=host.groups, units=host.units, user=True)
    assert noting.look(UNIT, [url(server)], own, patience=0) is not None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"process": 1, "count": 1, "address": "a", "at": 1}', "\0"]
)
def test_a_note_that_makes_no_sense_is_none(tmp_path: Path, text: str) -> None:
    """And none at all."""
    path = tmp_path / "note"
    assert noting.read(path) is None
    path.write_text(text)
    assert noting.read(path) is None
    path.write_text(Note("p", 1, "a:1", 5).text())
    assert noting.read(path) == Note("p", 1, "a:1", 5)
