"""The switches on record, as many as are kept."""

from __future__ import annotations

from collections.abc import Iterable

from kaspad_taskd.core.record import SWITCHES_KEPT
from kaspad_taskd.core.switch import Switch


class Switches:
    """All that are kept, by id; the engine alone puts them in, once they are durable."""

    def __init__(self) -> None:
        self._kept: dict[int, Switch] = {}
        self._number = 0

    def put(self, switches: Iterable[Switch]) -> None:
        """Take over what is on record."""
        for switch in switches:
            self._kept[switch.id] = switch
            self._kept.pop(switch.id - SWITCHES_KEPT, None)
            self._number = max(self._number, switch.id)

    def next_number(self) -> int:
        """The id of the next switch; each is given once."""
        self._number += 1
        return self._number

    def last(self, service: str) -> Switch | None:
        """The newest switch of a service."""
        own = (each for each in self._kept.values() if each.service == service)
        return max(own, key=lambda each: each.id, default=None)

    def of(self, service: str) -> list[Switch]:
        """The switches of a service, newest first."""
        own = (each for each in self._kept.values() if each.service == service)
        return sorted(own, key=lambda each: each.id, reverse=True)

    def forgotten(self) -> Switch | None:
        """The oldest that is kept, where older ones are not kept any more; else None."""
        full = len(self._kept) >= SWITCHES_KEPT
        return min(self._kept.values(), key=lambda each: each.id) if full else None

    def measured(self, service: str) -> Switch | None:
        """The newest switch of a service that has told for how long it was away."""
        own = (
            each
            for each in self._kept.values()
            if each.service == service and each.away is not None
        )
        return max(own, key=lambda each: each.id, default=None)

    def of_cause(self, seq: int) -> dict[str, Switch]:
        """Those that the event `seq` caused, by service."""
        return {each.service: each for each in self._kept.values() if each.cause == seq}

    def running(self) -> list[Switch]:
        """Those that have not ended, oldest first."""
        live = (each for each in self._kept.values() if not each.state.ended)
        return sorted(live, key=lambda each: each.id)
