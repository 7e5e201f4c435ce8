"""Where to go on: of what is in Redis and of what the daemon has, whatever either has lost. Pure.

Nothing is remembered beside them. What is in Redis is the cursor; what the daemon still has and is
not there is written, and what it has no more is a gap that is said.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.fleet.keys import events_part, number_of

Entry: TypeAlias = tuple[str, Mapping[str, str]]
_MOST: Final = 2**63
"""Numbers beyond are nobody's; a stream that ends with one takes hardly any more."""


@frozen
class Told:
    """An event as far as two of the same number are told apart.

    Attributes:
        number: its `seq`; -1 where what is there is none of a relay's.
        name: of the event.
        timestamp: of its data.
    """

    number: int
    name: str
    timestamp: str


@frozen
class Found:
    """What is in Redis.

    Attributes:
        journal: whose events they are, "" for nobody's.
        stream: the part that holds them.
        last: the newest of them; None: there is none.
    """

    journal: str = ""
    stream: str = ""
    last: Told | None = None


@frozen
class Facts:
    """What the daemon has.

    Attributes:
        journal: its identity.
        seq: of its last event.
        oldest: of the first that it still has; `seq` + 1 where it has none.
        there: its own event of the number that `Found.last` has, if it has one.
    """

    journal: str
    seq: int
    oldest: int
    there: Told | None = None


@frozen
class Start:
    """From where.

    Attributes:
        stream: the part that is written.
        after: the last event that is there, or that nobody has.
        gap: events `{after, next}` that are missing in it, None for none.
        old: a part that nobody writes any more, "" for none.
    """

    stream: str
    after: int
    gap: tuple[int, int] | None = None
    old: str = ""


def candidate(found: Found, journal: str) -> str:
    """Return the part to look into for the events of a journal."""
    return found.stream if found.journal == journal and found.stream else events_part(journal)


def read(found: Found, journal: str, newest: Callable[[str], Entry | None]) -> Found:
    """Return what is in Redis for a journal.

    Args:
        found: as its `meta` has it.
        journal: the daemon's.
        newest: tells the newest entry of a part, if there is one.
    """
    part = candidate(found, journal)
    entry = newest(part)
    return replace(found, last=None if entry is None else told_of(entry))


def told_of(entry: Entry) -> Told:
    """Return which event an entry of a stream is."""
    name, fields = entry
    try:
        number = number_of(name)
        data = json.loads(fields["d"])
        return Told(number, fields["e"], str(data.get("timestamp")))
    except (ValueError, KeyError, AttributeError, RecursionError):
        return Told(-1, "", "")


def told_event(event: Mapping[str, Any]) -> Told:
    """Return which event one of the daemon's is."""
    return Told(event["seq"], event["event"], str(event["data"].get("timestamp")))


def start(found: Found, facts: Facts, keep: int) -> Start:
    """Return where to go on.

    Args:
        found: what is in Redis, in the part that `candidate` names for the daemon's journal.
        facts: what the daemon has.
        keep: events that are kept: more are not written to a stream that begins.
    """
    last = found.last
    old = found.stream if found.journal and found.journal != facts.journal else ""
    stream = candidate(found, facts.journal)
    if last is None:
        return Start(stream, max(facts.oldest - 1, facts.seq - keep, 0), old=old)
    if not _goes_on(last, facts):
        after = max(facts.oldest - 1, facts.seq - keep, 0)
        return Start(next_stream(stream, facts.journal), after, old=stream)
    if last.number < facts.oldest - 1:
        return Start(stream, facts.oldest - 1, (last.number, facts.oldest), old)
    return Start(stream, last.number, old=old)


def _goes_on(last: Told, facts: Facts) -> bool:
    """Whether the daemon knows the last event that is there as it is, or has forgotten it."""
    if not 0 <= last.number <= facts.seq:
        return False
    return last.number < facts.oldest or facts.there == last


def next_stream(stream: str, journal: str) -> str:
    """Return the part after one of the same journal."""
    _, _, again = stream.removeprefix(events_part("")).removeprefix(journal).rpartition(".")
    return events_part(journal, int(again) + 1 if again.isdecimal() else 1)


def count_of(entry: Entry | None) -> int:
    """Return the count of the newest entry of `now`, whoever wrote it; 0: there is none.

    An id with a second part is of nobody's making here, but is counted past all the same.
    """
    if entry is None:
        return 0
    first, _, second = entry[0].partition("-")
    return int(first) + (second != "0")


def is_spent(count: int) -> bool:
    """Whether `now` has to begin anew, for its ids have come to their end."""
    return count >= _MOST


def words_of(entry: Entry | None) -> Mapping[str, Any]:
    """Return what an entry of `now` says; {}: nothing, or nothing of a relay's."""
    try:
        said = json.loads(entry[1]["w"]) if entry is not None else {}
    except (ValueError, KeyError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
