"""What the log says of messages: one line for each thing that happens, and no address."""

from __future__ import annotations

import logging
from typing import Final

from kaspad_taskd.base.durations import format_duration
from kaspad_taskd.notify.delivery import Entry
from kaspad_taskd.notify.model import Message, Moment, Outcome
from kaspad_taskd.words import safe

_TITLE: Final = 120

log = logging.getLogger("kaspad_taskd.notify")


def told(message: Message, name: str, took: float) -> None:
    """A message was delivered."""
    log.info("told %s: %s (%s, %.1f s)", name, _title(message), message.id, took)


def not_yet(message: Message, name: str, entry: Entry, now: Moment) -> None:
    """A try failed, and another one follows."""
    again = format_duration(max(round((entry.due - now) / 1000), 1))
    why = _why(entry.outcome)
    log.warning(
        "not told yet, %s: %s (%s): %s; try %d, again in %s",
        name, _title(message), message.id, why, entry.tries, again,
    )  # fmt: skip


def lost(message: Message, name: str, entry: Entry, why: str = "") -> None:
    """A message is given up: the only place where it can still be read."""
    log.error(
        "not delivered to %s: %s (%s): %s after %d tries; it said: %s",
        name, _title(message), message.id, why or _why(entry.outcome), entry.tries,
        safe(" ".join(message.text.split()), 1000),
    )  # fmt: skip


def beat_failed(outcome: Outcome) -> None:
    """The dead man's switch did not take our sign of life."""
    log.warning("the heartbeat was not taken: %s", _why(outcome))


def _title(message: Message) -> str:
    return f'"{safe(message.title, _TITLE)}"'


def _why(outcome: Outcome | None) -> str:
    if outcome is None:
        return "not tried"
    parts = [str(outcome.why or "")]
    if outcome.status is not None:
        parts.append(str(outcome.status))
    if outcome.words:
        parts.append(safe(outcome.words, 300))
    return " ".join(part for part in parts if part)
