"""What waits to be sent, and what became of the rest: in memory, with what is not yet on disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.notify.delivery import (
    Entry,
    Fate,
    Lane,
    due,
    pick,
    resumed,
    resumed_lane,
    too_old,
    tried,
    well_again,
)
from kaspad_taskd.notify.model import Message, Moment, Outcome

SHOWN: Final = 100
"""Entries that are kept when all is said of them, to be shown."""
MOST: Final = 500
"""Messages that may wait for one place; then the oldest gives way."""


@frozen
class Content:
    """All of an outbox, or what changed of it.

    Attributes:
        messages: that entries name.
        entries: new or changed.
        lanes: likewise.
        gone: numbers of entries that are no more.
    """

    messages: tuple[Message, ...] = ()
    entries: tuple[Entry, ...] = ()
    lanes: Mapping[str, Lane] = field(default_factory=dict)
    gone: tuple[int, ...] = ()


class Outbox:
    """Messages on their way, in the order in which they were made.

    Args:
        content: as the last life left it.
        now: this moment.
    """

    def __init__(self, content: Content, now: Moment) -> None:
        self._messages = {message.id: message for message in content.messages}
        self._entries = {
            entry.number: resumed(entry, now)
            for entry in sorted(content.entries, key=lambda entry: entry.number)
            if entry.message in self._messages
        }
        self._lanes = {key: resumed_lane(lane, now) for key, lane in content.lanes.items()}
        self._changed: set[int] = set()
        self._gone: set[int] = set()
        self._lanes_changed: set[str] = set()

    def put(self, message: Message, places: Iterable[str], now: Moment) -> list[Entry]:
        """Let a message wait for these places; return what had to give way."""
        self._messages[message.id] = message
        lost = []
        for place in places:
            lost += self._make_room(place, now)
            number = max(self._entries, default=0) + 1
            self._set(Entry(number, message.id, place, now, now))
        return lost

    def _make_room(self, place: str, now: Moment) -> list[Entry]:
        waiting = [entry for entry in self.waiting() if entry.place == place]
        if len(waiting) < MOST:
            return []
        lost = replace(waiting[0], fate=Fate.FAILED, at=now)
        self._set(lost)
        return [lost]

    def waiting(self) -> list[Entry]:
        """Return what is not delivered and not given up, the oldest first."""
        return [entry for entry in self._entries.values() if entry.fate is Fate.WAITING]

    def ended(self) -> list[Entry]:
        """Return the last of what was delivered or given up, the oldest first."""
        done = (entry for entry in self._entries.values() if entry.fate is not Fate.WAITING)
        return sorted(done, key=lambda entry: (entry.at or entry.made, entry.number))

    def message(self, entry: Entry) -> Message:
        """Return what an entry is to bring."""
        return self._messages[entry.message]

    def lane(self, place: str) -> Lane:
        """Return how a place is doing."""
        return self._lanes.get(place, Lane())

    def pick(self, busy: frozenset[str], now: Moment) -> list[Entry]:
        """Return what is to be tried now, one for each place that is not busy."""
        return pick(self.waiting(), self._lanes, busy, now)

    def due(self, busy: frozenset[str]) -> Moment | None:
        """Return when there is something to be tried, or None."""
        return due(self.waiting(), self._lanes, busy)

    def note(self, number: int, outcome: Outcome, now: Moment) -> list[Entry]:
        """Note what came of a try; return the entry as it is then, and others given up with it.

        Nothing, where it does not wait any more.
        """
        before = self._entries.get(number)
        if before is None or before.fate is not Fate.WAITING:
            return []
        was = self.lane(before.place)
        entry, lane = tried(before, was, outcome, now)
        self._set(entry)
        self._lanes[entry.place] = lane
        self._lanes_changed.add(entry.place)
        rest = [other for other in self.waiting() if other.place == entry.place]
        if outcome.delivered:
            self._set(*well_again(rest, was, now))
            return [entry]
        lost = [replace(other, at=now, outcome=outcome) for other in too_old(rest, lane, now)]
        self._set(*lost)  # perhaps the one that was tried among them
        return [self._entries[number], *(other for other in lost if other.number != number)]

    def keep_to(self, places: frozenset[str], now: Moment) -> list[Entry]:
        """Give up what waits for a place that is none any more, and return it."""
        strange = [entry for entry in self.waiting() if entry.place not in places]
        lost = [replace(entry, fate=Fate.FAILED, at=now) for entry in strange]
        self._set(*lost)
        for place in self._lanes.keys() - places:
            del self._lanes[place]
            self._lanes_changed.add(place)
        return lost

    def content(self) -> Content:
        """Return all of it, likewise."""
        self._tidy()
        entries = tuple(self._entries.values())
        return Content(tuple(self._messages.values()), entries, dict(self._lanes))

    def changes(self) -> Content:
        """Return what is not on disk yet; a lane that is no more is one without failures.

        What ended long ago goes now.
        """
        self._tidy()
        entries = tuple(self._entries[n] for n in sorted(self._changed))
        names = {entry.message for entry in entries}
        messages = tuple(self._messages[name] for name in names)
        lanes = {place: self.lane(place) for place in self._lanes_changed}
        return Content(messages, entries, lanes, tuple(sorted(self._gone)))

    @property
    def is_changed(self) -> bool:
        """Whether something is not on disk yet."""
        return bool(self._changed or self._gone or self._lanes_changed)

    def saved(self) -> None:
        """All of it is on disk."""
        self._changed.clear()
        self._gone.clear()
        self._lanes_changed.clear()

    def _set(self, *entries: Entry) -> None:
        for entry in entries:
            self._entries[entry.number] = entry
            self._changed.add(entry.number)

    def _tidy(self) -> None:
        """Keep the last of what ended; the rest goes, and messages that nobody names with it."""
        gone = self._beyond(self.ended())
        for entry in gone:
            del self._entries[entry.number]
            self._changed.discard(entry.number)
            self._gone.add(entry.number)
        if gone:
            named = {entry.message for entry in self._entries.values()}
            self._messages = {key: m for key, m in self._messages.items() if key in named}

    @staticmethod
    def _beyond(ended: Sequence[Entry]) -> Sequence[Entry]:
        return ended[: max(len(ended) - SHOWN, 0)]
