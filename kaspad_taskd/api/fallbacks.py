"""The public shape of a service's fallback: its rules, how often it went, where it is and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from kaspad_taskd import words
from kaspad_taskd.api.schemas import (
    FLAG,
    FREE,
    MAYBE_NUMBER,
    MAYBE_TEXT,
    MOMENT,
    NUMBER,
    TEXT,
    TIME,
    WHOLE,
    maybe,
    record,
    word,
)
from kaspad_taskd.base.clock import iso
from kaspad_taskd.config.switched import PUBLIC, STAY, SwitchedService
from kaspad_taskd.core.fallback import Verdict
from kaspad_taskd.core.switch import Facts
from kaspad_taskd.switching.falling import State

Json: TypeAlias = Any

BECAUSE: Final = record(
    "FallbackCause", health=TEXT, reason=MAYBE_TEXT, behind=MAYBE_NUMBER, since=TIME, note=TEXT
)
FALLEN: Final = record("FallenBack", at=MOMENT, because=maybe(BECAUSE))
STAYS: Final = record(
    "ServiceStays", code=TEXT, params=FREE, note=TEXT, cure=MAYBE_TEXT, left=MAYBE_NUMBER
)
FIELDS: Final = {
    "auto": FLAG,
    "fallback": word("Fallback", [STAY, PUBLIC]),
    "fallbackAfter": NUMBER,
    "returnAfter": NUMBER,
    "flips": WHOLE,
    "flipsToday": WHOLE,
    "flipsLeft": WHOLE,
    "fallen": maybe(FALLEN),
    "stays": maybe(STAYS),
}
"""What a service has of it."""


def fallback_shape(name: str, declared: SwitchedService, state: State | None) -> dict[str, Json]:
    """Return the fields of a service; without a state nothing has happened yet."""
    used = 0 if state is None else min(state.used, declared.flips)
    fell = None if state is None else state.fallen
    stays = None if state is None or state.verdict.why is None else _stays(name, state.verdict)
    return {
        "auto": declared.auto,
        "fallback": declared.fallback,
        "fallbackAfter": declared.fallback_after,
        "returnAfter": declared.return_after,
        "flips": declared.flips,
        "flipsToday": used,
        "flipsLeft": declared.flips - used,
        "fallen": fell and {
            "at": iso(fell.ended_at or fell.started_at), "because": because_shape(fell.because)
        },
        "stays": stays,
    }  # fmt: skip


def because_shape(facts: Facts) -> dict[str, Json] | None:
    """Why a service went, as it is told; None: nobody but a fallback says why."""
    if not facts:
        return None
    since, behind = facts.get("since"), facts.get("behind")
    return {
        "health": str(facts.get("health")),
        "reason": facts.get("reason"),
        "behind": behind,
        "since": iso(int(since)) if isinstance(since, int | float) else None,
        "note": words.because(facts),
    }


def _stays(name: str, verdict: Verdict) -> dict[str, Json]:
    code = str(verdict.why)
    params: Mapping[str, Json] = {"service": name, **verdict.facts}
    note, cure = words.stays(code, params)
    return {
        "code": code,
        "params": dict(params),
        "note": note,
        "cure": cure,
        "left": None if verdict.left is None else verdict.left / 1000,
    }
