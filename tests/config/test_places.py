"""Guarantees of `kaspad_taskd.config.places`."""

from __future__ import annotations

from pathlib import Path

from kaspad_taskd.config.places import Places, find_places

SYSTEM = Places(
    settings=Path("/etc/kaspad-taskd/kaspad-taskd.toml"),
    vendor_tasks=Path("/usr/lib/kaspad-taskd/tasks.d"),
    admin_tasks=Path("/etc/kaspad-taskd/tasks.d"),
    state=Path("/var/lib/kaspad-taskd"),
    runtime=Path("/run/kaspad-taskd"),
)


def test_root_and_services_have_the_systems_places() -> None:
    """XDG variables that come along by accident move nothing of the system's."""
    assert find_places({"XDG_CONFIG_HOME": "/x"}, 0) == find_places({}, 994) == SYSTEM
    assert SYSTEM.mirror == Path("/var/lib/kaspad-taskd/tasks.d")


def test_a_user_has_the_same_in_their_own_directories() -> None:
    """The XDG variables count, else their defaults; a relative one is ignored."""
    env = {"HOME": "/home/u", "XDG_STATE_HOME": "state", "XDG_RUNTIME_DIR": "/run/user/9"}
    assert find_places(env, 1000) == Places(
        settings=Path("/home/u/.config/kaspad-taskd/kaspad-taskd.toml"),
        vendor_tasks=Path("/usr/lib/kaspad-taskd/tasks.d"),
        admin_tasks=Path("/home/u/.config/kaspad-taskd/tasks.d"),
        state=Path("/home/u/.local/state/kaspad-taskd"),
        runtime=Path("/run/user/9/kaspad-taskd"),
        endpoints=Path("/home/u/.local/state/kaspad-taskd-endpoints"),
    )
    own = find_places({"HOME": "/h", "XDG_CONFIG_HOME": "/c"}, 1000)
    assert (own.settings, own.drop_ins) == (
        Path("/c/kaspad-taskd/kaspad-taskd.toml"),
        Path("/c/kaspad-taskd/kaspad-taskd.toml.d"),
    )
    assert find_places({}, 1000).runtime == Path("/run/user/1000/kaspad-taskd")


def test_systemd_says_where_settings_state_and_socket_are() -> None:
    """Of several directories the first counts; whatever number the service's user has."""
    env = {"STATE_DIRECTORY": "/a:/b", "RUNTIME_DIRECTORY": "/r", "CONFIGURATION_DIRECTORY": "/e"}
    for uid in (0, 1000):
        places = find_places(env, uid)
        assert (places.state, places.runtime) == (Path("/a"), Path("/r"))
        assert places.settings == Path("/e/kaspad-taskd.toml")
        assert places.admin_tasks == Path("/e/tasks.d")


def test_the_command_line_has_the_last_word() -> None:
    """`--tasks` stands for both directories; a named settings file has to exist."""
    here = Path("/here")
    env = {"STATE_DIRECTORY": "/a", "RUNTIME_DIRECTORY": "/r"}
    places = find_places(env, 0, config=here / "s", tasks=here / "t", state=here, runtime=here)
    assert places == Places(here / "s", None, here / "t", here, here, told=True)
