"""The listening socket that systemd passes where the `.socket` unit is enabled."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import MutableMapping
from typing import Final

FIRST: Final = 3
"""The first passed file descriptor (SD_LISTEN_FDS_START)."""
MOST: Final = 64
"""More of them are no sockets of ours but a mistake."""

log = logging.getLogger(__name__)


def passed(environ: MutableMapping[str, str], pid: int) -> list[tuple[int, str]]:
    """Return the descriptors passed to process `pid`, each with its name ("" for none).

    The variables are taken out of the environment: what is passed is not for our children.
    """
    whose, count = environ.pop("LISTEN_PID", ""), environ.pop("LISTEN_FDS", "")
    names = environ.pop("LISTEN_FDNAMES", "").split(":")
    if whose != str(pid) or not (count.isascii() and count.isdigit()):
        return []
    number = min(int(count), MOST)
    names += [""] * (number - len(names))
    return [(FIRST + at, names[at]) for at in range(number)]


def take(descriptors: list[tuple[int, str]]) -> socket.socket | None:
    """Return the first Unix stream socket that listens, ready for asyncio; close all others."""
    found: socket.socket | None = None
    for descriptor, name in descriptors:
        one = None if found is not None else _listening(descriptor)
        if one is None:
            log.warning("systemd passed %d (%s): not used, closed", descriptor, name)
            os.closerange(descriptor, descriptor + 1)  # says nothing where there is none
        else:
            found = one
    if found is not None:
        found.setblocking(False)
        os.set_inheritable(found.fileno(), False)
    return found


def _listening(descriptor: int) -> socket.socket | None:
    try:
        one = socket.socket(fileno=descriptor)
    except OSError:
        return None
    listens = one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if (one.family, one.type) == (socket.AF_UNIX, socket.SOCK_STREAM) and listens:
        return one
    one.detach()
    return None
