"""What of services needs somebody now, for all who tell it: read at once, from memory."""

from __future__ import annotations

from kaspad_taskd.core.attention import Attention


class Attentions:
    """One of a service at most; `switching.watching` alone puts them in."""

    def __init__(self) -> None:
        self._known: dict[str, Attention] = {}

    def of(self, service: str) -> Attention | None:
        """What a service needs somebody for, or None."""
        return self._known.get(service)

    def open(self) -> list[Attention]:
        """All of them, oldest first."""
        return sorted(self._known.values(), key=lambda each: (each.since, each.service))

    def put(self, service: str, attention: Attention | None) -> None:
        """Take over how a service is now."""
        if attention is None:
            self._known.pop(service, None)
        else:
            self._known[service] = attention
