"""What goes wrong on hosts, inside a machine that has the package."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.installed import (
    ETC,
    SOCKET,
    STATE,
    UNIT,
    apt,
    ask,
    call,
    deb,
    drop_in,
    inside,
    journal,
    run,
    shown,
    systemctl,
    take_out,
    until,
    until_active,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), inside]


@pytest.fixture(autouse=True)
def _running() -> None:
    systemctl("reset-failed", UNIT)
    systemctl("start", UNIT)


def until_logged(what: str) -> None:
    for _ in until(f"the log has {what!r}"):
        if what in journal():
            return


def test_a_port_that_is_taken_is_said_and_waited_for() -> None:
    """The log names the port and how to see who has it; when it is free the service comes up."""
    systemctl("stop", UNIT)
    with socket.create_server(("127.0.0.1", 3080)):
        systemctl("start", UNIT, check=False)
        until_logged("the bridge cannot listen on 127.0.0.1:3080: Address already in use")
        assert "ss -ltnp" in journal()
    until_active()


def test_a_socket_that_was_left_over_is_no_obstacle() -> None:
    """Its own is replaced; of another user's the log says what to do, and then it comes up."""
    pid = int(shown("MainPID"))
    os.kill(pid, signal.SIGKILL)
    assert SOCKET.exists()
    until_active(instead_of=pid)
    systemctl("stop", UNIT)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(SOCKET))
    systemctl("start", UNIT, check=False)
    until_logged(f"{SOCKET} is of a daemon that another user ran: stop that one, or remove")
    for _ in until("it stays before it ends, and says why"):
        if "does not start; tried again in" in shown("StatusText"):
            break
    told = " ".join(run("kaspad-taskctl", "doctor", check=False).split())
    assert f"The last start failed 1 s ago: {SOCKET} is of" in re.sub(r"\d+ s ago", "1 s ago", told)
    SOCKET.unlink()
    until_active()
    assert not SOCKET.with_name("last-error").exists()
    assert call("ping")["pong"] is True


def test_a_state_that_cannot_be_written_is_said() -> None:
    """A start on it fails with the path and the cause, and goes on trying."""
    path = drop_in("read-only", f"[Service]\nReadOnlyPaths={STATE}\n")
    try:
        systemctl("restart", UNIT, check=False)
        for _ in until("the log says it"):
            if re.search(f"{STATE}.*read-?only", journal(), re.IGNORECASE):
                break
    finally:
        take_out(path)
    until_active()


@contextlib.contextmanager
def small_disk() -> Iterator[Path]:
    """The state on a file system of 8 MiB."""
    systemctl("stop", UNIT)
    run(
        "mount",
        "-t",
        "tmpfs",
        "-o",
        "size=8m,mode=750,uid=kaspad-taskd,gid=kaspad-taskd",
        "small",
        str(STATE),
    )
    try:
        systemctl("start", UNIT)
        yield STATE
    finally:
        systemctl("stop", UNIT)
        run("umount", str(STATE))


def health() -> int:
    try:
        with urllib.request.urlopen("http://127.0.0.1:3080/healthz", timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_on_a_full_disk_it_goes_on_and_says_so() -> None:
    """Changes are refused with the cause, health and status say it; with room all is well again."""
    with small_disk() as place:
        filler = place / "filler"
        subprocess.run(
            ["dd", "if=/dev/zero", f"of={filler}", "bs=4k"], capture_output=True, check=False
        )
        for number in range(400):
            answer = ask("registerTask", type="report", service=f"many-{number}")
            if "error" in answer:
                break
        assert answer["error"]["data"]["reason"] == "store-unavailable"
        for _ in until("health and status say it"):
            if health() == 503 and "disk" in shown("StatusText"):
                break
        assert call("ping")["pong"] is True
        filler.unlink()
        for _ in until("it is well again"):
            if health() == 200 and "error" not in ask(
                "registerTask", type="report", service="after"
            ):
                break


def test_a_user_of_that_name_is_taken_as_it_is() -> None:
    """An account made before, with a number of people's: the settings are those in /etc still."""
    apt("purge", "kaspad-taskd")
    run("userdel", "kaspad-taskd")
    run("groupdel", "kaspad-taskd", check=False)  # it stays where it has members
    run("useradd", "--uid", "1500", "--create-home", "kaspad-taskd")
    try:
        apt("install", deb())
        assert STATE.stat().st_uid == 1500
        assert call("getInfo")["settingsFile"] == str(ETC / "kaspad-taskd.toml")
        assert json.loads(run("kaspad-taskctl", "list", "--json"))
    finally:
        apt("purge", "kaspad-taskd")
        run("userdel", "--remove", "kaspad-taskd")
    apt("install", deb())
