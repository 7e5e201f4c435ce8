"""`kaspad-taskd-relay --check`: whether the server lets this host's relay do its work."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kaspad_taskd.fleet import carrier, keys
from kaspad_taskd.fleet.carrier import Carrier
from kaspad_taskd.fleet.faults import Kind, Trouble
from kaspad_taskd.fleet.settings import Settings, unprotected

OK, BAD = 0, 78
HOPS: Final = 5
"""Servers of a cluster that may say that another one has the host."""
_ELSEWHERE: Final = (Kind.MOVED, Kind.GONE, Kind.READ_ONLY)
"""After which another server is asked."""
_DOUBT: Final = (Kind.GONE,)
"""What may be over when the relay is started."""


def check(path: Path, settings: Settings) -> int:
    """Ask the server, write nothing; say what is found. Returns the exit code. Blocks."""
    clear = unprotected(settings.engine)
    if clear and settings.relay.login.password is not None:
        print(f"{path}, redis.tls: the password goes in clear to {clear}: set tls = true")
    it = Carrier(settings.engine, settings.relay.login)
    trouble = asked(it, settings.host)
    it.close()
    if trouble is None:
        print(f"{path}: good; {settings.host} is at {it.place}, by {carrier.LIBRARY}")
        return OK
    print(trouble)
    return OK if trouble.kind in _DOUBT else BAD


def asked(it: Carrier, host: str) -> Trouble | None:
    """Return why the server that has this host's keys cannot be read; None: it can."""
    trouble, away = None, 0
    for _ in range(HOPS + it.servers):
        try:
            it.table(keys.key(host, keys.META))
            it.newest(keys.key(host, keys.NOW))
        except Trouble as fault:
            trouble = fault
            away += fault.kind is not Kind.MOVED
            if fault.kind not in _ELSEWHERE or away == it.servers:
                break
        else:
            return None
    return trouble
