"""Warnings: those that people have still to see, those on their way to the disk, those seen.

A warning stands, and is shown, as soon as it is known: what cannot be written (the disk is full)
is told all the same. It is written as soon as that is possible, and then it is an event, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from kaspad_taskd.base.frozen import replace
from kaspad_taskd.core.fact import EventName, Fact
from kaspad_taskd.core.model import Moment
from kaspad_taskd.core.observation import Json, Scalar
from kaspad_taskd.core.record import Outcome
from kaspad_taskd.core.warning import WARNINGS_KEPT, StandingWarning

Commit: TypeAlias = Callable[..., asyncio.Future[Outcome]]
"""`Engine.commit`."""


class Warnings:
    """All that are kept, by id.

    Args:
        commit: puts facts and warnings on record; `put` hears of it when that is done.
        now: this moment, ms since 1970 UTC.
    """

    def __init__(self, commit: Commit, now: Callable[[], Moment]) -> None:
        self._commit = commit
        self._now = now
        self._kept: dict[int, StandingWarning] = {}
        self._unwritten: dict[int, StandingWarning] = {}
        self._under_way: set[int] = set()
        self._number = 0

    def put(self, warnings: Iterable[StandingWarning]) -> None:
        """Take over what is on record."""
        for warning in warnings:
            self._unwritten.pop(warning.id, None)
            self._kept[warning.id] = warning
            self._kept.pop(warning.id - WARNINGS_KEPT, None)
            self._number = max(self._number, warning.id)

    # -- reading

    def get(self, number: int) -> StandingWarning | None:
        """The warning of an id, if it is kept."""
        return self._unwritten.get(number) or self._kept.get(number)

    def open(self, code: str | None = None) -> list[StandingWarning]:
        """Those that have still to be seen, oldest first; of one cause only where it is given."""
        known = {**self._kept, **self._unwritten}
        return [
            known[number]
            for number in sorted(known)
            if known[number].open and code in (None, known[number].code)
        ]

    # -- changing

    def warn(self, code: str, params: Mapping[str, Scalar]) -> asyncio.Future[Outcome] | None:
        """Let a warning stand until somebody acknowledges it, and put it on record.

        Nothing happens, and None is returned, while one stands that says the same.
        """
        if any(each.same(code, params) for each in self.open(code)):
            return None
        self._number += 1
        warning = StandingWarning(self._number, self._now(), code, dict(params))
        self._unwritten[warning.id] = warning
        if len(self._unwritten) > WARNINGS_KEPT:
            del self._unwritten[next(iter(self._unwritten))]
        return self._write(warning)

    def clear(self, code: str) -> None:
        """The cause of a warning is gone: nobody has to see it any more."""
        for number in [each.id for each in self._unwritten.values() if each.code == code]:
            if number not in self._under_way:
                del self._unwritten[number]
        written = [each for each in self.open(code) if each.id not in self._unwritten]
        if written:
            self.acknowledge(written)

    def acknowledge(self, warnings: Sequence[StandingWarning]) -> asyncio.Future[Outcome]:
        """Put on record that these have been seen."""
        now = self._now()
        return self._commit(warnings=[replace(each, acknowledged=now) for each in warnings])

    def write(self) -> None:
        """Try again to write what the disk did not take."""
        for warning in list(self._unwritten.values()):
            if warning.id not in self._under_way:
                self._write(warning)

    def _write(self, warning: StandingWarning) -> asyncio.Future[Outcome]:
        data: dict[str, Json] = {
            "id": warning.id, "code": warning.code, "params": dict(warning.params),
        }  # fmt: skip
        fact = Fact(EventName.WARNING, "", "", "", warning.at, data)
        self._under_way.add(warning.id)
        written = self._commit(facts=[fact], warnings=[warning])
        written.add_done_callback(lambda _: self._under_way.discard(warning.id))
        return written
