"""How often the same line may be told: once a minute, and what was held back is counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

MINUTE: Final = 60.0
"""Seconds between two lines that say the same."""
AT_MOST: Final = 20
"""Lines a minute about one topic, however many subjects it has."""
SUBJECTS: Final = 256
"""Subjects of a topic that are known; what was held of an older one counts for the topic."""
TOPICS: Final = 1024
"""Topics known at once; the one that was silent longest is forgotten."""


@dataclass(slots=True)
class _Subject:
    told: float
    held: int = 0


@dataclass(slots=True)
class _Topic:
    subjects: dict[str, _Subject] = field(default_factory=dict)
    held: int = 0  # of subjects that are not known (any more)


class Repeats:
    """Decides on lines of one log. Pure: the time is given."""

    def __init__(self) -> None:
        self._topics: dict[str, _Topic] = {}

    def told(self, topic: str, subject: str, now: float) -> int | None:
        """Return how many lines like this were held back since the last, or None: hold this too.

        Args:
            topic: who does what.
            subject: to what; each is told of its own, as long as they are few.
            now: in seconds, of a clock that does not jump.
        """
        known = self._topics.pop(topic, None) or _Topic()
        self._topics[topic] = known
        if len(self._topics) > TOPICS:
            del self._topics[next(iter(self._topics))]
        return _told(known, subject, now)

    def forget(self, topic: str) -> None:
        """Let the topic's next line be told at once; what it counts begins anew after it."""
        known = self._topics.get(topic)
        if known is not None:
            known.held += sum(each.held for each in known.subjects.values())
            known.subjects.clear()


def _told(topic: _Topic, subject: str, now: float) -> int | None:
    one = topic.subjects.get(subject)
    recent = sum(now - each.told < MINUTE for each in topic.subjects.values())
    if recent >= AT_MOST or (one is not None and now - one.told < MINUTE):
        if one is not None:
            one.held += 1
        else:
            topic.held += 1
        return None
    topic.subjects.pop(subject, None)
    topic.subjects[subject] = _Subject(now)
    held, topic.held = topic.held + (one.held if one is not None else 0), 0
    if len(topic.subjects) > SUBJECTS:
        topic.held += topic.subjects.pop(next(iter(topic.subjects))).held
    return held


def counted(line: str, held: int) -> str:
    """Return the line, with what was held back before it."""
    return f"{line}, and {held} more" if held else line
