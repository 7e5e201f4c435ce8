"""For how long nobody has been at work: what is said of that is said once it has lasted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.observation import Json
from kaspad_taskd.probes.migrations.seen import Server
from kaspad_taskd.probes.migrations.whose import LONG_S, Sessions

QUIET: Final = 3
"""Looks in a row that find nobody at work and something left to do."""
MOMENT_S: Final = 1.0
"""Seconds that the everyday transaction of a program does not last."""
LASTING_S: Final = 60.0
"""Seconds of such looks after which it is said that it was interrupted."""


@frozen
class Quiet:
    """For how many looks nobody has been at work, and since when by the server's clock, s."""

    looks: int
    since: float
    lasts: bool


def quiet_of(server: Server, memory: Mapping[str, Json], who: Sessions) -> Quiet:
    """Of a look that finds nobody at work, and of those before it.

    Who may yet prove the migration's keeps it short; the everyday writing of a program does not.
    """
    looks, since = memory.get("quiet"), memory.get("quietSince")
    looks = looks if isinstance(looks, int) else 0
    if who.work:
        return Quiet(0, server.clock, False)
    since = float(since) if looks and isinstance(since, int | float) else server.clock
    lasts = server.clock - since
    unsure = who.perhaps is not None and (who.perhaps >= MOMENT_S or lasts < LONG_S)
    return Quiet(min(QUIET - unsure, looks + 1), since, lasts >= LASTING_S)
