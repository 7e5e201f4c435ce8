"""The warnings on record: those that people have still to see, and those that they have seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kaspad_taskd.core.observation import Scalar
from kaspad_taskd.core.warning import WARNINGS_KEPT, StandingWarning


class Warnings:
    """All that are kept, by id; the engine alone puts them in, once they are durable."""

    def __init__(self) -> None:
        self._kept: dict[int, StandingWarning] = {}
        self._number = 0

    def put(self, warnings: Iterable[StandingWarning]) -> None:
        """Take over what is on record."""
        for warning in warnings:
            self._kept[warning.id] = warning
            self._kept.pop(warning.id - WARNINGS_KEPT, None)
            self._number = max(self._number, warning.id)

    def next_number(self) -> int:
        """The id of the next warning; each is given once."""
        self._number += 1
        return self._number

    def get(self, number: int) -> StandingWarning | None:
        """The warning of an id, if it is kept."""
        return self._kept.get(number)

    def open(self) -> list[StandingWarning]:
        """Those that have still to be seen, oldest first."""
        return sorted((each for each in self._kept.values() if each.open), key=lambda each: each.id)

    def stands(self, code: str, params: Mapping[str, Scalar]) -> bool:
        """Whether one that has still to be seen already says this."""
        return any(each.open and each.same(code, params) for each in self._kept.values())
