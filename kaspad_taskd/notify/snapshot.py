"""What is so now, as the daemon's answers have it: where it begins, and after each gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from kaspad_taskd.base.frozen import frozen

Wire: TypeAlias = Mapping[str, Any]


@frozen
class Snapshot:
    """What the daemon says of everything, asked at one moment.

    Attributes:
        tasks: the result of `getAllTasks`, or `tasks` of `subscribe`'s.
        warnings: those of `getWarnings`.
        attentions: those of `getInfo`.
    """

    tasks: Sequence[Wire]
    warnings: Sequence[Wire] = ()
    attentions: Sequence[Wire] = ()


@frozen
class Asks:
    """What no event tells, and so has to be asked for, once a minute or so.

    Attributes:
        tasks: ids of tasks whose disk is measured (`getTask`: its hints).
        warnings: whether a warning stands that somebody may acknowledge (`getWarnings`).
    """

    tasks: tuple[str, ...] = ()
    warnings: bool = False
