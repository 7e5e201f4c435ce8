"""Who uses the local node: connections that are a service's own, and what may not be told."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from kaspad_taskd.config.switched import SwitchedService, Unit
from kaspad_taskd.core.attention import Override, Proof, ServiceState, Sight
from kaspad_taskd.core.switch import Side
from kaspad_taskd.switching import sockets
from kaspad_taskd.switching.endpoint import Endpoints, render
from kaspad_taskd.switching.noting import Note
from kaspad_taskd.switching.proving import PROPERTIES, Prover, read_files
from kaspad_taskd.switching.sockets import ESTABLISHED, LISTEN, TIME_WAIT, Row
from tests.fakes.hands import service

NODE = ("127.0.0.1", 17110)
UNIT = "kasia-indexer.service"
HERS, NODES = 4242, 4243
UP = Sight(5, ServiceState.RUNNING, process="abc")


def row(state: int = ESTABLISHED, uid: int = HERS, to: tuple[str, int] = NODE) -> Row:
    return Row(("127.0.0.1", 40000), to, state, uid, 1)


LISTENER = Row(NODE, ("0.0.0.0", 0), LISTEN, NODES, 2)


class Desk:
    def __init__(self, place: Path) -> None:
        self.endpoints = Endpoints(place)
        self.services: dict[str, SwitchedService] = {"kasia": service()}
        self.shown: dict[str, dict[str, str]] = {UNIT: self.unit()}
        self.rows: list[Row] = [LISTENER]
        self.seen = UP

    def unit(self, **given: str) -> dict[str, str]:
        ours = f"{self.endpoints.path('kasia')} (ignore_errors=yes)"
        known = {"EnvironmentFiles": ours, "UID": str(HERS)}
        return {name: {**known, **given}.get(name, "") for name in PROPERTIES}

    async def look(self, seen: Sight | None = None) -> Sight:
        prover = Prover(self.endpoints, lambda _ports: self.rows)
        found: Mapping[str, Sight] = await prover.prove(
            self.services, self.shown, dict.fromkeys(self.services, seen or self.seen)
        )
        return found["kasia"]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_connections_of_its_user_are_its_own(desk: Desk) -> None:
    """Where that user runs nothing else that is watched."""
    desk.rows += [row(), row(), row(uid=1), row(to=("127.0.0.1", 17111)), row(state=8)]
    found = await desk.look()
    assert (found.connections, found.address) == (2, "127.0.0.1:17110")


async def test_none_is_seen_as_well(desk: Desk) -> None:
    """But not while one that is over may have been its own."""
    assert (await desk.look()).connections == 0
    desk.rows.append(row(TIME_WAIT, 0))
    assert (await desk.look()).connections is None


@pytest.mark.parametrize("uid", [0, os.geteuid(), NODES])
async def test_a_user_who_does_other_things_proves_nothing(desk: Desk, uid: int) -> None:
    """Root, we ourselves, and whose the node is."""
    desk.shown[UNIT] = desk.unit(UID=str(uid))
    desk.rows += [row(uid=uid)]
    assert (await desk.look()).connections is None


async def test_two_watched_units_of_one_user_prove_nothing(desk: Desk) -> None:
    """Whichever of them it is; two services of one unit are one process."""
    desk.rows.append(row())
    desk.services["ski"] = replace(service(), runs_as=Unit("ski.service"))
    desk.shown["ski.service"] = desk.unit()
    assert (await desk.look()).connections is None
    desk.services["ski"] = service()
    del desk.shown["ski.service"]
    assert (await desk.look()).connections == 1


@pytest.mark.parametrize(
    "given",
    [{"UID": "[not set]"}, {"UID": str(2**32 - 1)}, {"UID": "", "User": "nobody-of-this-name"},
     {"PrivateNetwork": "yes"}, {"NetworkNamespacePath": "/x"}],
)  # fmt: skip
async def test_what_cannot_be_seen_is_not_said(desk: Desk, given: dict[str, str]) -> None:
    """No user of its own, or a network of its own."""
    desk.shown[UNIT] = desk.unit(**given)
    desk.rows.append(row())
    assert (await desk.look()).connections is None


async def test_a_unit_that_does_not_run_uses_nothing(desk: Desk) -> None:
    """Whoever else its user is."""
    desk.rows.append(row())
    assert (await desk.look(replace(UP, state=ServiceState.DOWN))).connections is None


async def test_a_table_that_cannot_be_read_says_nothing(desk: Desk) -> None:
    """Nor does it break anything."""

    def no(_ports: object) -> list[Row]:
        raise PermissionError

    prover = Prover(desk.endpoints, no)
    found = await prover.prove(desk.services, desk.shown, {"kasia": UP})
    assert found["kasia"].connections is None


async def test_a_note_of_the_helper_counts_while_the_process_runs(desk: Desk) -> None:
    """Of another process it proves nothing."""
    desk.shown[UNIT] = desk.unit(UID="[not set]")
    desk.endpoints.note("kasia").write_text(Note("abc", 3, "127.0.0.1:17110", 77).text())
    assert (await desk.look()).noted == Proof("noted", 3, "127.0.0.1:17110", 77, 77)
    assert (await desk.look(replace(UP, process="def"))).noted is None
    assert (await desk.look(replace(UP, process=""))).noted is None


async def test_a_later_file_that_wins_is_named(desk: Desk, tmp_path: Path) -> None:
    """A pattern of files too; one that is not there is harmless."""
    name = "KASPA_NODE_WBORSH_URL"
    desk.endpoints.path("kasia").write_text(render("kasia", Side.LOCAL, service().env))
    (tmp_path / "b.conf").write_text(f"{name}=wss://public.example\n")
    files = [desk.endpoints.path("kasia"), tmp_path / "none", tmp_path / "*.conf"]
    shown = "\n".join(f"{path} (ignore_errors=yes)" for path in files)
    desk.shown[UNIT] = desk.unit(EnvironmentFiles=shown)
    assert (await desk.look()).override == Override(name, str(tmp_path / "b.conf"))


def test_a_file_that_may_not_be_read_is_told_apart(tmp_path: Path) -> None:
    """From one that is not there."""
    (tmp_path / "d").mkdir()
    assert read_files(str(tmp_path / "none")) == [(str(tmp_path / "none"), "")]
    assert read_files(str(tmp_path / "d")) == [(str(tmp_path / "d"), None)]


CLIENT = """\
import os, socket, sys
os.setuid(int(sys.argv[2]))
held = socket.socket()
held.connect(("127.0.0.1", int(sys.argv[1])))
print("connected", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_a_real_process_of_another_user_is_seen(desk: Desk, server: socket.socket) -> None:
    """Its real connection, in the kernel's real table; gone when it hangs up."""
    port = server.getsockname()[1]
    desk.services["kasia"] = service(env={"URL": f"ws://localhost:{port}"})
    prover = Prover(desk.endpoints, sockets.rows)
    program = [sys.executable, "-c", CLIENT, str(port), str(HERS)]
    with subprocess.Popen(program, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as of:
        assert of.stdout is not None
        assert of.stdout.readline() == "connected\n"
        found = asyncio.run(prover.prove(desk.services, desk.shown, {"kasia": UP}))
        assert (found["kasia"].connections, found["kasia"].address) == (1, f"localhost:{port}")
        accepted, _ = server.accept()
        accepted.close()
        of.communicate()
    found = asyncio.run(prover.prove(desk.services, desk.shown, {"kasia": UP}))
    assert not found["kasia"].connections
