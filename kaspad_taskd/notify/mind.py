"""What the rules know, as it grows with what is heard, and what of it is not on disk yet."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any

from kaspad_taskd.notify import rules
from kaspad_taskd.notify.follow import Began, CaughtUp, Heard, Learned, Lost, Word
from kaspad_taskd.notify.kept import Cursor
from kaspad_taskd.notify.model import Message, Moment
from kaspad_taskd.notify.settings import Settings

ASKED = 200
"""Tasks that are asked for their disk, at most."""

log = logging.getLogger(__name__)


class Mind:
    """State and cursor: they change together.

    Args:
        kept: the state of the last life, None for none.
        cursor: how far that one had heard.
        settings: who wants to be told what.
        now: this moment.

    Attributes:
        cursor: how far the journal is heard.
        answers: whether the daemon does, and is heard.
        since: since when.
        settings: those that hold.
        is_changed: whether it has to be on disk before anything is sent.
        is_alive: whether something was heard that the daemon tells again.
    """

    def __init__(
        self, kept: Mapping[str, Any] | None, cursor: Cursor | None, settings: Settings, now: Moment
    ) -> None:
        self.cursor = cursor
        self.settings = settings
        self.answers = False
        self.since = now
        self._state = rules.first(os.urandom(4).hex())
        if kept is not None:
            try:
                self._state = rules.decode(kept)
            except ValueError as fault:
                log.warning("what was known is of no use and is begun anew: %s", fault)
                self.cursor = None
        self._state = rules.fit(self._state, settings.rules, now)
        # until all that happened meanwhile is heard, nothing is told as being so
        self._state = rules.silent(self._state, settings.rules, now, now)
        self.is_changed = kept is None
        self.is_alive = False

    def adapt(self, settings: Settings, now: Moment) -> None:
        """Let other settings hold."""
        self.settings = settings
        self._state = rules.fit(self._state, settings.rules, now)
        self.is_changed = True

    @property
    def hosts(self) -> None:
        """There are none: this is of one daemon."""

    @property
    def series(self) -> str:
        """What ids of messages begin with."""
        return self._state.series

    def encoded(self) -> dict[str, Any]:
        """Return the state as it is kept."""
        return rules.encode(self._state)

    def rows(self, now: Moment, *, whole: bool = False) -> dict[str, str | None]:
        """There are none: those are of a fleet."""
        del now, whole
        return {}

    def asks(self) -> rules.Asks:
        """Return what is to be asked from time to time."""
        asks = rules.asks(self._state)
        return replace(asks, tasks=asks.tasks[:ASKED])

    def take(self, words: Sequence[Word], now: Moment, answered: Moment) -> None:
        """Learn what the daemon tells.

        Args:
            words: in order.
            now: this moment.
            answered: when the daemon gave its last sign of life.
        """
        events: list[Heard] = []
        for word in words:
            if isinstance(word, Heard):
                events.append(word)
                continue
            self._hear(events, now)
            events = []
            self._learn(word, now, answered)
        self._hear(events, now)

    def _hear(self, heard: Sequence[Heard], now: Moment) -> None:
        if not heard:
            return
        told = [word.event for word in heard]
        self._state = rules.hear_all(self._state, self.settings.rules, told, now)
        self.cursor = heard[-1].cursor
        self.is_alive = True
        if any(event.get("event") != "sync:progress" for event in told):
            self.is_changed = True

    def _learn(self, word: Word, now: Moment, answered: Moment) -> None:
        state, mine = self._state, self.settings.rules
        if isinstance(word, Began):
            self._state = rules.see(state, mine, word.snapshot, now)
            self.cursor = word.cursor
        elif isinstance(word, Learned):
            self._state = rules.learn(state, mine, now, word.tasks, word.warnings)
        elif isinstance(word, CaughtUp):
            self._state = rules.answers(state, mine, now)
            self.answers, self.since = True, now
        elif isinstance(word, Lost):
            self._state = rules.silent(state, mine, answered, now)
            self.answers, self.since = False, answered
        self.is_changed = True

    def pass_time(self, now: Moment, wall: Moment, zone: tzinfo) -> tuple[Message, ...]:
        """Return what is to be told now; `wall`: what clocks show."""
        given = self.settings
        self._state, messages = rules.tick(
            self._state, given.rules, now, zone, given.host, given.page_url or "", wall
        )
        if messages:
            self.is_changed = True
        return messages

    def due(self, ahead: int) -> Moment | None:
        """Return when time has to pass next, if nothing is heard before; None: then not at all.

        `ahead`: what clocks on the wall are ahead of our moments.
        """
        return rules.due(self._state, self.settings.rules, ahead)

    def saved(self) -> None:
        """All of it is on disk."""
        self.is_changed = self.is_alive = False
