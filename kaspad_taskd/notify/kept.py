"""Messages and entries as JSON says them, for the state; and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.notify.delivery import Entry, Fate
from kaspad_taskd.notify.model import Item, Kind, Message, Outcome, Why


@frozen
class Cursor:
    """How far the daemon's journal was heard.

    Attributes:
        journal: its identity.
        seq: of the last event.
        last: name and timestamp of the last event on record that was told, with its seq; by them
            a journal that was put back is found out.
    """

    journal: str
    seq: int
    last: tuple[int, str, str] | None = None


def message_json(message: Message) -> str:
    """Return a message as JSON text."""
    return _text(asdict(message))


def message_of(text: str) -> Message:
    """Return the message that `message_json` wrote. Raises ValueError, TypeError, KeyError."""
    data = json.loads(text)
    items = tuple(Item(**{**item, "kind": Kind(item["kind"])}) for item in data["items"])
    return Message(**{**data, "kind": Kind(data["kind"]), "items": items})


def outcome_json(outcome: Outcome | None) -> str | None:
    """Return an outcome as JSON text."""
    return None if outcome is None else _text(outcome_dict(outcome))


def outcome_dict(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON says it."""
    return asdict(outcome)


def outcome_of(text: str | None) -> Outcome | None:
    """Return the outcome that `outcome_json` wrote. Raises ValueError, TypeError."""
    if text is None:
        return None
    data: dict[str, Any] = json.loads(text)
    return Outcome(**{**data, "why": None if data["why"] is None else Why(data["why"])})


def entry_row(entry: Entry) -> tuple[object, ...]:
    """Return an entry as the table `entries` has it."""
    return (
        entry.number, entry.message, entry.place, entry.made, entry.due, entry.tries,
        entry.finals, str(entry.fate), entry.at, outcome_json(entry.outcome),
    )  # fmt: skip


def entry_of(row: tuple[Any, ...]) -> Entry:
    """Return the entry of a row. Raises ValueError, TypeError."""
    number, message, place, made, due, tries, finals, fate, at, outcome = row
    return Entry(
        number, message, place, made, due, tries, finals, Fate(fate), at, outcome_of(outcome)
    )


def cursor_json(cursor: Cursor | None) -> str:
    """Return a cursor as JSON text."""
    if cursor is None:
        return "null"
    return _text({"journal": cursor.journal, "seq": cursor.seq, "last": cursor.last})


def cursor_of(text: str) -> Cursor | None:
    """Return the cursor that `cursor_json` wrote. Raises ValueError, TypeError, KeyError."""
    data: dict[str, Any] | None = json.loads(text)
    if data is None:
        return None
    last = data["last"]
    return Cursor(data["journal"], int(data["seq"]), None if last is None else tuple(last))


def _text(data: Mapping[str, Any]) -> str:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)
