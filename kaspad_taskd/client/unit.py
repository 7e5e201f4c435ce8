"""Who starts the daemon of a socket: the system's systemd, this user's own, or somebody by hand.

Told by what is there: the unit's file, and, as packages bring it into containers too, a systemd
that runs.
"""

from __future__ import annotations

import os

from kaspad_taskd.client.wire import READERS_SOCKET, SYSTEM_SOCKET, own_directory, own_socket

SYSTEM, USER, HAND = "system", "user", "hand"
UNIT = "kaspad-taskd.service"
SYSTEM_UNITS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
"""Where systemd looks for units (systemd.unit(5)); the second one is there while it runs."""
USER_UNITS = (
    "/etc/systemd/user",
    "/run/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
)


def started_by(path: str | None) -> str:
    """Return SYSTEM, USER or HAND: what starts the daemon that has, or had, this socket.

    Args:
        path: of the socket; None is whichever is at the usual places.
    """
    own = own_socket()
    path = None if path is None else beside(path)
    if path in (None, SYSTEM_SOCKET) and _system_has_it():
        return SYSTEM
    usual = path in (None, SYSTEM_SOCKET, own)  # the system's is named where neither is there
    return USER if usual and own is not None and _user_has_it() else HAND


def beside(path: str) -> str:
    """Return the daemon's first socket, where this is the one of who only reads."""
    place, _, name = path.rpartition("/")
    return f"{place}/rpc.sock" if name == READERS_SOCKET else path


def _system_has_it() -> bool:
    return _is_there("/run/systemd/system") and _has_unit(SYSTEM_UNITS)


def _user_has_it() -> bool:
    config = own_directory("XDG_CONFIG_HOME", ".config")
    data = own_directory("XDG_DATA_HOME", ".local/share")
    return _has_unit((f"{config}/systemd/user", f"{data}/systemd/user", *USER_UNITS))


def _has_unit(directories: tuple[str, ...]) -> bool:
    return any(_is_there(f"{each}/{UNIT}") for each in directories)


def _is_there(path: str) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - pathlib costs the client a tenth of its start
