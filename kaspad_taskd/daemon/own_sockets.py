"""Where sockets of kaspad-taskd are on this host: no task asks one."""

from __future__ import annotations

import socket
from pathlib import Path

from kaspad_taskd.client import READERS_SOCKET, candidates


def own_sockets(runtime: Path, passed: socket.socket | None) -> tuple[Path, ...]:
    """Return this daemon's sockets, and the usual places of the system's and this user's.

    Args:
        runtime: this daemon's directory for them.
        passed: the one that systemd opened, if it did.
    """
    places = [runtime, *(Path(path).parent for path in candidates())]
    found = [place / name for place in places for name in ("rpc.sock", READERS_SOCKET)]
    named = "" if passed is None else passed.getsockname()
    if isinstance(named, str) and named.startswith("/"):
        found.append(Path(named))
    return tuple(dict.fromkeys(found))
