"""What the one who listens to the daemon tells the one who writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.fleet.relay.plan import Start

Wire: TypeAlias = Mapping[str, Any]


@frozen
class Wants:
    """What is in Redis for this journal? To be answered when all that was told before is there."""

    journal: str


@frozen
class Begun:
    """The daemon answers, and is heard from a start on.

    Attributes:
        start: from where.
        journal: whose events follow.
        version: of the daemon.
        tasks: all of them.
        services: the answer to `getServices`.
        warnings: likewise.
    """

    start: Start
    journal: str
    version: str
    tasks: Sequence[Wire]
    services: Any
    warnings: Any


@frozen
class Heard:
    """An event."""

    event: Wire


@frozen
class Known:
    """A task as it is by now; None: there is none of that id."""

    id: str
    task: Wire | None


@frozen
class Served:
    """The answers to `getServices` and `getWarnings`."""

    services: Any
    warnings: Any


@frozen
class Past:
    """What was of a task, packed."""

    id: str
    text: bytes


@frozen
class Away:
    """The daemon does not answer, for the time being."""

    why: str


Word: TypeAlias = Wants | Begun | Heard | Known | Served | Past | Away
