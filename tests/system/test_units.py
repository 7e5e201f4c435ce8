"""The shipped units under a real systemd: only on a throw-away machine that asks for it.

KASPAD_TASKD_UNITS=1 ./dev test tests/system/test_units.py      (as root; it installs units)
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
UNIT = "kaspad-taskd.service"
SOCKET = Path("/run/kaspad-taskd/rpc.sock")
UNITS = Path("/etc/systemd/system")

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        os.environ.get("KASPAD_TASKD_UNITS") != "1" or not Path("/run/systemd/system").is_dir(),
        reason="it installs units: only as root under systemd, with KASPAD_TASKD_UNITS=1",
    ),
]


def systemctl(*words: str, check: bool = True) -> str:
    done = subprocess.run(
        ["systemctl", "--no-pager", *words], capture_output=True, text=True, check=check
    )
    return done.stdout


def shown(name: str) -> str:
    return systemctl("show", "-p", name, "--value", UNIT).strip()


def call(method: str, **params: Any) -> Any:
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(10)
        one.connect(str(SOCKET))
        one.sendall(
            json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
            + b"\n"
        )
        return json.loads(one.makefile().readline())["result"]


def until(what: str, seconds: float = 20.0) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


@pytest.fixture(scope="module", autouse=True)
def _installed() -> Iterator[None]:
    try:
        pwd.getpwnam("kaspad-taskd")
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", "kaspad-taskd"], check=True)
    program = Path(sys.executable).parent / "kaspad-taskd"
    link = Path("/usr/bin/kaspad-taskd")
    link.unlink(missing_ok=True)
    link.symlink_to(program)
    tasks = Path("/etc/kaspad-taskd/tasks.d")
    tasks.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "packaging/tasks.d/node-sync-kaspa-node.toml", tasks)
    for unit in ("kaspad-taskd.service", "kaspad-taskd.socket"):
        shutil.copy(ROOT / "packaging/systemd" / unit, UNITS)
    drop_in = UNITS / f"{UNIT}.d/fast-watchdog.conf"
    drop_in.parent.mkdir(exist_ok=True)
    drop_in.write_text("[Service]\nWatchdogSec=3s\nTimeoutAbortSec=5s\n")
    systemctl("daemon-reload")
    yield
    systemctl("stop", "kaspad-taskd.socket", UNIT, check=False)


@pytest.fixture(autouse=True)
def _running(_installed: None) -> None:
    systemctl("start", UNIT)


def test_it_starts_and_says_how_it_is() -> None:
    """READY, and `systemctl status` has the line that names the task."""
    assert shown("ActiveState") == "active"
    for _ in until("a status line that names the node"):
        if "kaspa-node" in shown("StatusText"):
            break
    assert "kaspa-node" in systemctl("status", UNIT)
    assert oct(SOCKET.stat().st_mode)[-3:] == "660"
    assert SOCKET.group() == "kaspad-taskd"


def test_a_reload_is_seen_by_systemd() -> None:
    """`systemctl reload` returns when the new definition is watched."""
    extra = Path("/etc/kaspad-taskd/tasks.d/extra.toml")
    extra.write_text('type = "report"\nservice = "extra"\n')
    systemctl("reload", UNIT)
    for _ in until("the new task"):
        if call("getTask", taskId="extra") is not None:
            break
    extra.unlink()
    systemctl("reload", UNIT)
    for _ in until("the task gone"):
        if call("getTask", taskId="extra") is None:
            break


def test_a_stop_with_fifty_clients_takes_under_a_second() -> None:
    """Subscribed clients do not hold it up."""
    clients = []
    for _ in range(50):
        one = socket.socket(socket.AF_UNIX)
        one.connect(str(SOCKET))
        one.sendall(b'{"jsonrpc":"2.0","id":1,"method":"subscribe"}\n')
        assert one.recv(100)
        clients.append(one)
    begun = time.monotonic()
    systemctl("stop", UNIT)
    assert time.monotonic() - begun < 1.0
    assert shown("Result") == "success"
    for one in clients:
        one.close()


def test_a_hung_daemon_is_ended_by_the_watchdog_and_goes_on() -> None:
    """Frozen, it is killed and started again, and every task is where it was."""
    registered = call("registerTask", type="report", service="long")
    call("reportTask", taskId="report-long", progress=42)
    assert registered["success"]
    pid = int(shown("MainPID"))
    os.kill(pid, 19)
    for _ in until("the watchdog's restart", 40):
        if shown("NRestarts") != "0" and shown("ActiveState") == "active":
            break
    assert int(shown("MainPID")) not in (0, pid)
    task = call("getTask", taskId="report-long")
    assert (task["status"], task["progress"]) == ("in-progress", 42)
    call("cancelTask", taskId="report-long")
    call("removeTask", taskId="report-long")


def test_a_crash_is_restarted_and_shutdown_stays_down() -> None:
    """SIGKILL brings it back; the method `shutdown` does not."""
    pid = int(shown("MainPID"))
    os.kill(pid, 9)
    for _ in until("the restart"):
        if shown("ActiveState") == "active" and int(shown("MainPID")) not in (0, pid):
            break
    call("shutdown")
    for _ in until("the end"):
        if shown("ActiveState") == "inactive":
            break
    time.sleep(3)
    assert shown("ActiveState") == "inactive"


def test_bad_settings_wait_for_somebody() -> None:
    """Exit code 78 is not restarted."""
    settings = Path("/etc/kaspad-taskd/kaspad-taskd.toml")
    systemctl("stop", UNIT)
    settings.write_text("log_level = 7\n")
    try:
        systemctl("start", UNIT, check=False)
        assert shown("ExecMainStatus") == "78"
        time.sleep(3)
        assert shown("ActiveState") == "failed"
    finally:
        settings.unlink()
        systemctl("reset-failed", UNIT)


def test_the_socket_unit_starts_it_for_the_first_client() -> None:
    """Activated, it answers whoever connects, and the socket outlives it."""
    systemctl("stop", UNIT)
    systemctl("start", "kaspad-taskd.socket")
    try:
        assert shown("ActiveState") == "inactive"
        assert call("ping")["pong"] is True
        for _ in until("it is ready, its second door open too"):
            if shown("ActiveState") == "active":
                break
        systemctl("restart", UNIT)
        assert call("ping")["pong"] is True
        call("shutdown")
        assert call("ping")["pong"] is True
    finally:
        systemctl("stop", "kaspad-taskd.socket", UNIT)


def entries(*words: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        ["journalctl", "-o", "json", "-u", UNIT, *words], capture_output=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_journal_has_fields() -> None:
    """From inside the sandbox: a task's entries can be asked for, with who said it and where."""
    call("registerTask", type="report", service="told")
    call("errorTask", taskId="report-told", error="the disk\nbroke")
    for _ in until("the entry of the failure"):
        if found := entries("TASK=report-told", "REASON=by-request"):
            break
    (entry,) = found
    assert entry["MESSAGE"].startswith("task=report-told reason=by-request failed: the disk broke")
    assert (entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"]) == ("4", "kaspad-taskd")
    assert entry["CODE_FILE"].endswith("kaspad_taskd/systemd/story.py")
    assert entry["_TRANSPORT"] == "journal"
    changes = entries("TASK=report-told", "LOGGER=kaspad_taskd.api.changed")
    assert "errorTask by rpc uid=0" in changes[-1]["MESSAGE"]


def test_root_restores_what_the_daemon_can_use() -> None:
    """Refused while it runs; afterwards every file is its user's, and the task is as it was."""
    call("registerTask", type="report", service="kept")
    copy = call("backup")["path"]
    call("cancelTask", taskId="report-kept")
    command = ["kaspad-taskd", "restore", copy]
    refused = subprocess.run(command, capture_output=True, text=True)
    assert (refused.returncode, "stop it first" in refused.stderr) == (1, True)
    systemctl("stop", UNIT)
    subprocess.run(command, check=True)
    state = Path("/var/lib/kaspad-taskd")
    assert {path.owner() for path in state.iterdir()} == {"kaspad-taskd"}
    systemctl("start", UNIT)
    assert call("getTask", taskId="report-kept")["status"] == "in-progress"
