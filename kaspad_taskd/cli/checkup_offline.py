"""`doctor` where no daemon answers: why it does not start, from what it left and what is there."""

from __future__ import annotations

import json
import os
import time

from kaspad_taskd.cli import checkup
from kaspad_taskd.cli.checkup import FAULT, GOOD, WARNING, Finding
from kaspad_taskd.cli.faults import typed
from kaspad_taskd.client import SYSTEM_SOCKET
from kaspad_taskd.client.unit import beside
from kaspad_taskd.client.wire import own_directory, own_socket
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import maybe, say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

LAST_ERROR = "last-error"
"""Beside the socket; the daemon writes it when a start fails, and removes it when one succeeds."""
WAITS_FOR_SOMEBODY = 78
_LONGEST = 65_536  # bytes of it that are read
OWN = ("kaspad-taskd", "--preflight")
SYSTEM = (
    "env",
    "CONFIGURATION_DIRECTORY=/etc/kaspad-taskd",
    "STATE_DIRECTORY=/var/lib/kaspad-taskd",
    "RUNTIME_DIRECTORY=/run/kaspad-taskd",
    *OWN,
)
"""With the places of the system's daemon, as its unit names them."""


def meant(path: str) -> str:
    """Return the first socket of the daemon that is examined, by any socket of it.

    Where none of the usual ones is there, the system's is asked for; but on a host that has none,
    and where this user's own was, that one is meant.
    """
    socket, own = beside(path), own_socket()
    if socket == SYSTEM_SOCKET and own and _was_there(own) and not _was_there(socket):
        return own
    return socket


def _was_there(socket: str) -> bool:
    return os.path.isdir(os.path.dirname(socket))  # noqa: PTH112, PTH120 - pathlib costs start time


def own_settings() -> str:
    """Return where this user's own daemon has its settings."""
    return f"{own_directory('XDG_CONFIG_HOME', '.config')}/kaspad-taskd/kaspad-taskd.toml"


def last_error(socket: str) -> Iterator[Finding]:
    """What the last start said before it ended, if it did not succeed."""
    place = f"{os.path.dirname(socket)}/{LAST_ERROR}"  # noqa: PTH120 - pathlib costs start time
    try:
        with open(place, "rb") as file:  # noqa: PTH123 - likewise
            known = json.loads(file.read(_LONGEST))
        said, code, ago = " ".join(map(str, known["said"])), known["code"], _ago(known["at"])
    except PermissionError:
        yield _unseen(place)
        return
    except (OSError, ValueError, TypeError, KeyError):
        return
    key = "last-error" if code == WAITS_FOR_SOMEBODY else "last-error-again"
    what = say(f"doctor.{key}.what", said=safe(said, 4000), ago=ago)
    yield Finding(FAULT, say("doctor.start"), what, maybe(f"doctor.{key}.cure", **typed(socket)))


def _ago(at: str) -> float | None:
    """Seconds since then; None where a clock was wrong."""
    from datetime import datetime

    passed = time.time() - datetime.fromisoformat(at).timestamp()
    return passed if passed >= 0 else None


def preflight(*command: str) -> Iterator[Finding]:
    """What the daemon's program finds of state, rights and port; nothing where it is elsewhere."""
    try:
        told: list[dict[str, Any]] = json.loads(checkup.ask(*command) or "[]")
        for one in told:
            level = one["level"] if one["level"] in (GOOD, WARNING, FAULT) else WARNING
            cure = one.get("cure")
            yield Finding(level, safe(one["check"], 20), safe(one["text"], 4000),
                          safe(cure, 1000) if cure else None)  # fmt: skip
    except (ValueError, TypeError, KeyError, AttributeError):  # an older one, without this option
        return


def _unseen(path: str) -> Finding:
    what = say("doctor.rights-unseen.what", path=path)
    return Finding(WARNING, say("doctor.start"), what, say("doctor.rights-unseen.cure"))
