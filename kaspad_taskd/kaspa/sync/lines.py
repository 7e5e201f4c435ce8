"""What a line of kaspad's log says. The patterns are data, tried on a real node's every line."""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from functools import cache

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.kaspa.sync.wrapping import Said, bare

_ZONE = re.compile(r":(?=[+-]\d{4}$)")  # kaspad writes "…10:11:12.000:+0000"
_ZONED = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
LONGEST = 2000
"""Characters of a line that are looked at; no line of interest is longer."""


@frozen
class Line:
    """One understood line: the pattern's name, its groups, its own stamp (ms, or None)."""

    name: str
    groups: Mapping[str, str] = field(default_factory=dict)
    at_ms: int | None = None


@cache
def patterns() -> tuple[re.Pattern[str], Mapping[str, re.Pattern[str]]]:
    """Return the pattern of the prefix and those of the messages, by name."""
    data = json.loads(pkgutil.get_data(__package__, "log_patterns.json") or b"")
    compiled = {name: re.compile(entry["regex"]) for name, entry in data["patterns"].items()}
    return re.compile(data["prefix"]), compiled


def stamp(text: str) -> int | None:
    """Return a time of the log in ms since 1970, or None where it is none."""
    try:
        moment = datetime.fromisoformat(_ZONE.sub("", text.strip()))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def understand(text: str) -> Line | None:
    """Return what a raw line says, wrapped or not, or None where it says nothing that we know."""
    return next(map(understand_said, bare([text])))


def understand_said(said: Said) -> Line | None:
    """Return what a line says; the wrapping's stamp counts where kaspad wrote none."""
    prefix, messages = patterns()
    text = said.text[:LONGEST]
    head = prefix.match(text)
    message, at = (head["msg"], head["ts"]) if head else (text, said.at)
    for name, pattern in messages.items():
        match = pattern.search(message)
        if match:
            groups = {key: value for key, value in match.groupdict().items() if value is not None}
            return Line(name, groups, stamp(at) if at else None)
    return None


def begins_as_kaspad(said: Said) -> bool:
    """Whether a line begins as kaspad's lines do, whatever it says."""
    return patterns()[0].match(said.text[:LONGEST]) is not None


def written(said: Said) -> int | None:
    """Return when a line was written, ms; None where it does not say so with its zone."""
    head = patterns()[0].match(said.text[:LONGEST])
    text = head["ts"] if head else said.at
    return stamp(text) if text and _ZONED.search(text) else None
