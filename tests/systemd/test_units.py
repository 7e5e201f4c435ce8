"""The shipped units say what the contract promises, and systemd understands them."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "packaging" / "systemd"


def _unit(name: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(interpolation=None, strict=False)  # some keys add up
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string((UNITS / name).read_text())
    return unit


def test_the_service_keeps_the_contract() -> None:
    """Restarts, watchdog and exit codes are those of the contract."""
    service = _unit("kaspad-taskd.service")
    expected = {
        "Type": "notify",
        "Restart": "on-failure",
        "RestartSec": "2s",
        "RestartPreventExitStatus": "78",
        "WatchdogSec": "2min",
        "User": "kaspad-taskd",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "CapabilityBoundingSet": "",
    }
    assert {key: service["Service"][key] for key in expected} == expected
    assert service["Unit"]["StartLimitIntervalSec"] == "0"
    assert "Also" not in service["Install"]


def test_the_socket_is_the_services_own() -> None:
    """Path, mode and group are those that the daemon gives its own socket."""
    unit = _unit("kaspad-taskd.socket")["Socket"]
    assert unit["ListenStream"] == "/run/kaspad-taskd/rpc.sock"
    assert (unit["SocketMode"], unit["SocketGroup"]) == ("0660", "kaspad-taskd")


@pytest.mark.system
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """No unknown key, no bad value."""
    for name in ("kaspad-taskd.service", "kaspad-taskd.socket"):
        text = (UNITS / name).read_text().replace("/usr/bin/kaspad-taskd", "/bin/true")
        (tmp_path / name).write_text(text)
    units = [str(path) for path in tmp_path.iterdir()]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "kaspad-taskd" not in done.stderr
