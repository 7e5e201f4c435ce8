"""Named facts that a program tells of its own work, as people read them."""

from __future__ import annotations

from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import maybe, say
from kaspad_taskd.words.spans import size

TYPE_CHECKING = False  # importing typing would cost the client a tenth of its start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

OWN = ("report", "command")
"""Types whose metadata is what somebody's own program says; others' is for programs."""
_PROCESS = ("pid", "startTime")
"""Whose it is, for programs: the id is of use while the process is there, no longer."""
_BEGUN = ("in-progress", "paused")
_SIZED = 1e5  # bytes from which they are told as a size


def facts(task: Mapping[str, Any]) -> list[str]:
    """Return `rows: 12`, `file: utxo.bin`, in the order in which they were first told."""
    if task.get("type") not in OWN:
        return []
    known: Mapping[str, Any] = task.get("metadata") or {}
    past: tuple[str, ...] = _PROCESS[1:] if task.get("status") in _BEGUN else _PROCESS
    past = past if all(key in known for key in _PROCESS) else ()
    return [
        say("page.fact", key=safe(key, 64), value=_text(value, key))
        for key, value in known.items()
        if key not in past
    ]


def session(task: Mapping[str, Any]) -> str:
    """Return which session of its database is taken for the migration, and what it runs."""
    known = task.get("metadata") or {}
    if not isinstance(known.get("sessionPid"), int):
        return ""
    what = safe(known.get("statement") or "", 40)
    told = {
        "pid": known["sessionPid"],
        "user": _name(known.get("sessionUser")),
        "application": _name(known.get("sessionApplication")),
        "statement": None if what in ("", "other") else what,
        "stage": safe(known.get("statementStage") or "", 80) or None,
        "more": known["sessions"] - 1 if isinstance(known.get("sessions"), int) else None,
    }
    parts = [maybe(f"session.{key}", **told) for key in ("whose", "runs", "stage", "more")]
    return ", ".join(part for part in parts if part)


def _name(value: object) -> str | None:
    return safe(value, 64) if value else None


def _text(value: object, key: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if key == "bytes" and isinstance(value, int | float) and value >= _SIZED:
        return size(value)
    if isinstance(value, float):
        return _plain(value)
    return safe(value, 200)


def _plain(value: float) -> str:
    """As JavaScript writes it: no exponent where the digits can be read."""
    text = repr(value)
    if "e" in text and 1e-6 <= abs(value) < 1e21:
        from decimal import Decimal

        text = format(Decimal(text), "f")
    return text.removesuffix(".0").replace("e-0", "e-").replace("e+0", "e+")
