"""What is tried when: one message at a time to each place, with patience, and not for ever. Pure.

A *place* is where messages go: one URL, webhook or command. An *entry* is one message on its way to
one place. A place that does not take messages is asked more and more rarely, whichever message it
is; a message that a place refuses is given up after a few tries, and lets others pass meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.notify.model import Moment, Outcome

PACE: Final = 1_000
"""Milliseconds between two messages to one place, as the following."""
FIRST_PAUSE: Final = 5_000
LONGEST_PAUSE: Final = 1_800_000
DAY: Final = 86_400_000
"""For how long a message is tried."""
FEWEST: Final = 10
"""Tries that a message gets however old it seems: a clock that jumps ages nothing."""
FINALS: Final = 3
"""Times that a place may refuse a message for good until it is believed."""
PASSING: Final = 3
"""Failed tries after which a message lets others pass; so many in a row, and it is the place."""


class Fate(StrEnum):
    """What became of a message at a place."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"  # given up


@frozen
class Entry:
    """One message on its way to one place.

    Attributes:
        number: grows with each; the order in which they were made.
        message: its id.
        place: its key.
        made: when the message was.
        due: when it is tried next, at the earliest.
        tries: how often it was tried in vain.
        finals: how often it was refused for good.
        fate: what became of it.
        at: when that was, or the last try.
        outcome: of the last try.
    """

    number: int
    message: str
    place: str
    made: Moment
    due: Moment
    tries: int = 0
    finals: int = 0
    fate: Fate = Fate.WAITING
    at: Moment | None = None
    outcome: Outcome | None = None


@frozen
class Lane:
    """How a place is doing.

    Attributes:
        failures: tries in vain, in a row.
        free: when it may be tried again.
    """

    failures: int = 0
    free: Moment = 0


def pause(failures: int) -> int:
    """Return the milliseconds until the next try after so many in a row that failed (1 or more)."""
    return min(FIRST_PAUSE << min(failures - 1, 20), LONGEST_PAUSE)


def pick(
    entries: Iterable[Entry], lanes: Mapping[str, Lane], busy: frozenset[str], now: Moment
) -> list[Entry]:
    """Return what is to be tried now: at most one for each place.

    Args:
        entries: those that wait.
        lanes: of places that were tried before.
        busy: places at which a try is under way.
        now: this moment.
    """
    chosen: dict[str, Entry] = {}
    for entry in entries:
        lane = _lane(lanes, entry)
        if entry.place in busy or entry.due > now or lane.free > now:
            continue
        before = chosen.get(entry.place)
        if before is None or _turn(entry, lane) < _turn(before, lane):
            chosen[entry.place] = entry
    return list(chosen.values())


def due(entries: Iterable[Entry], lanes: Mapping[str, Lane], busy: frozenset[str]) -> Moment | None:
    """Return when `pick` has something next, or None: nothing waits that is not under way."""
    moments = (max(e.due, _lane(lanes, e).free) for e in entries if e.place not in busy)
    return min(moments, default=None)


def tried(entry: Entry, lane: Lane, outcome: Outcome, now: Moment) -> tuple[Entry, Lane]:
    """Return what a try makes of a message and its place."""
    entry = replace(entry, at=now, outcome=outcome)
    if outcome.delivered:
        return replace(entry, fate=Fate.DELIVERED), Lane(0, now + PACE)
    entry = replace(entry, tries=entry.tries + 1)
    if outcome.final:
        return _refused(entry, lane, now)
    failures = lane.failures + 1
    if _is_too_old(entry, now):
        entry = replace(entry, fate=Fate.FAILED)
    last = entry.made + DAY  # there is one more try then, if the pause would lead beyond it
    own = now + pause(failures)
    own = min(own, last) if last >= now + PACE else own
    at = max(own, now + _asked(outcome))
    mine = at if entry.tries < PASSING else max(at, min(now + pause(entry.tries), last))
    return replace(entry, due=mine), Lane(failures, at)


def too_old(entries: Iterable[Entry], lane: Lane, now: Moment) -> Iterator[Entry]:
    """Yield those of a place that takes nothing which are too old to be tried on."""
    for entry in entries if lane.failures else ():
        if entry.made + DAY <= now and lane.failures >= FEWEST:
            yield replace(entry, fate=Fate.FAILED)


def well_again(entries: Iterable[Entry], before: Lane, now: Moment) -> Iterator[Entry]:
    """Yield those of a place that takes messages again, which had to wait for that.

    Who failed there while others did not has only itself to wait for.
    """
    down = before.failures >= PASSING
    for entry in entries:
        if entry.due > now and not entry.finals and (down or entry.tries < PASSING):
            yield replace(entry, due=now)


def resumed(entry: Entry, now: Moment) -> Entry:
    """Return an entry as a new life takes it over: a clock set back makes nobody wait for long."""
    return replace(entry, due=now) if entry.due > now + DAY else entry


def resumed_lane(lane: Lane, now: Moment) -> Lane:
    """Return how a place is doing as a new life takes it over, likewise."""
    return replace(lane, free=now) if lane.free > now + DAY else lane


def _refused(entry: Entry, lane: Lane, now: Moment) -> tuple[Entry, Lane]:
    """The place works and does not take this message: others may pass."""
    finals = entry.finals + 1
    fate = Fate.FAILED if finals >= FINALS else Fate.WAITING
    entry = replace(entry, finals=finals, fate=fate, due=now + pause(finals * 2))
    return entry, replace(lane, free=now + PACE)


def _is_too_old(entry: Entry, now: Moment) -> bool:
    return entry.made + DAY <= now and entry.tries >= FEWEST


def _asked(outcome: Outcome) -> int:
    """Milliseconds that the service itself named, a day at most."""
    return min(max(round((outcome.retry_after or 0.0) * 1000), 0), DAY)


def _lane(lanes: Mapping[str, Lane], entry: Entry) -> Lane:
    return lanes.get(entry.place, Lane())


def _turn(entry: Entry, lane: Lane) -> tuple[bool, int]:
    """Where a try failed last, whoever has failed often is the likelier cause."""
    return lane.failures > 0 and entry.tries >= PASSING, entry.number
