"""One look at a fleet: who is well now, and who is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from kaspad_taskd.base.jsontext import dumps
from kaspad_taskd.fleet.following import Following
from kaspad_taskd.fleet.host import Host, Verdict
from kaspad_taskd.fleet.hub.rows import lines, rows
from kaspad_taskd.fleet.keys import BEAT_S, SILENT_S
from kaspad_taskd.fleet.line import UNREAD
from kaspad_taskd.fleet.mirror import Mirror
from kaspad_taskd.fleet.settings import Settings
from kaspad_taskd.words import say

WELL, UNREADABLE, NOT_WELL = 0, 1, 7
"""Exit codes."""
LOOK_S: Final = 0.2
LONGEST_S: Final = SILENT_S + BEAT_S
"""Seconds after which it is said as far as it is known."""


async def once(
    settings: Settings, *, as_json: bool, clock: Callable[[], float] = time.monotonic
) -> int:
    """Read a fleet until each host was heard, or is silent; print it; return the exit code.

    A sign of life comes every 5 s, so this takes as long, and 15 s where somebody gives none.
    """
    mirror, ticked = Mirror(settings.hub.expected), asyncio.Event()
    following = Following(
        settings.engine, settings.hub.login, mirror, lambda _: ticked.set(), clock
    )
    task = asyncio.create_task(following.run())
    try:
        until = clock() + LONGEST_S
        while clock() < until and not _is_known(mirror, clock()) and not _fault(mirror):
            with suppress(TimeoutError):
                await asyncio.wait_for(ticked.wait(), LOOK_S)
            ticked.clear()
        mirror.drain(clock())  # before the line ends: then nobody is sure of anything
        return _print(mirror, clock(), time.time_ns() // 1_000_000, as_json=as_json)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _is_known(mirror: Mirror, now: float) -> bool:
    """Whether nothing more is to be learnt by waiting."""
    known = bool(mirror.lines)
    for line in mirror.lines.values():
        known &= line.since is not None
    return known and all(_settled(host, mirror, now) for host in mirror)


def _settled(host: Host, mirror: Mirror, now: float) -> bool:
    if host.count >= 0:
        return host.heard is not None or host.verdict is Verdict.SILENT
    return all(now - (line.since or now) > BEAT_S for line in mirror.lines.values())


def _fault(mirror: Mirror) -> str | None:
    """Why nothing can be read; None: something can, or is being tried."""
    faults = [line.fault for line in mirror.lines.values()]
    return faults[0] if faults and all(each not in (None, UNREAD) for each in faults) else None


def _print(mirror: Mirror, now: float, wall: int, *, as_json: bool) -> int:
    told, fault = rows(mirror, now, wall), _fault(mirror)
    if as_json:
        print(dumps({"hosts": told, "fault": fault}).decode())
    else:
        said = lines(told, wall)
        if fault is not None:
            said.append(say("fleet.engine", fault=fault))
        print("\n".join(said) if said else say("fleet.none"))
    if fault is not None:
        return UNREADABLE
    return WELL if all(each["verdict"] == Verdict.OK for each in told) else NOT_WELL
