"""What a type of task is to the rest of the daemon: its table read, its probe made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.tables import Table
from kaspad_taskd.base.values import MAX_TEXT
from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Json, Observation

FILES_ONLY: Final = "may only stand in a file of tasks.d"

Allow: TypeAlias = Callable[[str, int], bool]
"""Whether this IP address and port may be asked."""


def read_files_only(
    table: Table, key: str, pattern: str | None = None, must: str = "", maximum: int = MAX_TEXT
) -> str | None:
    """Return the text at a key that a file alone may have; over an API it is forbidden.

    So is every path that is opened for whoever names it, and all that may change what it asks.
    """
    text = table.string(key, None, pattern=pattern, must=must, maximum=maximum)
    if text is not None and table.style == "json":
        table.fault(key, FILES_ONLY, kind="forbidden")
    return text


def wall_ms() -> int:
    """The wall clock in ms since 1970 UTC."""
    return time.time_ns() // 1_000_000


@frozen
class Means:
    """What a probe gets from the daemon.

    Attributes:
        allow: which addresses it may ask; None allows all.
        wall: the wall clock in ms, which lag is measured by.
        databases: the file that holds the DSN, by the name definitions use; as it is now.
        sockets: where the daemon's own sockets are, which no task may ask.
    """

    allow: Allow | None = None
    wall: Callable[[], int] = wall_ms
    databases: Mapping[str, Path] = field(default_factory=dict)
    sockets: Callable[[], Iterable[Path]] = tuple


class Probe(Protocol):
    """Can take one look at a service (engine.ports.Probe)."""

    async def observe(self, memory: Mapping[str, Json]) -> Observation | None:
        """Ask once; None: there was nothing to see."""

    async def close(self) -> None:
        """Let connections go."""


@frozen
class Checker:
    """A checker's table, read.

    Attributes:
        config: with its defaults, camelCase keys, as it is shown and kept.
        endpoint: what is asked, without secrets, or None.
        asks: hosts and ports that are connected to.
    """

    config: Mapping[str, Json] = field(default_factory=dict)
    endpoint: str | None = None
    asks: tuple[tuple[str, int], ...] = ()


@frozen
class ProbeType:
    """One type of task.

    Attributes:
        name: as definitions call it.
        parse: reads the checker's table of a service; what is wrong is noted in the table. Where
            faults were noted, what it returns names only what can be known, `asks` among it.
        open: makes the probe of a definition whose checker was parsed, or None where it has none.
            May raise ImportError.
    """

    name: str
    parse: Callable[[Table, str], Checker]
    open: Callable[[Definition, Means], Probe | None]
