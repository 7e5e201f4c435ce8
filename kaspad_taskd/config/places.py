"""Where the daemon's files are: the system's places, an ordinary user's, or those it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from kaspad_taskd.base.frozen import frozen

NAME: Final = "kaspad-taskd"
ENDPOINTS: Final = Path("/var/lib/kaspad-taskd-endpoints")
FIRST_USER: Final = 1000
"""User ids below are root and service accounts (Debian policy 9.2)."""


@frozen
class Places:
    """Paths; none of them need exist.

    Attributes:
        settings: the settings file; beside it are its drop-ins.
        vendor_tasks: definitions of packages, or None where `--tasks` stands for both.
        admin_tasks: definitions of the administrator.
        state: the directory of the state.
        runtime: the directory of the socket.
        endpoints: the directory of what root's helper writes when it switches services.
        told: whether the settings file was named by the caller, so that it must exist.
    """

    settings: Path
    vendor_tasks: Path | None
    admin_tasks: Path
    state: Path
    runtime: Path
    told: bool = False
    endpoints: Path = ENDPOINTS

    @property
    def drop_ins(self) -> Path:
        """The directory of settings that are laid over the file."""
        return Path(f"{self.settings}.d")  # "/" has no name to add to

    @property
    def mirror(self) -> Path:
        """Where registered definitions are written for people."""
        return self.state / "tasks.d"


def find_places(
    env: Mapping[str, str],
    uid: int,
    *,
    config: Path | None = None,
    tasks: Path | None = None,
    state: Path | None = None,
    runtime: Path | None = None,
) -> Places:
    """Return the places: what the command line says, else systemd, else the user's own.

    Args:
        env: the environment.
        uid: the daemon's user.
        config: the settings file.
        tasks: one directory of definitions, in place of the vendor's and the administrator's.
        state: directory of the state.
        runtime: directory of the socket.
    """
    base = _system() if uid < FIRST_USER else _user(env, uid)
    etc = _given(env, "CONFIGURATION_DIRECTORY")
    if etc is not None:  # the service's user need not have a number below FIRST_USER
        base = replace(base, settings=etc / f"{NAME}.toml", admin_tasks=etc / "tasks.d")
    return replace(
        base,
        settings=config or base.settings,
        told=config is not None,
        vendor_tasks=None if tasks else base.vendor_tasks,
        admin_tasks=tasks or base.admin_tasks,
        state=state or _given(env, "STATE_DIRECTORY") or base.state,
        runtime=runtime or _given(env, "RUNTIME_DIRECTORY") or base.runtime,
    )


def _system() -> Places:
    etc = Path("/etc") / NAME
    return Places(
        settings=etc / f"{NAME}.toml",
        vendor_tasks=Path("/usr/lib") / NAME / "tasks.d",
        admin_tasks=etc / "tasks.d",
        state=Path("/var/lib") / NAME,
        runtime=Path("/run") / NAME,
    )


def _user(env: Mapping[str, str], uid: int) -> Places:
    home = _given(env, "HOME") or Path("/")
    config = (_given(env, "XDG_CONFIG_HOME") or home / ".config") / NAME
    states = _given(env, "XDG_STATE_HOME") or home / ".local/state"
    return replace(
        _system(),
        settings=config / f"{NAME}.toml",
        admin_tasks=config / "tasks.d",
        state=states / NAME,
        endpoints=states / ENDPOINTS.name,
        runtime=(_given(env, "XDG_RUNTIME_DIR") or Path("/run/user") / str(uid)) / NAME,
    )


def _given(env: Mapping[str, str], name: str) -> Path | None:
    """The first of a list as systemd gives it; what is not absolute is ignored, as XDG demands."""
    first = env.get(name, "").split(":")[0]
    return Path(first) if first.startswith("/") else None
