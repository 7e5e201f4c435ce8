"""What a program says of its work in numbers, wherever it says it, and what that means. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.values import kind_of
from kaspad_taskd.core.observation import Condition, Reading, Refused, Scalar
from kaspad_taskd.core.reason import Reason

MOST: Final = 2.0**63
_PLAIN: Final = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
"""A text that is a number and nothing else."""


@frozen
class Said:
    """What an answer says at the named places; None where it says nothing.

    Attributes:
        progress: percent, 0 to 100.
        done: units.
        total: units.
        completed: whether it says so itself.
        failed: whether it says that the work failed.
    """

    progress: float | None = None
    done: float | None = None
    total: float | None = None
    completed: bool | None = None
    failed: bool = False

    @property
    def end(self) -> Condition:
        """What says that the work is at its end: its own word, else its count or its percent."""
        if self.completed is not None:
            return Condition("says-complete", self.completed)
        if self.total is None:
            return Condition("all-percent", self.progress == 100, self.progress, 100)
        done = self.done is not None and self.total > 0 and self.done >= self.total
        return Condition("all-done", done, self.done, self.total)


def number_at(found: Mapping[str, Any], key: str, most: float = MOST) -> float | None:
    """Return the number at a key, 0 to `most`, or None.

    Raises:
        ValueError: there is something else.
    """
    value = found.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} is {kind_of(value)}, not a number{_cure(key, value)}")
    if not 0 <= value <= most:
        raise ValueError(f"{key} lies outside 0 to {most:.0f}")
    return float(value)


def _cure(key: str, value: object) -> str:
    """What makes a number of a text: JMESPath's own function, where that can read it."""
    if not isinstance(value, str):
        return ""
    if _PLAIN.fullmatch(value):
        return f"; to_number({key}) makes one of it"
    return ", and more than a number stands in it; name another field, or take the type command"


def judge(
    said: Said, good: bool, unit: str | None, facts: Mapping[str, Scalar] | None = None
) -> Reading | Refused:
    """Return what a look brought back; `good`: it was an answer of a service that is up.

    Where the answer does not say itself that the work is complete, its numbers do. That somebody
    answers tells nothing.
    """
    if said.failed:
        return Refused(Reason.CHECKER_ERROR)
    conditions = (Condition("good-answer", good), said.end)
    counted = said.done is not None
    position = said.done if counted else said.progress
    target = said.total or None if counted else 100.0
    return Reading(
        complete=all(each.holds for each in conditions),
        conditions=conditions,
        position=position,
        target=target if position is not None else None,
        unit=unit if counted else None,
        basis="unknown" if position is None or target is None else "exact",
        floor=said.progress / 100 if counted and said.progress is not None else None,
        # Who tells no progress shows by answering that he is at work, and nothing else does.
        at_work=True if position is None else None,
        metadata=facts or {},
    )
