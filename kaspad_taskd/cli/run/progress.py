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
        self._named: str | None = None  # the phase, as the tool calls it
        self._here: tuple[object, ...] = (None, "", None)

    def take(self, reading: Reading) -> None:
        """Lay a reading over what is known."""
        self._facts(reading.facts)
        done = reading.done if reading.done is not None and 0 <= reading.done <= MOST else None
        if not self._place(reading, self._unit if done is None else _unit(reading.unit)):
            return
        if done is None:
            return
        self.done = max(self.done or 0.0, done)
        total = reading.total
        self.total = total if total is not None and 0 < total <= MOST else None
        self._growing = reading.growing
        if self.total is not None:
            self.total = max(self.total, self.done)
            self._share = self._share if reading.growing else max(
                self._share, self.done / self.total
            )  # fmt: skip

    def _place(self, reading: Reading, unit: str) -> bool:
        """Take where it is on its way; False: it is a place before, and no way leads back.

        What is told of a place is its identity: for the daemon a phase is a name. So the next of
        the same name gets another.
        """
        before, phase, after = self._after, _name(reading.phase), _count(reading.after, 0)
        same = phase == self._named and unit == self._unit
        if after is None and same:
            after = before
        if before is not None and after is not None and after < before:
            return False
        name = self.phase if same else phase
        if (
            same
            and before is not None
            and after is not None
            and after > before
            and reading.phases is None
        ):
            name = _name(f"{(phase or '')[: _LONGEST - 8]} {after + 1}")
        phases = _count(reading.phases, 1)
        phases = phases if phases and after is not None and after < phases else None
        here = name, unit, None if phases is None else after
        if here != self._here:
            self.done, self.total, self._share = None, None, 0.0
        self.phase, self._named, self._unit, self._here = name, phase, unit, here
        self._after, self._phases = after, phases
        return True

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
            found["unit"] = self._unit
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


def _unit(unit: str) -> str:
    return ("%" if unit == "percent" else unit)[:_UNIT]
