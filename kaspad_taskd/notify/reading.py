"""What the daemon's words (docs/contract.md) come to: fields that are there, as they should be.

What comes is the daemon's, perhaps of a later version: what is missing or of another shape is left
out, what has a new name is told in general words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kaspad_taskd.notify.change import Subject
from kaspad_taskd.notify.model import Moment, Scalar
from kaspad_taskd.words.moment import seconds_of
from kaspad_taskd.words.plain import safe

WELL = "ok"
NOT_KNOWN = ("unknown", "None", "")
RELAPSE = "relapse"
"""What a task has that was complete and syncs again by itself."""
DISK = ("disk-runway", "disk-full")
"""Hints that tell of the disk's room; the first one is the graver one to know early."""


def moment(told: object) -> Moment | None:
    """Return a time of the wire in ms, or None."""
    seconds = seconds_of(told)
    return None if seconds is None else round(seconds * 1000)


def text(told: object, limit: int = 300) -> str:
    """Return what the wire says as one safe line, "" for nothing."""
    return "" if told is None else safe(told, limit)


def number(told: object) -> float | None:
    """Return a number of the wire, or None."""
    is_one = isinstance(told, int | float) and not isinstance(told, bool)
    return float(told) if is_one else None  # type: ignore[arg-type]


def task(data: Mapping[str, Any]) -> Subject | None:
    """Return which task an event or a task's public form is about."""
    known = data.get("taskId") or data.get("id")
    if not isinstance(known, str) or not known:
        return None
    service = text(data.get("service"), 64)
    return Subject(f"task:{known}", _name(known, service), (known, service))


def disk(task: Subject) -> Subject:
    """Return the disk of a task."""
    return Subject(f"disk:{task.labels[0]}", task.name, task.labels)


def _name(known: str, service: str) -> str:
    """The service, with the id where that is not made of it."""
    if not service or known == service:
        return text(known, 100)
    return service if known.endswith(f"-{service}") else f"{service} ({text(known, 100)})"


def service(data: Mapping[str, Any]) -> Subject | None:
    """Return which service an event is about."""
    name = text(data.get("service"), 64)
    known = text(data.get("taskId"), 100)
    return Subject(f"service:{name}", name, (name, known)) if name else None


def warning(data: Mapping[str, Any]) -> Subject | None:
    """Return which warning this is; it may name a task."""
    known = data.get("id")
    if not isinstance(known, int):
        return None
    params = data.get("params")
    named = params if isinstance(params, Mapping) else {}
    labels = tuple(text(named[key], 100) for key in ("task", "taskId", "service") if key in named)
    return Subject(f"warning:{known}", "", labels)


def params(**known: object) -> dict[str, Scalar]:
    """Return what is known of these as plain values; texts are made safe."""
    kept: dict[str, Scalar] = {}
    for key, value in known.items():
        if isinstance(value, bool | int | float):
            kept[key] = value
        elif isinstance(value, str) and value:
            kept[key] = text(value)
    return kept


def plain(told: object, limit: int = 20) -> dict[str, Scalar]:
    """Return the plain values of the wire's own params, a few of them."""
    if not isinstance(told, Mapping):
        return {}
    return params(**{str(key)[:40]: value for key, value in list(told.items())[:limit]})
