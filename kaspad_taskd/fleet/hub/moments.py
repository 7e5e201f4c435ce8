"""A hub's clocks, and what of a host's own clock is believed: no more than that it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.fleet.host import Host, Verdict
from kaspad_taskd.fleet.keys import SILENT_S

LAST: Final = 253_402_300_800_000
"""ms since 1970: the year 10000, of which no moment can be written."""
LATE_S: Final = 7.0
"""Seconds after which it is told how long a host was not heard; a sign of life comes every 5 s."""
SURE: Final = (Verdict.OK, Verdict.TROUBLE, Verdict.AWAY)
"""What is said of a host only while it is heard."""


@frozen
class Clocks:
    """What time it is here.

    Attributes:
        now: monotonic time (s).
        wall: the wall clock (ms since 1970 UTC).
    """

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], int] = lambda: time.time_ns() // 1_000_000


def is_heard(host: Host, now: float) -> bool:
    """Whether a host, or its relay, was heard within 15 s."""
    return host.heard is not None and now - host.heard < SILENT_S


def age(host: Host, now: float) -> float:
    """Return for how many seconds a host was not heard; 15 at most."""
    return SILENT_S if host.heard is None else min(SILENT_S, max(0.0, now - host.heard))


def late(hosts: Iterable[Host], now: float) -> dict[str, int]:
    """For how long (ms) those were not heard that are due, of whom something is said still."""
    ages = {host.name: age(host, now) for host in hosts if host.verdict in SURE}
    return {name: round(seconds * 1000) for name, seconds in ages.items() if seconds > LATE_S}


def host_time(host: Host, clocks: Clocks) -> int:
    """Return the moment on a host (ms) by its own clock, by which all is that it says of itself.

    Where this hub never heard it, or its clock shows what no calendar has, it is our own.
    """
    if host.at is None or host.heard is None or not 0 <= host.at < LAST:
        return clocks.wall()
    return host.at + round((clocks.now() - host.heard) * 1000)


def last_word(host: Host, clocks: Clocks) -> int | None:
    """Return the moment on a host (ms) at which it was heard last; None: it is heard now."""
    if is_heard(host, clocks.now()):
        return None
    return host.at if host.at is not None and 0 <= host.at < LAST else clocks.wall()
