"""What an event or an answer of the daemon comes to, before any rule has seen it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum, StrEnum

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.notify.model import Item, Moment, Scalar


class What(Enum):
    """What becomes of a trouble."""

    BAD = "bad"  # it is there, or it is another one by now
    WELL = "well"  # it is over
    VAGUE = "vague"  # nobody knows
    CLOSED = "closed"  # something else, which is told, has taken its place
    GONE = "gone"  # somebody wants to hear no more of it


class Gone(StrEnum):
    """Who does not answer, so that nobody knows how things are there."""

    DAEMON = "daemon"  # the one of this host
    HOST = "host"  # one of a fleet, or its relay
    AWAY = "daemon-away"  # its daemon; its relay is heard
    ENGINE = "engine"  # what carries a fleet
    BEYOND = "beyond"  # whoever would tell cannot be heard either, and is told of itself


@frozen
class Subject:
    """Whom something is about.

    Attributes:
        of: as in `Item`.
        name: as people know it.
        labels: what patterns of a rule are held against: the task's id, the service.
    """

    of: str
    name: str = ""
    labels: tuple[str, ...] = ()


@frozen
class Change:
    """What becomes of one trouble.

    Attributes:
        what: this.
        about: of which trouble.
        at: when, told.
        code: what is so, of one that is bad.
        params: what its sentence is filled with.
        graver: whether it has to be told although the trouble was.
    """

    what: What
    about: Subject
    at: Moment
    code: str = ""
    params: Mapping[str, Scalar] = field(default_factory=dict)
    graver: bool = False


@frozen
class News:
    """Something that is told as it is, once.

    Attributes:
        about: whom it is about.
        item: what is told.
    """

    about: Subject
    item: Item
