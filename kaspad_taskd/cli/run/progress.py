"""What readings of a tool come to, as it is told. Pure.

Within a phase nothing falls, whatever a tool says; of a total that still grows there is no share.
"""

from __future__ import annotations

from kaspad_taskd.cli.run.tools.common import MOST

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from kaspad_taskd.cli.run.tools.tool import Reading

_LONGEST = 100  # characters of a phase's name
_UNIT = 40
_TEXT = 200
_FACTS = 32
_PHASES = 100


class Progress:
    """How far a run is known to be.

    Attributes:
        done: of the phase, or None: not known.
        total: of the phase, or None.
        phase: its name, or None.
        facts: what else was said, by name.
    """

    def __init__(self) -> None:
        self.done: float | None = None
        self.total: float | None = None
        self.phase: str | None = None
        self.facts: dict[str, str | float] = {}
        self._unit = ""
        self._growing = False
        self._after: int | None = None
        self._phases: int | None = None
        self._share = 0.0
        self._known: tuple[object, ...] | None = None

    def take(self, reading: Reading) -> None:
        """Lay a reading over what is known."""
        self._facts(reading.facts)
        phase, after = _name(reading.phase), _count(reading.after, 0)
        if (phase, after, reading.unit) != (self.phase, self._after, self._unit):
            if self._after is not None and after is not None and after < self._after:
                return  # no way leads back
            self.done, self.total, self._share = None, None, 0.0
        self.phase, self._after, self._unit = phase, after, reading.unit
        phases = _count(reading.phases, 1)
        self._phases = phases if phases and after is not None and after < phases else None
        if reading.done is None or not 0 <= reading.done <= MOST:
            return
        self.done = max(self.done or 0.0, reading.done)
        total = reading.total
        self.total = total if total is not None and 0 < total <= MOST else None
        self._growing = reading.growing
        if self.total is not None:
            self.total = max(self.total, self.done)
            self._share = self._share if reading.growing else max(
                self._share, self.done / self.total
            )  # fmt: skip

    def _facts(self, facts: Mapping[str, str | float]) -> None:
        for key, value in facts.items():
            if isinstance(value, float) and not abs(value) <= MOST:
                continue
            if key in self.facts or len(self.facts) < _FACTS:
                self.facts[key[:_LONGEST]] = value[:_TEXT] if isinstance(value, str) else value

    def told(self) -> dict[str, Any]:
        """Return it as `reportTask` takes it: what is not known is not there."""
        found: dict[str, Any] = {}
        if self.phase is not None:
            found["phase"] = self.phase
        if self._phases is not None:
            found["after"], found["phases"] = self._after, self._phases
        if self.done is None:
            return found
        found["done"] = self.done
        if self._unit:
            found["unit"] = ("%" if self._unit == "percent" else self._unit)[:_UNIT]
        if self.total is not None:
            found["total"] = self.total
            if self._growing:
                found["growing"] = True
            elif self.done / self.total < self._share:  # the total was corrected
                found["done"] = min(self.total, self._share * self.total)
        return found


def _name(phase: str | None) -> str | None:
    text = "" if phase is None else "".join(each for each in phase if each.isprintable()).strip()
    return text[:_LONGEST] or None


def _count(number: int | None, least: int) -> int | None:
    return number if number is not None and least <= number <= _PHASES else None
