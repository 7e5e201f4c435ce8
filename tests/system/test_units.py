"""The shipped units under a real systemd, from the installed package."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.installed import (
    SETTINGS_D,
    SOCKET,
    UNIT,
    call,
    drop_in,
    inside,
    shown,
    systemctl,
    take_out,
    until,
    until_active,
    within,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), inside]


@contextlib.contextmanager
def changed(text: str) -> Iterator[None]:
    """The service with other settings of its unit, started anew."""
    path = drop_in("of-a-test", f"[Service]\n{text}\n")
    systemctl("restart", UNIT)
    try:
        yield
    finally:
        take_out(path)
        systemctl("restart", UNIT)


@pytest.fixture(autouse=True)
def _running() -> None:
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


def test_a_stop_does_not_wait_for_fifty_clients() -> None:
    """Subscribed, they would stay for ever; it is over within a second."""

    def stopped() -> float:
        systemctl("start", UNIT)
        with contextlib.ExitStack() as clients:
            for _ in range(50):
                one = clients.enter_context(socket.socket(socket.AF_UNIX))
                one.connect(str(SOCKET))
                one.sendall(b'{"jsonrpc":"2.0","id":1,"method":"subscribe"}\n')
                assert one.recv(100)
            begun = time.monotonic()
            systemctl("stop", UNIT)
            took = time.monotonic() - begun
        assert shown("Result") == "success"
        return took

    with changed("TimeoutStopSec=2min"):
        within(1.0, stopped)


def test_a_hung_daemon_is_ended_by_the_watchdog_and_goes_on() -> None:
    """Frozen, it is killed and started again, and every task is where it was."""
    registered = call("registerTask", type="report", service="long")
    call("reportTask", taskId="report-long", progress=42)
    assert registered["success"]
    with changed("WatchdogSec=3s\nTimeoutAbortSec=5s"):
        pid = int(shown("MainPID"))
        os.kill(pid, signal.SIGSTOP)
        until_active(instead_of=pid)
        assert shown("NRestarts") != "0"
    task = call("getTask", taskId="report-long")
    assert (task["status"], task["progress"]) == ("in-progress", 42)
    call("cancelTask", taskId="report-long")
    call("removeTask", taskId="report-long")


def test_a_crash_is_restarted_and_shutdown_stays_down() -> None:
    """SIGKILL brings it back; the method `shutdown` does not."""
    pid = int(shown("MainPID"))
    os.kill(pid, 9)
    until_active(instead_of=pid)
    call("shutdown")
    for _ in until("the end"):
        if shown("ActiveState") == "inactive":
            break
    time.sleep(3)
    assert shown("ActiveState") == "inactive"


def test_bad_settings_wait_for_somebody() -> None:
    """Exit code 78 is not restarted, and `systemctl status` names the file and the key."""
    settings = SETTINGS_D / "bad.toml"
    systemctl("stop", UNIT)
    settings.write_text("log_level = 7\n")
    try:
        systemctl("start", UNIT, check=False)
        assert shown("ExecMainStatus") == "78"
        time.sleep(3)
        assert shown("ActiveState") == "failed"
        assert shown("NRestarts") == "0"
        status = systemctl("status", UNIT, check=False)
        assert "log_level" in status
        assert str(settings) in status
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
    for _ in until("the entry of who asked for it"):
        changes = entries("TASK=report-told", "LOGGER=kaspad_taskd.api.changed")
        if any("errorTask by rpc uid=0" in each["MESSAGE"] for each in changes):
            break


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


def test_the_timers_backup_is_made_and_comes_back() -> None:
    """By the daemon's user in its sandbox; nothing stays beside the state; root restores it."""
    call("registerTask", type="report", service="saved")
    beside = set(Path("/var/lib/kaspad-taskd").glob("backup-2*"))
    systemctl("start", "kaspad-taskd-backup.service")
    made = sorted(Path("/var/lib/kaspad-taskd-backup").iterdir())
    assert made
    assert (made[-1].owner(), made[-1].stat().st_mode & 0o777) == ("kaspad-taskd", 0o600)
    assert set(Path("/var/lib/kaspad-taskd").glob("backup-2*")) == beside
    call("cancelTask", taskId="report-saved")
    systemctl("stop", UNIT)
    subprocess.run(["kaspad-taskd", "restore", str(made[-1])], check=True)
    systemctl("start", UNIT)
    assert call("getTask", taskId="report-saved")["status"] == "in-progress"


def test_the_timer_is_off_and_can_be_enabled() -> None:
    """It is shipped, and nobody has asked for it."""
    timer = "kaspad-taskd-backup.timer"
    assert systemctl("is-enabled", timer, check=False).strip() == "disabled"
    systemctl("enable", "--now", timer)
    try:
        assert systemctl("is-active", timer).strip() == "active"
    finally:
        systemctl("disable", "--now", timer)
