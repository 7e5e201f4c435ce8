"""Guarantees of `kaspad_taskd.notify.main`: where the notifier's things are."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaspad_taskd.config.beside import Places
from kaspad_taskd.notify.main import parser, places_of

SYSTEM = Places(
    Path("/etc/kaspad-taskd/notify.toml"),
    Path("/var/lib/kaspad-taskd-notify"),
    Path("/run/kaspad-taskd/watch.sock"),
)


@pytest.mark.parametrize(
    ("env", "uid"),
    [
        ({"XDG_STATE_HOME": "/x"}, 0),
        ({}, 994),
        ({"STATE_DIRECTORY": str(SYSTEM.state), "RUNTIME_DIRECTORY": "/run/its-own"}, 1000),
    ],
)
def test_root_and_services_have_the_systems_places(env: dict[str, str], uid: int) -> None:
    """Whatever number the service's user has; the socket is the daemon's."""
    assert places_of(parser().parse_args([]), env, uid) == SYSTEM


def test_a_user_has_the_same_in_their_own_directories() -> None:
    """Beside the daemon's; a relative directory is ignored there as here."""
    env = {"HOME": "/home/u", "XDG_CONFIG_HOME": "config", "XDG_RUNTIME_DIR": "/run/user/9"}
    assert places_of(parser().parse_args([]), env, 1000) == Places(
        Path("/home/u/.config/kaspad-taskd/notify.toml"),
        Path("/home/u/.local/state/kaspad-taskd-notify"),
        Path("/run/user/9/kaspad-taskd/watch.sock"),
    )


def test_systemd_and_the_command_line_name_others() -> None:
    """Of several directories the first counts; an option has the last word."""
    env = {"STATE_DIRECTORY": "/a:/b"}
    assert places_of(parser().parse_args([]), env, 1000).state == Path("/a")
    told = parser().parse_args(["--config", "/c", "--state-dir", "/s", "--socket", "/w"])
    assert places_of(told, env, 0) == Places(Path("/c"), Path("/s"), Path("/w"))
