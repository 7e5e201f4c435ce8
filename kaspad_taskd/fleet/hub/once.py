"""One look at a fleet: who is well now, and who is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from kaspad_taskd.base.jsontext import dumps
from kaspad_taskd.fleet.following import Following
from kaspad_taskd.fleet.host import Host, Verdict
from kaspad_taskd.fleet.hub.rows import lines, rows
from kaspad_taskd.fleet.keys import BEAT_S, SILENT_S
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
    async with followed(settings, clock) as (mirror, ticked):
        await until_known(mirror, ticked, clock)
        return _print(mirror, clock(), time.time_ns() // 1_000_000, as_json=as_json)


@asynccontextmanager
async def followed(
    settings: Settings, clock: Callable[[], float]
) -> AsyncIterator[tuple[Mirror, asyncio.Event]]:
    """Read a fleet meanwhile; yields what is known of it, and what is set when that is news."""
    mirror, ticked = Mirror(settings.hub.expected), asyncio.Event()
    following = Following(
        settings.engine, settings.hub.login, mirror, lambda _: ticked.set(), clock
    )
    task = asyncio.create_task(following.run())
    try:
        yield mirror, ticked
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_known(
    mirror: Mirror,
    ticked: asyncio.Event,
    clock: Callable[[], float],
    longest: float = LONGEST_S,
    wanted: Callable[[str], bool] = lambda _: True,
) -> None:
    """Wait until the hosts that are wanted by their names were heard, or are silent.

    Args:
        mirror: what is read into.
        ticked: set when something is new.
        clock: monotonic time (s).
        longest: seconds after which it is as far as it is.
        wanted: whether a host is waited for.
    """
    until = clock() + longest
    while (left := until - clock()) > 0 and not mirror.fault:
        if _is_known(mirror, clock(), wanted):
            break
        with suppress(TimeoutError):
            await asyncio.wait_for(ticked.wait(), min(LOOK_S, left))
        ticked.clear()
    mirror.drain(clock())  # before the line ends: then nobody is sure of anything


def _is_known(mirror: Mirror, now: float, wanted: Callable[[str], bool]) -> bool:
    """Whether nothing more is to be learnt by waiting."""
    known = bool(mirror.lines)
    for line in mirror.lines.values():
        known &= line.since is not None
    return known and all(_settled(host, mirror, now) for host in mirror if wanted(host.name))


def _settled(host: Host, mirror: Mirror, now: float) -> bool:
    if host.count >= 0:
        return host.heard is not None or host.verdict is Verdict.SILENT
    return all(now - (line.since or now) > BEAT_S for line in mirror.lines.values())


def _print(mirror: Mirror, now: float, wall: int, *, as_json: bool) -> int:
    told, fault = rows(mirror, now, wall), mirror.fault
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
