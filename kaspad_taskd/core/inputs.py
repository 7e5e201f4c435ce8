"""Everything that can happen to a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TypeAlias

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Observation, Scalar


@frozen
class Look:
    """A look came back.

    Attributes:
        attempt: the attempt it was taken for; of another one it is dropped.
        observation: what it brought.
        pushed: it was reported by the work itself, whose word needs no confirmation.
    """

    attempt: int
    observation: Observation
    pushed: bool = False


@frozen
class Start:
    """Begin to watch, or go on after a pause."""


@frozen
class Pause:
    """Watch no more for now; the work itself goes on."""


@frozen
class Cancel:
    """Watch no more."""


@frozen
class Retry:
    """Begin the next attempt of an ended task."""


@frozen
class Complete:
    """Somebody says that the work is done."""

    metadata: Mapping[str, Scalar] = field(default_factory=dict)


@frozen
class Fail:
    """Somebody says that the work failed."""

    text: str


@frozen
class Attach:
    """The daemon watches again (after a start, a clock jump): patience begins anew, no more.

    `jumped`: the clock did; the samples for the rate cannot be compared any more.
    """

    jumped: bool = False


@frozen
class Redefine:
    """The definition changed. Other work begins a live task's next attempt.

    `watch`: somebody said just now that it is to be kept watch on, perhaps as it says already.
    """

    definition: Definition
    watch: bool = False


@frozen
class Await:
    """A pending task waits for these (or, with none left, no longer)."""

    ids: tuple[str, ...]


@frozen
class Tick:
    """Time passed without a look."""


Input: TypeAlias = (
    Look | Start | Pause | Cancel | Retry | Complete | Fail | Attach | Redefine | Await | Tick
)
