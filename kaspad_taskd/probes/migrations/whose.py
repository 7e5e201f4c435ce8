"""Whose session is the migration's: by what the server knows of it, not by its text.

Pure. Evident is a lock of SHARE strength or more on a table of the watched schema, held or awaited,
or a row of an index build, a rewrite or a COPY into a table there. While the version is not reached
a role, a name, a transaction that has written for long, or a step of a known script counts too;
afterwards every ordinary program has such ones, and even what is evident has to be seen at two
looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.observation import Json
from kaspad_taskd.probes.migrations.counters import TENDS
from kaspad_taskd.probes.migrations.seen import Backend, Server
from kaspad_taskd.probes.migrations.tool import Step, Tool

LONG_S: Final = 10.0
"""Seconds from which a transaction that writes is no program's everyday work any more."""
DOUBTS: Final = 3
"""How often a lock that is gone at the next look holds completion back."""
REMEMBERED: Final = 16
"""Sessions that were evident and are known again between two statements."""


@frozen
class Wanted:
    """What a definition wants.

    Attributes:
        tool: which tool migrates.
        version: the version to be reached; "" for the tool `sql`.
        table: where versions are recorded, `schema.table` or `table`.
        user: only sessions of this role may be the migration's; "" is any.
        application: only sessions that name themselves so; "" is any.
    """

    tool: Tool
    version: str = ""
    table: str = ""
    user: str = ""
    application: str = ""

    @property
    def named(self) -> bool:
        """Whether the definition says whose sessions are the migration's."""
        return bool(self.user or self.application)

    def admits(self, backend: Backend) -> bool:
        """Whether a session may be the migration's, as far as its names tell."""
        by_user = not self.user or backend.user == self.user
        return by_user and (not self.application or backend.application == self.application)


@frozen
class Sessions:
    """The migration's sessions, the one that has worked longest first.

    Attributes:
        work: them.
        memory: what the next look has to know.
        perhaps: seconds that somebody has written who may turn out to be one of them; None: nobody.
    """

    work: tuple[Backend, ...]
    memory: Mapping[str, Json]
    perhaps: float | None = None


def sessions(wanted: Wanted, server: Server, reached: bool, memory: Mapping[str, Json]) -> Sessions:
    """Return who migrates; `reached`: the wanted version is recorded."""
    found = [each for each in server.backends if wanted.admits(each)]
    evident = [each for each in found if is_evident(wanted, server, each)]
    if reached:
        return _after(evident, memory)
    known = _numbers(memory, "sessions")
    weak = [
        each
        for each in found
        if each not in evident and _is_likely(wanted, server, each, known, not evident)
    ]
    there = {each.pid for each in server.backends}
    kept = [each.pid for each in evident]
    kept += [pid for pid in known if pid in there and pid not in kept]
    ages = [each.age for each in found if each.writes and each.may]
    work, perhaps = _ordered(evident, weak), max(ages, default=None)
    return Sessions(work, {"sessions": kept[:REMEMBERED]}, perhaps)


def is_evident(wanted: Wanted, server: Server, backend: Backend) -> bool:
    """Whether a session changes a table of the watched schema, as its locks and counters tell."""
    count = server.counted.get(backend.pid)
    upkeep = wanted.tool.upkeep
    if count is not None and upkeep and count.command.startswith(upkeep):
        return False
    return backend.locks or (count is not None and count.builds and count.here is not False)


def _is_likely(
    wanted: Wanted, server: Server, backend: Backend, known: Sequence[int], alone: bool
) -> bool:
    """Whether a session may well be the migration's, though nothing proves it.

    Who writes for long is taken for it where nobody is evident (`alone`) and nobody is named.
    """
    if backend.hidden:
        return False
    if wanted.named or backend.pid in known:
        active = bool(wanted.application) and not backend.idle
        return backend.writes or active or _keeps_up(server, backend)
    if not backend.may:
        return False
    if any(each.begins.match(backend.statement) for each in _steps(wanted)):
        return True
    long = backend.writes and backend.age >= LONG_S
    return alone and (long or _keeps_up(server, backend) or _elsewhere(wanted, server, backend))


def _elsewhere(wanted: Wanted, server: Server, backend: Backend) -> bool:
    """Whether it builds in another schema, where the definition names none."""
    count = server.counted.get(backend.pid)
    anywhere = "." not in wanted.table and not wanted.tool.tables
    return anywhere and count is not None and count.builds


def _keeps_up(server: Server, backend: Backend) -> bool:
    """Whether it runs the VACUUM or ANALYZE that often stands between two steps, or such a lock.

    Where nothing is counted, as of VALIDATE and of what waits for its table, the lock tells.
    """
    count = server.counted.get(backend.pid)
    if count is None:
        return backend.light
    return count.kind in TENDS and count.here is True


def _steps(wanted: Wanted) -> list[Step]:
    return [step for script in wanted.tool.scripts for step in script.steps]


def _after(evident: list[Backend], memory: Mapping[str, Json]) -> Sessions:
    """Who still migrates once the version is reached: whoever is evident at two looks.

    A first sight holds completion back for one look, unless here such sights come and go.
    """
    before = _numbers(memory, "suspects")
    doubts = memory.get("doubts")
    doubts = doubts if isinstance(doubts, int) else 0
    again = any(each.pid in before for each in evident)
    if again:
        doubts = 0
    elif before:
        doubts = min(DOUBTS, doubts + 1)
    counts = again or doubts < DOUBTS
    suspects = [each.pid for each in evident][:REMEMBERED]
    kept: dict[str, Json] = {"suspects": suspects, "doubts": doubts}
    return Sessions(_ordered(evident if counts else [], []), kept)


def _ordered(evident: Sequence[Backend], weak: Sequence[Backend]) -> tuple[Backend, ...]:
    proven = {each.pid for each in evident}
    return tuple(
        sorted(
            (*evident, *weak), key=lambda each: (each.idle, each.pid not in proven, -each.seconds)
        )
    )


def _numbers(memory: Mapping[str, Json], key: str) -> list[int]:
    value = memory.get(key)
    return [each for each in value if isinstance(each, int)] if isinstance(value, list) else []
