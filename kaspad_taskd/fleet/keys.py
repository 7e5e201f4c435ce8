"""The names and ids of a fleet in Redis or Valkey, as relay and hub both know them (docs/fleet.md).

All of a host's keys are under its own name, in one slot of a cluster, so that a user of the server
may be given one host's and nothing else.
"""

from __future__ import annotations

import re
from typing import Final

PREFIX: Final = "taskd:"
HOST: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
HOST_WORDS: Final = (
    "must be letters, digits, . _ or -, beginning with a letter or digit, 64 at most"
)
NOW: Final = "now"
"""Stream: what changed, a batch an entry; its ids count on, so that it is the sign of life, too."""
TASKS: Final = "tasks"
"""Hash: id -> the task's public form, as of its last durable change."""
PROGRESS: Final = "progress"
"""Hash: id -> the data of its last `sync:progress`."""
PAST: Final = "past"
"""Hash: id -> its record, incidents and history, as far as a fleet keeps them."""
META: Final = "meta"
"""Hash: whose keys these are."""
SERVICES: Final = "services"
WARNINGS: Final = "warnings"
"""Strings: the answers of `getServices` and `getWarnings`."""
BEAT_S: Final = 5.0
"""Seconds without a change after which a relay gives a sign of life."""
SILENT_S: Final = 15.0
"""Seconds by a reader's own clock after which what it has not heard of is silent."""

_EVENTS: Final = "ev:"
_KEY: Final = re.compile(r"taskd:\{([^{}]{1,64})\}:(.+)")
_ID: Final = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")


def key(host: str, part: str) -> str:
    """Return the key of a part of a host's: `taskd:{HOST}:PART`."""
    if not HOST.fullmatch(host):
        raise ValueError(f"host {host!r} {HOST_WORDS}")
    return f"{PREFIX}{{{host}}}:{part}"


def split(name: str) -> tuple[str, str] | None:
    """Return host and part of a key; None: it is none of a fleet's."""
    found = _KEY.fullmatch(name)
    if found is None or not HOST.fullmatch(found[1]):
        return None
    return found[1], found[2]


def events_part(journal: str, again: int = 0) -> str:
    """Return the part that holds the events of a journal.

    Args:
        journal: its identity.
        again: how often it went on from an earlier point under the same identity.
    """
    return f"{_EVENTS}{journal}" + (f".{again}" if again else "")


def entry_id(number: int) -> str:
    """Return the id of an event by its `seq`, or of a batch by its count."""
    return f"{number}-0"


def number_of(entry: str) -> int:
    """Return the number of an id; raises ValueError: it is none of ours."""
    found = _ID.fullmatch(entry)
    if found is None or found[2] != "0":
        raise ValueError(f"{entry[:50]!r} is no id of an event or a batch")
    return int(found[1])
