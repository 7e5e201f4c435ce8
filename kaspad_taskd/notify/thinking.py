"""What the house asks of those who think and those who listen: for one daemon, or for a fleet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, Protocol, TypeAlias

from kaspad_taskd.notify.kept import Cursor
from kaspad_taskd.notify.model import Message, Moment
from kaspad_taskd.notify.settings import Settings
from kaspad_taskd.notify.snapshot import Asks

AnyWord: TypeAlias = Any
"""What one that listens tells, and the one that thinks beside it takes."""


class Thinking(Protocol):
    """What is known: `Mind`, or `FleetMind`; those say more."""

    cursor: Cursor | None
    answers: bool
    since: Moment
    settings: Settings
    is_changed: bool
    is_alive: bool

    @property
    def hosts(self) -> tuple[int, int] | None:
        """How many hosts are known of a fleet, and how many of them are told of as silent."""

    @property
    def series(self) -> str:
        """What ids of messages begin with."""

    def encoded(self) -> dict[str, Any] | None:
        """Return the state of one daemon as it is kept."""

    def rows(self, now: Moment, *, whole: bool = False) -> dict[str, str | None]:
        """Return what is kept of a fleet, and is new."""

    def asks(self) -> Asks:
        """Return what is to be asked from time to time."""

    def adapt(self, settings: Settings, now: Moment) -> None:
        """Let other settings hold."""

    def take(self, words: Sequence[AnyWord], now: Moment, answered: Moment) -> None:
        """Learn what is heard."""

    def pass_time(self, now: Moment, wall: Moment, zone: tzinfo) -> tuple[Message, ...]:
        """Return what is to be told now."""

    def due(self, ahead: int) -> Moment | None:
        """Return when time has to pass next."""

    def saved(self) -> None:
        """All of it is on disk."""


class Listening(Protocol):
    """Who hears: `Follower`, or `Listener`."""

    asks: Asks
    answered: float
    turned: float

    def start(self) -> None:
        """Begin."""

    def stop(self, patience: float = 1.0) -> None:
        """Let it end."""
