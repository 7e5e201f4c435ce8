"""What starts a daemon, told by the units that are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaspad_taskd.cli.faults import typed
from kaspad_taskd.client import SYSTEM_SOCKET, unit
from kaspad_taskd.client.unit import HAND, SYSTEM, USER, started_by


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host below a directory: where systemd runs and looks is there, and nothing else."""
    real = unit._is_there
    inside = ("/run/", "/etc/", "/usr/", "/lib/")

    def is_there(path: str) -> bool:
        return real(f"{tmp_path}{path}" if path.startswith(inside) else path)

    monkeypatch.setattr(unit, "_is_there", is_there)
    monkeypatch.setenv("XDG_RUNTIME_DIR", f"{tmp_path}/runtime")
    monkeypatch.setenv("HOME", f"{tmp_path}/home")
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def put(*paths: Path) -> None:
    for path in paths:
        path.mkdir(parents=True, exist_ok=True)


def own(host: Path) -> str:
    return f"{host}/runtime/kaspad-taskd/rpc.sock"


def test_without_a_unit_it_was_started_by_hand(host: Path) -> None:
    """A container, a checkout: nothing of systemd is told, though systemd may run."""
    for _ in range(2):
        for path in (SYSTEM_SOCKET, own(host), "/tmp/x/rpc.sock", None):
            assert started_by(path) == HAND
        put(host / "run/systemd/system")
    assert typed(SYSTEM_SOCKET) == {"start": "kaspad-taskd"}
    start = "kaspad-taskd --runtime-dir /x/run (and the options it had)"
    assert typed("/x/run/rpc.sock") == {"start": start}


@pytest.mark.parametrize("place", unit.SYSTEM_UNITS)
def test_the_systems_unit_starts_the_daemon_of_its_socket(host: Path, place: str) -> None:
    """Not one of another socket; and not where systemd does not run."""
    put(Path(f"{host}{place}/{unit.UNIT}"))
    put(host / "run/systemd/system")
    assert started_by(SYSTEM_SOCKET) == started_by(None) == SYSTEM
    assert typed(SYSTEM_SOCKET)["start"] == "sudo systemctl start kaspad-taskd"
    assert started_by(own(host)) == started_by("/x/rpc.sock") == HAND
    if place != "/run/systemd/system":
        (host / "run/systemd/system").rmdir()
        assert started_by(SYSTEM_SOCKET) == HAND


def test_a_users_unit_starts_that_users_daemon(host: Path) -> None:
    """By the user's own manager; also where the system's place was named, as none is there."""
    put(host / "home/.config/systemd/user" / unit.UNIT)
    assert started_by(own(host)) == started_by(SYSTEM_SOCKET) == started_by(None) == USER
    assert started_by("/x/rpc.sock") == HAND
    told = typed(own(host))
    assert told["start"] == "systemctl --user start kaspad-taskd"
    assert told["log"] == "journalctl --user -u kaspad-taskd"
    assert "join" not in told
